//! `wgloss bench`: how fast losses are on a device.

mod loss;
mod report;
mod size;

use crate::{Outcome, device::DeviceArguments, losses::label, output::write_lines, screen::Screen};
use clap::{ValueEnum, value_parser};
use report::{Measurement, Report};
use size::Size;
use std::{path::PathBuf, time::Duration};
use wgloss::{
    AnyLoss, Engine, Result, Want,
    bench::{Inputs, Peak, PeakMeter, Step, first_use, median},
    gpu::{Plan, PlanOptions, Scores, Storage},
};

/// Measure losses on a device: time, GFLOP/s, share of the device's own peak, memory.
///
/// Times are medians of evaluations on random tables, after one whose result is compared with the f64
/// reference: "forward" gives the value, "step" value and both gradients. GFLOP are multiply-adds
/// times two: useful ones, 2·B·N·D for the value and as many for each gradient, and those that the
/// plan executes. The peak is the best of several loops of nothing but multiply-adds, measured
/// before; the best loop runs again after every evaluation, and a share is the median of executed
/// GFLOP/s, or of useful ones where the plan tells no others, over what that loop reached then.
/// Memory is what is held beyond inputs and gradients: as the plan tells on a GPU, by how much the
/// process grew in the first evaluation on the CPU (exact for the first case of a run).
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    device: DeviceArguments,
    /// A loss, with parameters that are not to be the defaults; may be repeated
    #[arg(long = "loss", value_name = "NAME [PARAMETER=VALUE]…", default_values = ["sl", "psl activation=relu", "arc_face"])]
    losses: Vec<String>,
    /// Rows, candidates and width of the tables; may be repeated
    #[arg(long = "size", value_name = "BxNxD", default_values = ["1024x16384x64"])]
    sizes: Vec<Size>,
    /// Measure only this
    #[arg(long)]
    only: Option<Evaluation>,
    /// How often each is timed
    #[arg(long, default_value_t = 7, value_parser = value_parser!(u32).range(1..))]
    repeats: u32,
    /// How a GPU stores rows of the tables
    #[arg(long, default_value = "f32")]
    storage: StoredAs,
    /// Where a GPU's gradients have their scores from
    #[arg(long, default_value = "auto")]
    scores: ScoresFrom,
    /// Do not measure the peak, and show no shares of it
    #[arg(long)]
    no_peak: bool,
    /// Tell too what the first use of each kernel takes longer than later ones, on a GPU with
    /// timestamps: what a driver keeps between runs it does not compile again (Mesa's with
    /// `MESA_SHADER_CACHE_DISABLE=true` keeps nothing)
    #[arg(long)]
    first_use: bool,
    /// Write everything that was measured to FILE
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Steps that are shorter run twice for each time, after the loops for the peak.
const SHORT: Duration = Duration::from_millis(20);

/// What is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Evaluation {
    /// The value.
    Forward,
    /// The value and both gradients.
    Step,
}

/// How rows are stored.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum StoredAs {
    /// As f32
    F32,
    /// As halves, in tiles of the block family: half the traffic
    F16,
}

/// Where gradients have their scores from.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum ScoresFrom {
    /// As the plan chooses
    Auto,
    /// Multiplied again
    Twice,
    /// Kept, which takes 4·B·N bytes of either pair of tables
    Kept,
}

impl Arguments {
    /// What a plan is for.
    fn plan_options(&self, want: Want) -> PlanOptions {
        PlanOptions {
            want,
            storage: match self.storage {
                StoredAs::F32 => Storage::F32,
                StoredAs::F16 => Storage::F16,
            },
            scores: match self.scores {
                ScoresFrom::Auto => Scores::Auto,
                ScoresFrom::Twice => Scores::Twice,
                ScoresFrom::Kept => Scores::Kept,
            },
            ..PlanOptions::default()
        }
    }
}

impl Evaluation {
    fn name(self) -> &'static str {
        match self {
            Evaluation::Forward => "forward",
            Evaluation::Step => "step",
        }
    }

    fn want(self) -> Want {
        match self {
            Evaluation::Forward => Want::NOTHING,
            Evaluation::Step => Want::BOTH,
        }
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments, screen: &mut Screen) -> Outcome {
    let losses =
        (arguments.losses.iter().map(|text| loss::parse(text))).collect::<Result<Vec<_>>>()?;
    let engine = arguments.device.engine()?;
    let mut report = Report::new(&engine, arguments.repeats);
    screen.line(format_args!("device: {}", engine.describe()))?;
    let mut meter = None;
    if !arguments.no_peak {
        let measured = PeakMeter::new(&engine)?;
        report.peaks = measured.peaks();
        screen.line(peak_line(&report.peaks))?;
        meter = Some(measured);
    }
    screen.line("")?;
    screen.line(report::HEADER)?;
    let mut right = true;
    keep(arguments, &report, screen)?;
    for size in &arguments.sizes {
        for loss in &losses {
            let case = (loss, *size);
            let measured = measure(&engine, case, arguments, meter.as_mut(), &mut report);
            match measured {
                Ok(lines) => lines.iter().try_for_each(|line| screen.line(line))?,
                Err(error) => {
                    right = false;
                    screen.complain(format_args!("{} at {size}: {error}", label(loss)?));
                }
            }
            keep(arguments, &report, screen)?;
        }
    }
    Ok(right)
}

/// Writes what was measured so far: at once, so that a bad path is known before minutes are spent,
/// and after every case, so that none is lost.
fn keep(arguments: &Arguments, report: &Report, screen: &mut Screen) -> Result<()> {
    let Some(path) = &arguments.json else {
        return Ok(());
    };
    let json = report.json();
    write_lines(Some(path), &[], screen, |lines| {
        lines.line(&format!("{json:#}"))
    })
}

/// The fastest loop.
fn peak_line(peaks: &[Peak]) -> String {
    match peaks.first() {
        Some(best) => format!("peak: {:.1} GFLOP/s ({})", best.flops / 1e9, best.what),
        None => "peak: none".into(),
    }
}

/// Times of a step, and after each the peak, if that is measured.
fn timed(
    step: &mut Step<'_>,
    repeats: u32,
    mut meter: Option<&mut PeakMeter<'_>>,
) -> Result<(Vec<Duration>, Vec<f64>)> {
    let (mut times, mut peaks) = (Vec::new(), Vec::new());
    for _ in 0..repeats {
        // What runs between steps leaves caches and clocks of its own; where a step is short that shows.
        if meter.is_some() && times.last().is_some_and(|time| *time < SHORT) {
            step.run()?;
        }
        times.push(step.run()?);
        if let Some(meter) = &mut meter {
            peaks.push(meter.now()?);
        }
    }
    Ok((times, peaks))
}

/// Measures one loss at one size; the lines that tell of it.
fn measure(
    engine: &Engine,
    (loss, size): (&AnyLoss, Size),
    arguments: &Arguments,
    mut meter: Option<&mut PeakMeter<'_>>,
    report: &mut Report,
) -> Result<Vec<String>> {
    let inputs = Inputs::new(loss.as_dyn(), size.0)?;
    let mut lines = Vec::new();
    for evaluation in [Evaluation::Forward, Evaluation::Step] {
        if arguments.only.is_some_and(|only| only != evaluation) {
            continue;
        }
        let want = evaluation.want();
        let first_use = match arguments.first_use {
            true => first_use(engine, loss.as_dyn(), &inputs, want)?,
            false => None,
        };
        let options = arguments.plan_options(want);
        let (mut step, output) = Step::with(engine, loss.as_dyn(), &inputs, &options)?;
        let objection = inputs.objection_of(loss.as_dyn(), want, &output, options.storage)?;
        if let Some(objection) = objection {
            let message = format!("{}: {objection}", evaluation.name());
            return Err(wgloss::Error::Unsupported(message));
        }
        let value = output.value;
        drop(output);
        step.warm_up()?;
        let (times, peaks) = timed(&mut step, arguments.repeats, meter.as_deref_mut())?;
        let (scheme, executed_flops) = step.scheme()?;
        let measurement = Measurement {
            loss: label(loss)?,
            size,
            evaluation,
            value,
            time: median(&times),
            times,
            peaks,
            useful_flops: step.useful_flops(),
            plan: step.plan().map(Plan::id),
            scheme,
            executed_flops,
            input_bytes: inputs.bytes(),
            bytes: step.bytes(),
            stages: step.time_stages()?,
            first_use,
        };
        lines.extend(measurement.lines());
        if arguments.first_use && measurement.first_use.is_none() {
            lines.push("    first use: not told, for want of kernels or of timestamps".into());
        }
        report.measurements.push(measurement);
    }
    Ok(lines)
}
