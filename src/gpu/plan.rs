//! A plan: the pipelines, scratch and dispatches of one (loss, shape), ready to be recorded.

mod bind;
mod encode;
mod estimate;
mod kernels;
mod stage_times;
mod text;

use super::{
    Buffers, Context, Family, Pipeline, Scores, Storage, TableLayouts, job::JOB_STRIDE,
    schedule::Dispatch, sizes::Sizes, slot::Slot, tables::Slice,
};
use crate::{
    DynLoss, Error, Result, Shape, Want,
    shape::{MAX_CONSTANTS, MAX_THETA},
};
use std::{collections::BTreeMap, sync::Arc};

pub use estimate::{Estimate, estimate};
pub use kernels::shader_texts;
pub use stage_times::StageTime;
pub use text::shader_text;

/// What a plan is for, beside loss and shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// Budget of the scratch that does not grow with the batch, bytes; `None` for the family's own:
    /// see [`PlanOptions::scratch`].
    pub scratch_bytes: Option<u64>,
    /// Which gradients.
    pub want: Want,
    /// Add to the caller's gradients instead of replacing them.
    pub accumulate: bool,
    /// How packed rows are stored.
    pub storage: Storage,
    /// Whether scores are kept for the weights.
    pub scores: Scores,
}

impl Default for PlanOptions {
    fn default() -> Self {
        PlanOptions {
            scratch_bytes: None,
            want: Want::BOTH,
            accumulate: false,
            storage: Storage::F32,
            scores: Scores::Auto,
        }
    }
}

impl PlanOptions {
    /// Bytes of scratch in a family: what is asked for, or else 256 MiB on GPUs, which are idle
    /// between small dispatches, and 64 MiB on processors, whose caches are small.
    #[must_use]
    pub fn scratch(&self, family: Family) -> u64 {
        self.scratch_bytes.unwrap_or(match family {
            Family::Block { .. } => 256 << 20,
            Family::Subgroup { .. } | Family::Plain { .. } => 64 << 20,
        })
    }
}

/// Pipelines, scratch and dispatches of one (loss, shape).
#[derive(Debug)]
pub struct Plan {
    context: Context,
    shape: Shape,
    options: PlanOptions,
    sizes: Sizes,
    layouts: TableLayouts,
    dispatches: Vec<Dispatch>,
    pipelines: Vec<Arc<Pipeline>>,
    forward: usize,
    own: BTreeMap<Slot, wgpu::Buffer>,
    jobs: wgpu::Buffer,
    parameters: wgpu::Buffer,
    bytes: u64,
    bound: std::sync::Mutex<Option<(Buffers, Arc<Vec<wgpu::BindGroup>>)>>,
}

/// The caller's gradients.
const GRADIENTS: [Slot; 7] = [
    Slot::GradQueries,
    Slot::GradCandidates,
    Slot::GradSecondQueries,
    Slot::GradSecondCandidates,
    Slot::GradColumnParameters,
    Slot::GradPositiveScores,
    Slot::GradColumnScores,
];

/// Offset of θ within the parameters.
const THETA_AT: u64 = (MAX_CONSTANTS * 4) as u64;
/// Offset of the factors behind θ.
const SCALES_AT: u64 = THETA_AT + (MAX_THETA * 4) as u64;
const PARAMETER_BYTES: u64 = ((MAX_CONSTANTS + MAX_THETA + 4) * 4) as u64;

impl Want {
    /// Whether this gradient is wanted.
    pub(super) fn wants(self, slot: Slot) -> bool {
        match slot {
            Slot::GradQueries => self.queries,
            Slot::GradCandidates => self.candidates,
            Slot::GradColumnParameters => self.column_parameters,
            Slot::GradSecondQueries | Slot::GradSecondCandidates => self.second,
            _ => self.scores,
        }
    }
}

/// A caller's list: name, range, the plan's copy, words.
type List<'a> = (&'static str, &'a Option<Slice>, Option<Slot>, usize);

impl Plan {
    /// Compiles and allocates.
    ///
    /// # Errors
    /// As [`estimate`]; a shader that does not compile; out of device memory.
    pub fn new(
        context: &Context,
        loss: &dyn DynLoss,
        shape: &Shape,
        layouts: &TableLayouts,
        options: &PlanOptions,
    ) -> Result<Self> {
        let (family, limits) = (context.family(), context.limits());
        let estimate = estimate(loss, shape, layouts, options, family, limits)?;
        Self::of(context, loss, shape, layouts, options, estimate)
    }

    /// Compiles and allocates what was estimated.
    pub(super) fn of(
        context: &Context,
        loss: &dyn DynLoss,
        shape: &Shape,
        layouts: &TableLayouts,
        options: &PlanOptions,
        estimate: Estimate,
    ) -> Result<Self> {
        let Estimate {
            sizes,
            dispatches,
            forward,
            bytes,
        } = estimate;
        context.check_lost()?;
        let pipelines = kernels::pipelines(context, loss, &dispatches, &sizes)?;
        let scope = context
            .device
            .push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let gradients = options.want.of(shape).for_loss(&loss.spec()) != Want::NOTHING;
        let own = Slot::own()
            .map(|slot| {
                let bytes = sizes.bytes_of(slot, gradients);
                (slot, context.buffer(&format!("{slot:?}"), bytes, usage))
            })
            .collect();
        let uniform = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let jobs = context.buffer("jobs", (dispatches.len() * JOB_STRIDE) as u64, uniform);
        let parameters = context.buffer("parameters", PARAMETER_BYTES, uniform);
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(Error::OutOfMemory(format!(
                "{bytes} bytes for a plan: {error}"
            )));
        }
        let plan = Plan {
            context: context.clone(),
            shape: shape.clone(),
            options: PlanOptions {
                want: options.want.of(shape).for_loss(&loss.spec()),
                ..*options
            },
            sizes,
            layouts: *layouts,
            dispatches,
            pipelines,
            forward,
            own,
            jobs,
            parameters,
            bytes,
            bound: std::sync::Mutex::default(),
        };
        plan.write_static();
        plan.set_loss(loss);
        plan.set_factor(1.0);
        Ok(plan)
    }

    /// Jobs, and the offsets of one positive per row: they never change.
    fn write_static(&self) {
        let mut jobs = vec![0u8; self.dispatches.len() * JOB_STRIDE];
        for (at, dispatch) in self.dispatches.iter().enumerate() {
            let bytes = bytemuck::bytes_of(&dispatch.job);
            jobs[at * JOB_STRIDE..at * JOB_STRIDE + bytes.len()].copy_from_slice(bytes);
        }
        self.context.queue.write_buffer(&self.jobs, 0, &jobs);
        if !self.shape.many_positives {
            let offsets: Vec<u32> =
                (0..=u32::try_from(self.shape.rows).unwrap_or(u32::MAX)).collect();
            self.write_own(Slot::PairOffsets, bytemuck::cast_slice(&offsets));
        }
    }

    fn write_own(&self, slot: Slot, bytes: &[u8]) {
        self.context.queue.write_buffer(&self.own[&slot], 0, bytes);
    }

    /// Takes over another configuration of the same kind of loss, a temperature say, for what is
    /// submitted from now on. Recompiles nothing.
    pub fn set_loss(&self, loss: &dyn DynLoss) {
        let spec = loss.spec();
        let mut constants = [0f32; MAX_CONSTANTS];
        for (to, from) in constants.iter_mut().zip(loss.constants()) {
            *to = crate::real::Real::from_f64(from);
        }
        let scale: f32 = crate::real::Real::from_f64(spec.score_scale);
        let queue = &self.context.queue;
        queue.write_buffer(&self.parameters, 0, bytemuck::cast_slice(&constants));
        let scales = [scale, 1.0];
        queue.write_buffer(&self.parameters, SCALES_AT, bytemuck::cast_slice(&scales));
    }

    /// Multiplies value and gradients, not row losses, of what is submitted from now on; 1 at first.
    /// With gradients added to those of other plans, the weight of this one's loss in their sum.
    pub fn set_factor(&self, factor: f32) {
        let queue = &self.context.queue;
        queue.write_buffer(&self.parameters, SCALES_AT + 8, bytemuck::bytes_of(&factor));
    }

    /// Bytes that the plan holds on the device, beyond inputs and gradients.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The cuts.
    #[must_use]
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// Family, storage where that is not f32, whether scores are kept, row chunk and spans: what the bits
    /// depend on beside the inputs.
    #[must_use]
    pub fn id(&self) -> String {
        let s = &self.sizes;
        format!(
            "{}{}{}-rows{}-span{}x{}",
            self.context.family().id(),
            match self.options.storage {
                Storage::F32 => "",
                Storage::F16 => "-f16",
            },
            if s.kept() { "-kept" } else { "" },
            s.row_chunk,
            s.spans,
            s.span_width
        )
    }

    /// How scores become gradients, in words: reports name it.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.sizes.moments {
            "second moments"
        } else if self.forward == self.dispatches.len() {
            "value alone"
        } else if self.sizes.kept() {
            "kept scores"
        } else {
            "chunked weights"
        }
    }

    /// Number of dispatches; [`Plan::encode_part`] takes any consecutive parts of `0..parts()`.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.dispatches.len()
    }

    /// The stage of a part.
    ///
    /// # Panics
    /// Not for `part < self.parts()`.
    #[must_use]
    pub fn stage(&self, part: usize) -> super::Stage {
        self.dispatches[part].stage
    }

    /// Executed multiply-adds times two, of the score and gradient products.
    #[must_use]
    pub fn flops(&self) -> u64 {
        self.dispatches.iter().map(|dispatch| dispatch.flops).sum()
    }

    /// One of the plan's result buffers.
    pub(super) fn own_buffer(&self, slot: Slot) -> &wgpu::Buffer {
        &self.own[&slot]
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The context.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }
}
