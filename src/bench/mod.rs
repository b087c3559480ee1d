//! Measuring: what `wgloss bench` and the benches share.
//!
//! [`Inputs`] are random tables for any loss and size, [`Step`] is one evaluation of them, ready to
//! be run again and again on an engine, and [`PeakMeter`] tells what the engine's device can do at
//! most: the best of several loops of nothing but multiply-adds, whose share a step reaches.
//!
//! FLOP are multiply-adds times two, of score and gradient products alone. **Useful** are those that
//! no implementation can do without, 2·B·N·D for the value and as many for each gradient;
//! **executed** are those that the plan has: scores that are computed again count.

mod cpu_peak;
mod first_use;
mod gpu_peak;
mod gpu_step;
mod inputs;
mod memory;
mod product;
mod step;

pub(crate) use gpu_step::prepare;

pub use first_use::{FirstUse, FirstUses, first_use};
pub use inputs::Inputs;
pub use memory::resident;
pub use product::{Operand, product};
pub use step::{Step, useful_flops};

use crate::{Engine, Result};
use std::time::Duration;

/// A device's rate in one loop of multiply-adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Peak {
    /// FLOP per second.
    pub flops: f64,
    /// What the loop is like.
    pub what: String,
}

/// What the engine's device does at most, by loops of multiply-adds in registers, and on the CPU by a
/// large product too.
pub struct PeakMeter<'a> {
    loops: Loops<'a>,
    /// By the number of the loop.
    all: Vec<Peak>,
    best: usize,
}

enum Loops<'a> {
    Gpu(Vec<gpu_peak::Kernel<'a>>),
    Cpu,
}

/// How often the best loop runs at a time beside a step; the best counts.
const BESIDE: usize = 3;

impl<'a> PeakMeter<'a> {
    /// Measures all loops, in turn and many times. Takes a few seconds.
    ///
    /// # Errors
    /// The device refuses a kernel or is lost, or a loop's result is wrong.
    pub fn new(engine: &'a Engine) -> Result<Self> {
        let (loops, all) = match engine.context() {
            Some(context) => {
                let (kernels, peaks) = gpu_peak::peaks(context)?;
                (Loops::Gpu(kernels), peaks)
            }
            None => (Loops::Cpu, cpu_peak::peaks()),
        };
        let flops = |nth: &usize| all[*nth].flops;
        let best = (0..all.len()).max_by(|one, other| flops(one).total_cmp(&flops(other)));
        Ok(PeakMeter {
            best: best.unwrap_or(0),
            loops,
            all,
        })
    }

    /// All loops, the best first.
    #[must_use]
    pub fn peaks(&self) -> Vec<Peak> {
        let mut peaks = self.all.clone();
        peaks.sort_by(|one, other| other.flops.total_cmp(&one.flops));
        peaks
    }

    /// FLOP per second of the best loop now: for shares of what a device that others use too, or whose
    /// clock drifts, does at the time of a step.
    ///
    /// # Errors
    /// The device is lost.
    pub fn now(&mut self) -> Result<f64> {
        let best = self.best;
        let runs = (0..BESIDE).map(|_| match &mut self.loops {
            Loops::Gpu(kernels) => kernels[best].rate(),
            Loops::Cpu => Ok(cpu_peak::rate(best)),
        });
        runs.reduce(|one, other| Ok(one?.max(other?)))
            .unwrap_or(Ok(0.0))
    }
}

/// The middle of some times, the mean of the two middle ones of an even number; zero of none.
#[must_use]
pub fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    let middle = times.len() / 2;
    match times.len() {
        0 => Duration::ZERO,
        count if count % 2 == 1 => times[middle],
        _ => (times[middle - 1] + times[middle]) / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        let of = |times: &[u64]| {
            let times: Vec<_> = times
                .iter()
                .map(|time| Duration::from_secs(*time))
                .collect();
            median(&times)
        };
        assert_eq!(of(&[9, 1, 4]), Duration::from_secs(4));
        assert_eq!(of(&[9, 1, 4, 2]), Duration::from_secs(3));
        assert_eq!(of(&[]), Duration::ZERO);
    }
}
