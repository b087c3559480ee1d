//! What was measured, as lines and as JSON.

use super::{Evaluation, Size};
use serde_json::{Value, json};
use std::time::Duration;
use wgloss::{
    Engine,
    bench::{FirstUse, FirstUses, Peak},
    gpu::StageTime,
};

/// Above the lines of [`Measurement::lines`].
pub const HEADER: &str = "loss                  size               what         time    useful  executed  share     beyond  plan";

/// One loss at one size.
pub struct Measurement {
    pub loss: String,
    pub size: Size,
    pub evaluation: Evaluation,
    /// The loss's value.
    pub value: f32,
    /// The median, and all.
    pub time: Duration,
    pub times: Vec<Duration>,
    /// FLOP per second of the best loop after each; empty where it was not measured.
    pub peaks: Vec<f64>,
    pub useful_flops: u64,
    /// Its ID, on a GPU.
    pub plan: Option<String>,
    /// How scores become gradients.
    pub scheme: &'static str,
    /// As far as they are told.
    pub executed_flops: Option<u64>,
    /// Of inputs, and of both tables' gradients.
    pub input_bytes: [u64; 2],
    /// Held beyond those.
    pub bytes: Option<u64>,
    pub stages: Option<Vec<StageTime>>,
    /// What first uses took longer than later ones, if that is to be told and can be.
    pub first_use: Option<FirstUses>,
}

/// A rate in GFLOP/s.
fn rate(flops: u64, time: Duration) -> f64 {
    flops as f64 / time.as_secs_f64().max(1e-12) / 1e9
}

/// A time in three digits or so.
fn show(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.1 => format!("{:.2} ms", seconds * 1e3),
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{seconds:.2} s"),
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or("-".into(), |share| format!("{:.0} %", 100.0 * share))
}

/// The middle of some numbers, the upper one of two.
fn middle(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

impl Measurement {
    /// Executed FLOP, or the useful ones where no others are told.
    fn flops(&self) -> u64 {
        self.executed_flops.unwrap_or(self.useful_flops)
    }

    /// A line, and below it one per stage that takes a hundredth of the time or more; then what first
    /// uses took, all together and those that took a hundredth of that or more.
    pub fn lines(&self) -> Vec<String> {
        let peak = middle(self.peaks.clone()).map(|peak| peak / 1e9);
        let executed = (self.executed_flops).map(|flops| format!("{:.1}", rate(flops, self.time)));
        let beyond =
            (self.bytes).map(|bytes| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)));
        let plan = match &self.plan {
            Some(id) => format!("{}, {id}", self.scheme),
            None => self.scheme.into(),
        };
        let mut lines = vec![format!(
            "{:20}  {:17}  {:8} {:>9}  {:>8.1}  {:>8}  {:>5} {:>10}  {plan}",
            self.loss,
            self.size,
            self.evaluation.name(),
            show(self.time),
            rate(self.useful_flops, self.time),
            executed.unwrap_or("-".into()),
            percent(self.share()),
            beyond.unwrap_or("-".into()),
        )];
        for stage in self.stages.iter().flatten() {
            if 100 * stage.time < self.time {
                continue;
            }
            let rate = (stage.flops > 0).then(|| rate(stage.flops, stage.time));
            let share = rate.zip(peak).map(|(rate, peak)| rate / peak);
            lines.push(format!(
                "    {:45} {:>9}  {:>8}  {:>8}  {:>5}",
                stage.stage.name(),
                show(stage.time),
                "",
                rate.map_or("-".into(), |rate| format!("{rate:.1}")),
                percent(share),
            ));
        }
        lines.extend(self.first_use_lines());
        lines
    }

    fn first_use_lines(&self) -> Vec<String> {
        let Some(uses) = &self.first_use else {
            return Vec::new();
        };
        let line = |what: &str, time| format!("    {what:45} {:>9}", show(time));
        let of = |one: &FirstUse| {
            let kernels = match one.kernels {
                1 => String::new(),
                many => format!(" ({many} kernels)"),
            };
            line(
                &format!("first use of {}{kernels}", one.stage.name()),
                one.time,
            )
        };
        let mut lines = vec![line("first use of all kernels", uses.time)];
        let long = (uses.stages.iter()).filter(|one| 100 * one.time >= uses.time);
        lines.extend(long.map(of));
        lines
    }

    /// The share of the peak: the median over all times, each with the peak that was measured after it.
    fn share(&self) -> Option<f64> {
        let shares = self.times.iter().zip(&self.peaks);
        let shares = shares.map(|(time, peak)| rate(self.flops(), *time) * 1e9 / peak);
        middle(shares.collect())
    }

    fn json(&self) -> Value {
        let seconds = |time: &Duration| time.as_secs_f64();
        let stage = |one: &StageTime| {
            json!({
                "stage": one.stage.name(),
                "dispatches": one.dispatches,
                "seconds": one.time.as_secs_f64(),
                "flop": one.flops,
            })
        };
        let first = |one: &FirstUse| {
            json!({
                "stage": one.stage.name(),
                "kernels": one.kernels,
                "seconds": one.time.as_secs_f64(),
            })
        };
        json!({
            "loss": self.loss,
            "size": self.size.0,
            "evaluation": self.evaluation.name(),
            "value": self.value,
            "seconds": seconds(&self.time),
            "all_seconds": self.times.iter().map(seconds).collect::<Vec<f64>>(),
            "useful_flop": self.useful_flops,
            "executed_flop": self.executed_flops,
            "useful_gflops": rate(self.useful_flops, self.time),
            "executed_gflops": self.executed_flops.map(|flops| rate(flops, self.time)),
            "share_of_peak": self.share(),
            "peak_gflops_after": self.peaks.iter().map(|peak| peak / 1e9).collect::<Vec<f64>>(),
            "input_bytes": self.input_bytes[0],
            "gradient_bytes": if self.evaluation == Evaluation::Step { self.input_bytes[1] } else { 0 },
            "bytes_beyond": self.bytes,
            "scheme": self.scheme,
            "plan": self.plan,
            "stages": self.stages.as_ref().map(|stages| stages.iter().map(stage).collect::<Vec<Value>>()),
            "first_use": self.first_use.as_ref().map(|uses| uses.stages.iter().map(first).collect::<Vec<Value>>()),
            "first_use_seconds": self.first_use.as_ref().map(|uses| uses.time.as_secs_f64()),
        })
    }
}

/// A run of the command.
pub struct Report {
    device: String,
    kind: String,
    repeats: u32,
    /// The best first; none where they were not to be measured.
    pub peaks: Vec<Peak>,
    pub measurements: Vec<Measurement>,
}

impl Report {
    /// Without measurements.
    pub fn new(engine: &Engine, repeats: u32) -> Self {
        Report {
            device: engine.describe(),
            kind: engine.device().to_string(),
            repeats,
            peaks: Vec::new(),
            measurements: Vec::new(),
        }
    }

    /// The peak in GFLOP/s.
    pub fn peak(&self) -> Option<f64> {
        self.peaks.first().map(|best| best.flops / 1e9)
    }

    /// Everything.
    pub fn json(&self) -> Value {
        let peak = |one: &Peak| json!({ "gflops": one.flops / 1e9, "what": one.what });
        json!({
            "wgloss": env!("CARGO_PKG_VERSION"),
            "device": self.kind,
            "description": self.device,
            "repeats": self.repeats,
            "peak_gflops": self.peak(),
            "peaks": self.peaks.iter().map(peak).collect::<Vec<Value>>(),
            "measurements": (self.measurements.iter())
                .map(Measurement::json)
                .collect::<Vec<Value>>(),
        })
    }
}
