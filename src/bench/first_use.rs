//! What the first use of a loss costs: compiling its kernels.

use super::{Inputs, gpu_step::uploaded, step::wanted};
use crate::{
    DynLoss, Engine, Result, Want,
    gpu::{Plan, PlanOptions, Stage, StageTime, TableLayouts},
};
use std::time::{Duration, Instant};

/// A loss when it is first used on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstUses {
    /// Making the plan, and what its first run took longer than a later one. Kernels are compiled on all
    /// cores: less than the sum of theirs.
    pub time: Duration,
    /// By stage, in the order of the first run.
    pub stages: Vec<FirstUse>,
}

/// A stage's kernels when they are first used on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstUse {
    /// The stage.
    pub stage: Stage,
    /// How many texts of it the plan has.
    pub kernels: usize,
    /// Making their pipelines, and what their first run took longer than a later one: some drivers
    /// compile only then.
    pub time: Duration,
}

/// Compiles all kernels of a loss anew, as if it were the first on the engine's device, and runs them
/// twice. `None` on the CPU, and on devices without timestamps.
///
/// A driver that keeps compiled shaders between processes hides what it knows. Mesa does, unless the
/// environment says `MESA_SHADER_CACHE_DISABLE=true`.
///
/// # Errors
/// As [`Step::new`](super::Step::new).
pub fn first_use(
    engine: &Engine,
    loss: &dyn DynLoss,
    inputs: &Inputs,
    want: Want,
) -> Result<Option<FirstUses>> {
    let Some(context) = engine.context() else {
        return Ok(None);
    };
    let features = context.device().features();
    if !features.contains(wgpu::Features::TIMESTAMP_QUERY) {
        return Ok(None);
    }
    let (shape, want) = wanted(loss, inputs, want)?;
    let context = context.tuned(loss, &shape)?.without_pipelines();
    let options = PlanOptions {
        want,
        ..PlanOptions::default()
    };
    let layouts = TableLayouts::dense(&shape);
    let start = Instant::now();
    let plan = Plan::new(&context, loss, &shape, &layouts, &options)?;
    let planned = start.elapsed();
    let buffers = uploaded(&context, inputs, want)?;
    let first = plan.time_stages(&buffers)?;
    let later = plan.time_stages(&buffers)?;
    let longer = |stage: Stage| {
        let of = |times: &[StageTime]| {
            let own = times.iter().filter(|one| one.stage == stage);
            own.map(|one| one.time).sum::<Duration>()
        };
        of(&first).saturating_sub(of(&later))
    };
    let mut time = planned;
    let uses = plan.compile_times().into_iter();
    let uses = uses.map(|(stage, kernels, compiled)| {
        time += longer(stage);
        FirstUse {
            stage,
            kernels,
            time: compiled + longer(stage),
        }
    });
    let stages = uses.collect();
    Ok(Some(FirstUses { time, stages }))
}
