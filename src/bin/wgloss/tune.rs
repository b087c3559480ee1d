//! `wgloss tune`: which kernels are the fastest on an adapter.

use crate::{Outcome, device::DeviceArguments, screen::Screen};
use wgloss::{
    Error,
    gpu::{Tuned, TuningClass},
};

/// Measure every kernel family on a GPU, and keep which is the fastest for what.
///
/// Hardware is measured without being asked when a kind of loss and width is first evaluated;
/// software adapters, on which compiling takes seconds, only so.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    device: DeviceArguments,
    /// Widths of embeddings; each serves those down to half of it
    #[arg(long, value_name = "D", value_delimiter = ',', default_values = ["64", "128", "512"])]
    dims: Vec<u16>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, screen: &mut Screen) -> Outcome {
    let engine = arguments.device.engine()?;
    let Some(context) = engine.context() else {
        return Err(Error::Unsupported(
            "tune: the CPU has no kernel families; expected --device gpu or --adapter".into(),
        ));
    };
    let mut dims = Vec::new();
    for dim in &arguments.dims {
        let dim = usize::from(*dim);
        if !(1..=wgloss::MAX_DIM).contains(&dim) {
            return Err(Error::Shape {
                argument: "--dims",
                expected: format!("widths from 1 to {}", wgloss::MAX_DIM),
                actual: dim.to_string(),
            });
        }
        dims.push(TuningClass::width(dim));
    }
    dims.sort_unstable();
    dims.dedup();
    screen.line(format_args!("device: {}", engine.describe()))?;
    screen.line("a step's time, the fastest first, as shares of the default's")?;
    for class in TuningClass::all(&dims) {
        let tuned = context.tune(class)?;
        screen.line(line(&tuned, context.families()[0].id()))?;
    }
    Ok(true)
}

fn line(tuned: &Tuned, default: String) -> String {
    let default = (tuned.times.iter()).find(|(family, _)| family.id() == default);
    let families = tuned.times.iter().map(|(family, time)| {
        let share = default.map(|(_, default)| time.as_secs_f64() / default.as_secs_f64());
        let share = share.map_or("-".into(), |share| format!("{share:.2}"));
        format!(
            "{} {:.1} ms ({share})",
            family.id(),
            1e3 * time.as_secs_f64()
        )
    });
    let families: Vec<String> = families.collect();
    format!("{:18} {}", tuned.class, families.join(", "))
}
