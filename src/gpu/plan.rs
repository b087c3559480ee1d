//! A plan: the pipelines, scratch and dispatches of one (loss, shape), ready to be recorded.

mod bind;
mod text;

use super::{
    Buffers, Context, Pipeline, TableLayouts,
    job::JOB_STRIDE,
    schedule::{Dispatch, Schedule},
    sizes::{Limits, Sizes},
    slot::Slot,
    tables::Slice,
};
use crate::{
    DynLoss, Error, Result, Shape, Want,
    shape::{MAX_CONSTANTS, MAX_THETA},
};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

use text::compile;
pub use text::shader_text;

/// What a plan is for, beside loss and shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// Budget of the scratch that does not grow with the batch, bytes.
    pub scratch_bytes: u64,
    /// Which gradients.
    pub want: Want,
    /// Add to the caller's gradients instead of replacing them.
    pub accumulate: bool,
}

impl Default for PlanOptions {
    fn default() -> Self {
        PlanOptions {
            scratch_bytes: 64 << 20,
            want: Want::BOTH,
            accumulate: false,
        }
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

/// Sizes and dispatches of a plan, before anything is allocated.
#[derive(Debug)]
pub struct Estimate {
    /// The cuts.
    pub sizes: Sizes,
    /// The dispatches.
    pub dispatches: Vec<Dispatch>,
    /// How many of them give the value.
    pub forward: usize,
    /// Bytes that the plan will allocate.
    pub bytes: u64,
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

/// What a plan would do and allocate. Allocates nothing.
///
/// # Errors
/// The loss refuses the shape, or a buffer exceeds the limits.
pub fn estimate(
    loss: &dyn DynLoss,
    shape: &Shape,
    layouts: &TableLayouts,
    options: &PlanOptions,
    lanes: u32,
    limits: &Limits,
) -> Result<Estimate> {
    shape.check()?;
    loss.check(shape)?;
    let spec = loss.spec();
    spec.check(shape)?;
    layouts.check(shape)?;
    let sizes = Sizes::new(shape, &spec, options, u64::from(lanes), limits);
    let want = options.want.of(shape);
    want.check(shape)?;
    numbers_fit(shape, limits)?;
    let mut schedule = Schedule {
        shape,
        spec: &spec,
        sizes: &sizes,
        layouts,
        limits,
        lanes: u64::from(lanes),
        want,
        accumulate: options.accumulate,
        list: Vec::new(),
    };
    let forward = schedule.build()?;
    let dispatches = schedule.list;
    let gradients = want != Want::NOTHING;
    let mut bytes = PARAMETER_BYTES + (dispatches.len() * JOB_STRIDE) as u64;
    for slot in Slot::own() {
        let own = sizes.bytes_of(slot, gradients);
        if own > limits.max_binding {
            return Err(Error::TooLarge {
                what: format!("buffer {slot:?} of the plan"),
                bytes: own,
                limit: limits.max_binding,
            });
        }
        bytes += allocated(own);
    }
    Ok(Estimate {
        sizes,
        dispatches,
        forward,
        bytes,
    })
}

/// Checks that the caller's numbers, which are bound whole, fit a binding.
fn numbers_fit(shape: &Shape, limits: &Limits) -> Result<()> {
    let given = |on: bool, count: usize| if on { count as u64 * 4 } else { 0 };
    for (what, bytes) in [
        ("log_q", given(shape.log_q, shape.candidates)),
        (
            "column_parameters",
            given(shape.column_parameters, shape.candidates),
        ),
        (
            "column_scores",
            given(shape.given.is_some(), shape.rows * shape.columns()),
        ),
        (
            "entry_constants",
            given(shape.entry_constants, shape.rows * shape.columns()),
        ),
    ] {
        if bytes > limits.max_binding {
            return Err(Error::TooLarge {
                what: format!("{what} in one binding"),
                bytes,
                limit: limits.max_binding,
            });
        }
    }
    Ok(())
}

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

/// What a buffer of `bytes` takes.
fn allocated(bytes: u64) -> u64 {
    bytes.max(JOB_STRIDE as u64).next_multiple_of(4)
}

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
        let Estimate {
            sizes,
            dispatches,
            forward,
            bytes,
        } = estimate(
            loss,
            shape,
            layouts,
            options,
            context.family().lanes(),
            context.limits(),
        )?;
        context.check_lost()?;
        let pipelines = dispatches
            .iter()
            .map(|dispatch| compile(context, loss, dispatch, &sizes))
            .collect::<Result<Vec<_>>>()?;
        let scope = context
            .device
            .push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let gradients = options.want.of(shape) != Want::NOTHING;
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
                want: options.want.of(shape),
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

    /// Family, row chunk and spans: what the bits depend on beside the inputs.
    #[must_use]
    pub fn id(&self) -> String {
        let s = &self.sizes;
        format!(
            "{:?}-rows{}-span{}x{}",
            self.context.family(),
            s.row_chunk,
            s.spans,
            s.span_width
        )
        .replace([' ', '{', '}'], "")
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

    /// Consecutive parts of at most about `flops` each, to stay below a watchdog.
    #[must_use]
    pub fn split(&self, flops: u64) -> Vec<Range<usize>> {
        let (mut parts, mut begin, mut sum) = (Vec::new(), 0, 0);
        for (at, dispatch) in self.dispatches.iter().enumerate() {
            if sum > 0 && sum + dispatch.flops > flops {
                parts.push(begin..at);
                (begin, sum) = (at, 0);
            }
            sum += dispatch.flops;
        }
        parts.push(begin..self.dispatches.len());
        parts
    }

    /// Records the whole evaluation; neither submits nor waits.
    ///
    /// # Errors
    /// A missing or too small buffer, a bad offset, a lost device.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder, buffers: &Buffers) -> Result<()> {
        self.encode_part(encoder, buffers, 0..self.parts())
    }

    /// Records the part of the evaluation that gives value and row losses.
    ///
    /// # Errors
    /// As [`Plan::encode`].
    pub fn encode_forward(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        buffers: &Buffers,
    ) -> Result<()> {
        self.encode_part(encoder, buffers, 0..self.forward)
    }

    /// Records some of the dispatches, in order.
    ///
    /// # Errors
    /// As [`Plan::encode`].
    pub fn encode_part(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        buffers: &Buffers,
        part: Range<usize>,
    ) -> Result<()> {
        self.context.check_lost()?;
        let groups = self.bind(buffers)?;
        if part.start == 0 {
            self.encode_copies(encoder, buffers);
        }
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("wgloss"),
                timestamp_writes: None,
            });
            for at in part.clone() {
                let dispatch = &self.dispatches[at];
                let offset = u32::try_from(at * JOB_STRIDE).unwrap_or(u32::MAX);
                pass.set_pipeline(&self.pipelines[at].pipeline);
                pass.set_bind_group(0, &groups[at], &[offset]);
                pass.dispatch_workgroups(dispatch.grid[0], dispatch.grid[1], 1);
            }
        }
        if let (Some(value), true) = (&buffers.value, part.end >= self.forward) {
            let scalars = &self.own[&Slot::BatchScalars];
            encoder.copy_buffer_to_buffer(scalars, 0, &value.buffer, value.offset, 4);
        }
        if let (Some(status), true) = (&buffers.status, part.end == self.parts()) {
            let counts = &self.own[&Slot::Status];
            encoder.copy_buffer_to_buffer(counts, 0, &status.buffer, status.offset, 8);
        }
        Ok(())
    }

    /// Copies lists and θ, clears counts and, unless added to, the gradients.
    fn encode_copies(&self, encoder: &mut wgpu::CommandEncoder, buffers: &Buffers) {
        for (_, from, slot, words) in self.lists(buffers) {
            if let (Some(from), true) = (from, words > 0) {
                let (to, at) = match slot {
                    Some(slot) => (&self.own[&slot], 0),
                    None => (&self.parameters, THETA_AT),
                };
                let bytes = words as u64 * 4;
                encoder.copy_buffer_to_buffer(&from.buffer, from.offset, to, at, bytes);
            }
        }
        encoder.clear_buffer(&self.own[&Slot::Status], 0, None);
        encoder.clear_buffer(&self.own[&Slot::Heads], 0, None);
        if self.options.accumulate {
            return;
        }
        for slot in GRADIENTS {
            // Between rows that lie apart is what is not ours; a stage clears those.
            let apart = matches!(slot, Slot::GradQueries | Slot::GradCandidates)
                && self.layouts.of(slot).stride != self.shape.dim;
            let (_, grad, bytes) = self.named(buffers, slot);
            if let (Some(grad), true) = (grad, !apart && self.options.want.wants(slot)) {
                encoder.clear_buffer(&grad.buffer, grad.offset, Some(bytes));
            }
        }
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
