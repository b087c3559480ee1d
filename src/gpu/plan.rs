//! A plan: the pipelines, scratch and dispatches of one (loss, shape), ready to be recorded.

use super::{
    Context, Family, Pipeline,
    compose::{Variant, compose},
    job::JOB_STRIDE,
    schedule::{Dispatch, Schedule, WEIGHT_SPAN},
    sizes::{Limits, PRODUCT_BLOCK, Piece, SUM_BLOCK, Sizes, TILE},
    slot::Slot,
};
use crate::{
    DynLoss, Error, Result, Shape, Want,
    shape::{MAX_CONSTANTS, MAX_THETA},
};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// How a table lies in its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableLayout {
    /// Elements between the starts of two rows.
    pub stride: usize,
    /// Whether elements are f16 (two per word), otherwise f32.
    pub half: bool,
}

/// How the tables of a batch lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableLayouts {
    /// The query table.
    pub queries: TableLayout,
    /// The candidate table.
    pub candidates: TableLayout,
    /// The second query table.
    pub second_queries: TableLayout,
    /// The second candidate table.
    pub second_candidates: TableLayout,
    dim: usize,
}

impl TableLayouts {
    /// Dense f32 tables.
    #[must_use]
    pub fn dense(shape: &Shape) -> Self {
        let dense = |stride: usize| TableLayout {
            stride,
            half: false,
        };
        let second = dense(shape.second_dim.unwrap_or(1));
        TableLayouts {
            queries: dense(shape.dim),
            candidates: dense(shape.dim),
            second_queries: second,
            second_candidates: second,
            dim: shape.dim,
        }
    }

    pub(super) fn of(&self, slot: Slot) -> TableLayout {
        match slot {
            Slot::QueryTable => self.queries,
            Slot::CandidateTable => self.candidates,
            Slot::SecondQueryTable => self.second_queries,
            Slot::SecondCandidateTable => self.second_candidates,
            _ => TableLayout {
                stride: self.dim,
                half: false,
            },
        }
    }
}

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

/// A range of a buffer. Offsets are multiples of the device's storage buffer alignment (at most
/// 256); `u32` lists are copied and need multiples of 4 only.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// The buffer.
    pub buffer: wgpu::Buffer,
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
}

impl Slice {
    /// The whole buffer.
    #[must_use]
    pub fn whole(buffer: &wgpu::Buffer) -> Self {
        Slice {
            buffer: buffer.clone(),
            offset: 0,
            size: buffer.size(),
        }
    }
}

/// Inputs and gradients on the device. Everything may be ranges of one buffer. Tables, weights,
/// upstream, `log_q` and exclusion lists need usage `STORAGE`, lists `COPY_SRC`, gradients
/// `STORAGE | COPY_DST`, results `COPY_DST`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buffers {
    /// U × D.
    pub queries: Option<Slice>,
    /// N × D.
    pub candidates: Option<Slice>,
    /// Second tables.
    pub second: Option<(Slice, Slice)>,
    /// B query ids, for a shape with `indexed_rows`.
    pub rows: Option<Slice>,
    /// P candidate ids.
    pub positives: Option<Slice>,
    /// B + 1 offsets, for a shape with `many_positives`.
    pub positive_offsets: Option<Slice>,
    /// Listed columns: K shared, or B × per-row sampled ids.
    pub columns: Option<Slice>,
    /// Exclusion lists: offsets and ids.
    pub exclude: Option<(Slice, Slice)>,
    /// N log probabilities.
    pub log_q: Option<Slice>,
    /// P weights.
    pub weights: Option<Slice>,
    /// P upstream gradients.
    pub upstream: Option<Slice>,
    /// θ, f32.
    pub theta: Option<Slice>,
    /// U × D, dense f32.
    pub grad_queries: Option<Slice>,
    /// N × D, dense f32.
    pub grad_candidates: Option<Slice>,
    /// Where the value goes, 4 bytes.
    pub value: Option<Slice>,
    /// Where the whole evaluation's counts of ids out of range and of numbers that are not finite
    /// go, two `u32`.
    pub status: Option<Slice>,
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

/// Offset of θ within the parameters.
const THETA_AT: u64 = (MAX_CONSTANTS * 4) as u64;
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
    loss.check(shape)?;
    let spec = loss.spec();
    spec.check(shape)?;
    let sizes = Sizes::new(shape, &spec, options, u64::from(lanes), limits);
    let mut schedule = Schedule {
        shape,
        spec: &spec,
        sizes: &sizes,
        layouts,
        limits,
        lanes: u64::from(lanes),
        want: options.want,
        list: Vec::new(),
    };
    let forward = schedule.build()?;
    let dispatches = schedule.list;
    let gradients = options.want != Want::NOTHING;
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

/// A caller's list: name, range, the plan's copy, words.
type List<'a> = (&'static str, &'a Option<Slice>, Option<Slot>, usize);

/// The range, if it is there, large enough and aligned.
fn check_range<'a>(
    argument: &'static str,
    slice: Option<&'a Slice>,
    needed: u64,
    alignment: u64,
) -> Result<&'a Slice> {
    let Some(slice) = slice else {
        return Err(Error::Shape {
            argument,
            expected: format!("a buffer range of {needed} bytes"),
            actual: "none".into(),
        });
    };
    let room = slice.buffer.size().saturating_sub(slice.offset);
    let room = room.min(slice.size);
    if room < needed || slice.offset % alignment != 0 {
        return Err(Error::Shape {
            argument,
            expected: format!("{needed} bytes at a multiple of {alignment}"),
            actual: format!("{room} bytes at {}", slice.offset),
        });
    }
    Ok(slice)
}

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
        let gradients = options.want != Want::NOTHING;
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
            options: *options,
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
        let scales = [scale, 1.0, 0.0, 0.0];
        let at = THETA_AT + (MAX_THETA * 4) as u64;
        queue.write_buffer(&self.parameters, at, bytemuck::cast_slice(&scales));
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
            "{:?}-rows{}-pairs{}-span{}x{}",
            self.context.family(),
            s.row_chunk,
            s.pair_chunk,
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
        let want = self.options.want;
        for (grad, wanted) in [
            (&buffers.grad_queries, want.queries),
            (&buffers.grad_candidates, want.candidates),
        ] {
            if let (Some(grad), true) = (grad, wanted) {
                encoder.clear_buffer(&grad.buffer, grad.offset, Some(grad.size));
            }
        }
    }

    /// The caller's lists and θ: name, range, own buffer that they are copied to (none for θ, which
    /// goes into the parameters), and words, 0 where the shape has no such list.
    fn lists<'a>(&self, buffers: &'a Buffers) -> [List<'a>; 5] {
        let shape = &self.shape;
        let given = |on: bool, words: usize| if on { words } else { 0 };
        let columns = match shape.columns {
            crate::ColumnKind::All => 0,
            crate::ColumnKind::Shared(n) => n,
            crate::ColumnKind::Sampled(n) => n * shape.rows,
        };
        let own = |slot: Slot| Some(slot);
        let rows = given(shape.indexed_rows, shape.rows);
        let offsets = given(shape.many_positives, shape.rows + 1);
        [
            (
                "positives",
                &buffers.positives,
                own(Slot::PositiveIds),
                shape.pairs,
            ),
            ("rows", &buffers.rows, own(Slot::RowIds), rows),
            (
                "positive offsets",
                &buffers.positive_offsets,
                own(Slot::PairOffsets),
                offsets,
            ),
            ("columns", &buffers.columns, own(Slot::ColumnIds), columns),
            ("theta", &buffers.theta, None, shape.thetas),
        ]
    }

    /// Checks what is copied: nothing behind this names the argument.
    fn check_copied(&self, buffers: &Buffers) -> Result<()> {
        for (name, slice, _, words) in self.lists(buffers) {
            if words > 0 {
                check_range(name, slice.as_ref(), words as u64 * 4, 4)?;
            }
        }
        if buffers.value.is_some() {
            check_range("value", buffers.value.as_ref(), 4, 4)?;
        }
        Ok(())
    }

    /// The bind groups for these buffers; kept until other buffers come.
    fn bind(&self, buffers: &Buffers) -> Result<Arc<Vec<wgpu::BindGroup>>> {
        let mut bound = self
            .bound
            .lock()
            .map_err(|_| Error::Gpu("bind groups of a plan".into()))?;
        if let Some((known, groups)) = &*bound
            && known == buffers
        {
            return Ok(Arc::clone(groups));
        }
        self.check_copied(buffers)?;
        let groups = self
            .dispatches
            .iter()
            .zip(&self.pipelines)
            .map(|(dispatch, pipeline)| self.bind_group(dispatch, pipeline, buffers))
            .collect::<Result<Vec<_>>>()?;
        let groups = Arc::new(groups);
        *bound = Some((buffers.clone(), Arc::clone(&groups)));
        Ok(groups)
    }

    fn bind_group(
        &self,
        dispatch: &Dispatch,
        pipeline: &Pipeline,
        buffers: &Buffers,
    ) -> Result<wgpu::BindGroup> {
        let ranges = dispatch
            .binds
            .iter()
            .map(|bind| match bind.slot.is_callers() {
                true => self.callers(buffers, bind.slot, bind.piece),
                false => Ok((self.own[&bind.slot].clone(), 0, None)),
            })
            .collect::<Result<Vec<_>>>()?;
        let binding = |buffer, offset, size: Option<u64>| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset,
                size: size.and_then(wgpu::BufferSize::new),
            })
        };
        let mut entries = vec![
            wgpu::BindGroupEntry {
                binding: 0,
                resource: binding(&self.jobs, 0, Some(JOB_STRIDE as u64)),
            },
            wgpu::BindGroupEntry {
                binding: 1,
                resource: binding(&self.parameters, 0, Some(PARAMETER_BYTES)),
            },
        ];
        for (at, (buffer, offset, size)) in ranges.iter().enumerate() {
            entries.push(wgpu::BindGroupEntry {
                binding: u32::try_from(at + 2).unwrap_or(u32::MAX),
                resource: binding(buffer, *offset, *size),
            });
        }
        Ok(self
            .context
            .device
            .create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(dispatch.stage.name()),
                layout: &pipeline.layout,
                entries: &entries,
            }))
    }

    /// A caller's range, or a piece of it, with its size checked.
    fn callers(
        &self,
        buffers: &Buffers,
        slot: Slot,
        piece: Option<Piece>,
    ) -> Result<(wgpu::Buffer, u64, Option<u64>)> {
        let (name, slice, needed) = self.named(buffers, slot);
        let alignment = u64::from(
            self.context
                .device
                .limits()
                .min_storage_buffer_offset_alignment,
        );
        let slice = check_range(name, slice, needed, alignment)?;
        let (begin, end) = match piece {
            None => (0, needed),
            Some(piece) => {
                let layout = self.layouts.of(slot);
                let row = layout.stride as u64 * if layout.half { 2 } else { 4 };
                (
                    piece.begin * row,
                    ((piece.begin + piece.count) * row).min(needed),
                )
            }
        };
        let size = (end - begin).next_multiple_of(4).max(4);
        Ok((slice.buffer.clone(), slice.offset + begin, Some(size)))
    }

    /// Name, range and needed bytes of a caller's slot.
    fn named<'a>(
        &self,
        buffers: &'a Buffers,
        slot: Slot,
    ) -> (&'static str, Option<&'a Slice>, u64) {
        let shape = &self.shape;
        let table = |rows: usize, dim: usize| {
            let layout = self.layouts.of(slot);
            let elements = ((rows - 1) * layout.stride + dim) as u64;
            if layout.half {
                (elements * 2).next_multiple_of(4)
            } else {
                elements * 4
            }
        };
        let (u, n, d) = (shape.queries, shape.candidates, shape.dim);
        let second = shape.second_dim.unwrap_or(1);
        let lists = if shape.exclude_by_query {
            u
        } else {
            shape.rows
        };
        let words = |count: usize| count as u64 * 4;
        match slot {
            Slot::QueryTable => ("queries", buffers.queries.as_ref(), table(u, d)),
            Slot::CandidateTable => ("candidates", buffers.candidates.as_ref(), table(n, d)),
            Slot::SecondQueryTable => (
                "adv_queries",
                buffers.second.as_ref().map(|s| &s.0),
                table(u, second),
            ),
            Slot::SecondCandidateTable => (
                "adv_candidates",
                buffers.second.as_ref().map(|s| &s.1),
                table(n, second),
            ),
            Slot::PairWeights => ("weights", buffers.weights.as_ref(), words(shape.pairs)),
            Slot::Upstream => ("upstream", buffers.upstream.as_ref(), words(shape.pairs)),
            Slot::LogQ => ("log_q", buffers.log_q.as_ref(), words(n)),
            Slot::ExcludeOffsets => (
                "exclude offsets",
                buffers.exclude.as_ref().map(|e| &e.0),
                words(lists + 1),
            ),
            Slot::ExcludeIds => (
                "exclude ids",
                buffers.exclude.as_ref().map(|e| &e.1),
                words(shape.excluded.unwrap_or(0)),
            ),
            Slot::GradQueries => ("grad_queries", buffers.grad_queries.as_ref(), words(u * d)),
            _ => (
                "grad_candidates",
                buffers.grad_candidates.as_ref(),
                words(n * d),
            ),
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

/// The final WGSL of a dispatch's stage. Pure text: what plans compile, tests validate without a
/// device, and a reader may want to see.
///
/// # Errors
/// A directive of the stage or of the loss's text that does not parse.
pub fn shader_text(
    loss: &dyn DynLoss,
    dispatch: &Dispatch,
    sizes: &Sizes,
    family: Family,
) -> Result<String> {
    let stage = dispatch.stage;
    let text = if stage.has_loss() { loss.wgsl() } else { "" };
    let variant = variant(loss, dispatch, sizes, family);
    compose(stage.name(), stage.source(), text, &variant)
        .map_err(|message| Error::Gpu(format!("composing a shader: {message}")))
}

/// The flags and counts of a dispatch's text.
fn variant(loss: &dyn DynLoss, dispatch: &Dispatch, sizes: &Sizes, family: Family) -> Variant {
    let count = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let mut flags = dispatch.flags.clone();
    let mut counts = vec![
        ("ROWS", count(TILE)),
        ("COL_GROUPS", count(sizes.column_groups())),
        ("UNROLL", 1),
        ("PARTS", count(sizes.parts())),
        ("PART_PAIRS", count(sizes.parts() / 2)),
        ("SUM_BLOCK", count(SUM_BLOCK)),
        ("PRODUCT_BLOCK", count(PRODUCT_BLOCK)),
        ("LANES", family.lanes()),
    ];
    if let Family::Subgroup { .. } = family {
        flags.push("SUBGROUPS");
    }
    if dispatch.stage.has_loss() {
        let spec = loss.spec();
        counts.extend([
            ("THETAS", count(spec.thetas as u64)),
            ("STATISTIC_SIZE", count(sizes.statistic)),
            ("WEIGHT_SPAN", count(WEIGHT_SPAN)),
        ]);
        if sizes.resident() && dispatch.stage.has_tile() {
            counts.push(("DIM4", count(sizes.dim4)));
        }
        for (on, name) in [
            (spec.separable, "SEPARABLE"),
            (sizes.is_sum(), "SUM"),
            (spec.second.is_some(), "SECOND"),
            (sizes.resident() && dispatch.stage.has_tile(), "RESIDENT"),
        ] {
            if on {
                flags.push(name);
            }
        }
    }
    Variant { flags, counts }
}

fn compile(
    context: &Context,
    loss: &dyn DynLoss,
    dispatch: &Dispatch,
    sizes: &Sizes,
) -> Result<Arc<Pipeline>> {
    let stage = dispatch.stage;
    let text = shader_text(loss, dispatch, sizes, context.family())?;
    let pipeline = context.pipeline(stage, text)?;
    if pipeline.storage != dispatch.binds.len() {
        return Err(Error::Gpu(format!(
            "{}: the shader has {} bindings, the schedule {}",
            stage.name(),
            pipeline.storage,
            dispatch.binds.len()
        )));
    }
    Ok(pipeline)
}
