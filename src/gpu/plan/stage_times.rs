//! How long each stage of a plan takes, by the device's own clock.

use super::Plan;
use crate::{
    Error, Result,
    gpu::{Buffers, Pipeline, Slice, Stage, read_back},
};
use std::{ops::Range, sync::Arc, time::Duration};

/// What a plan's dispatches of one stage took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageTime {
    /// The stage.
    pub stage: Stage,
    /// Number of dispatches.
    pub dispatches: usize,
    /// Their executed multiply-adds times two, as in [`Plan::flops`].
    pub flops: u64,
    /// Their time.
    pub time: Duration,
}

/// Bytes of a timestamp.
const TIMESTAMP: u64 = wgpu::QUERY_SIZE as u64;

/// Passes that one set of queries serves, with two timestamps each.
const PASSES: usize = wgpu::QUERY_SET_MAX_QUERIES as usize / 2;

impl Plan {
    /// Evaluates once, in one submission, and tells how long each stage took: in the order in which
    /// they first run. Consecutive dispatches of a stage are a compute pass of their own here, and
    /// share one in [`Plan::encode`], so the sum is a little more than an evaluation takes.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a device without the feature `TIMESTAMP_QUERY`; else as
    /// [`Plan::encode`] and [`read_back`].
    pub fn time_stages(&self, buffers: &Buffers) -> Result<Vec<StageTime>> {
        let device = &self.context.device;
        if !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Err(Error::Unsupported(
                "stage times: the device was opened without timestamp queries".into(),
            ));
        }
        let runs = self.runs();
        let range = self.context.guarded("stage times", || {
            let mut encoder = device.create_command_encoder(&Default::default());
            let range = self.encode_runs(&mut encoder, buffers, &runs);
            self.context.queue.submit([encoder.finish()]);
            range
        })??;
        let words = read_back(&self.context, &[range])?;
        Ok(self.sums(&runs, &words[0]))
    }

    /// What wgpu and the driver took to make the plan's pipelines, stage by stage, and how many each
    /// has: those that were made for an earlier plan too.
    pub(crate) fn compile_times(&self) -> Vec<(Stage, usize, Duration)> {
        let mut known: Vec<&Arc<Pipeline>> = Vec::new();
        let mut times: Vec<(Stage, usize, Duration)> = Vec::new();
        for (at, pipeline) in self.pipelines.iter().enumerate() {
            if known.iter().any(|one| Arc::ptr_eq(one, pipeline)) {
                continue;
            }
            known.push(pipeline);
            let stage = self.stage(at);
            match times.iter_mut().find(|(one, ..)| *one == stage) {
                Some((_, count, time)) => {
                    *count += 1;
                    *time += pipeline.compiled;
                }
                None => times.push((stage, 1, pipeline.compiled)),
            }
        }
        times
    }

    /// Consecutive dispatches of one stage.
    fn runs(&self) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for at in 0..self.parts() {
            match runs.last_mut() {
                Some(run) if self.stage(run.start) == self.stage(at) => run.end = at + 1,
                _ => runs.push(at..at + 1),
            }
        }
        runs
    }

    /// Records the evaluation with a timestamp before and after every run, and says where the
    /// timestamps will be.
    fn encode_runs(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        buffers: &Buffers,
        runs: &[Range<usize>],
    ) -> Result<Slice> {
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let bytes = 2 * runs.len() as u64 * TIMESTAMP;
        let stamps = self.context.buffer("stage times", bytes, usage);
        for (part, runs) in runs.chunks(PASSES).enumerate() {
            // PASSES bounds both.
            let count = 2 * u32::try_from(runs.len()).unwrap_or(u32::MAX);
            let set = self
                .context
                .device
                .create_query_set(&wgpu::QuerySetDescriptor {
                    label: Some("stage times"),
                    ty: wgpu::QueryType::Timestamp,
                    count,
                });
            for (run, begin) in runs.iter().zip((0..count).step_by(2)) {
                let times = wgpu::ComputePassTimestampWrites {
                    query_set: &set,
                    beginning_of_pass_write_index: Some(begin),
                    end_of_pass_write_index: Some(begin + 1),
                };
                self.encode_timed(encoder, buffers, run.clone(), Some(times))?;
            }
            let at = (2 * PASSES * part) as u64 * TIMESTAMP;
            encoder.resolve_query_set(&set, 0..count, &stamps, at);
        }
        Ok(Slice {
            buffer: stamps,
            offset: 0,
            size: bytes,
        })
    }

    /// Adds up the runs of each stage; `words` are the timestamps, low word first.
    fn sums(&self, runs: &[Range<usize>], words: &[u32]) -> Vec<StageTime> {
        let tick = f64::from(self.context.queue.get_timestamp_period());
        let stamp = |words: &[u32]| u64::from(words[0]) | u64::from(words[1]) << 32;
        let mut sums: Vec<StageTime> = Vec::new();
        for (run, words) in runs.iter().zip(words.chunks_exact(4)) {
            let ticks = stamp(&words[2..]).saturating_sub(stamp(words));
            let (stage, flops) = (
                self.stage(run.start),
                self.dispatches[run.clone()].iter().map(|one| one.flops),
            );
            let one = StageTime {
                stage,
                dispatches: run.len(),
                flops: flops.sum(),
                time: Duration::from_secs_f64(ticks as f64 * tick * 1e-9),
            };
            match sums.iter_mut().find(|sum| sum.stage == stage) {
                Some(sum) => {
                    sum.dispatches += one.dispatches;
                    sum.flops += one.flops;
                    sum.time += one.time;
                }
                None => sums.push(one),
            }
        }
        sums
    }
}
