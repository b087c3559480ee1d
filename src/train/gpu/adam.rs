//! Adam on the device: [`GpuAdam`].

use std::sync::Arc;

use crate::{
    Error, Result,
    gpu::{
        Context, Pipeline, Slice, Stage,
        compose::{Variant, compose},
        job::{JOB_STRIDE, Job},
    },
    train::AdamOptions,
};

/// Values that one invocation updates.
const PER_LANE: u32 = 16;
/// Pieces of a table begin at multiples of this many values: 256 bytes, the largest alignment that
/// a device may ask for.
const ALIGNED: u64 = 64;

/// Adam for one table on a device, with the table's gradient and moments: the same updates as
/// [`Adam`](super::super::Adam), up to the last bit or two of each.
#[derive(Debug)]
pub struct GpuAdam {
    context: Context,
    options: AdamOptions,
    steps: u64,
    constants: wgpu::Buffer,
    pipeline: Arc<Pipeline>,
    pieces: Vec<Piece>,
    table: Slice,
    gradient: Slice,
}

/// A part of the table that one dispatch updates.
#[derive(Debug)]
struct Piece {
    bindings: wgpu::BindGroup,
    grid: [u32; 2],
}

impl GpuAdam {
    /// The state before the first step on `table`, with all zero moments and gradient.
    ///
    /// # Errors
    /// [`Error::Domain`] for settings outside their domain, [`Error::TooLarge`] and
    /// [`Error::OutOfMemory`] for a table that the device has no room for.
    pub fn new(context: &Context, table: &[f32], options: AdamOptions) -> Result<Self> {
        options.validate()?;
        let size = table.len() as u64 * 4;
        let limit = context.limits().max_buffer;
        if size > limit {
            return Err(Error::TooLarge {
                what: "a table of embeddings".into(),
                bytes: size,
                limit,
            });
        }
        let variant = Variant {
            flags: Vec::new(),
            counts: vec![("PER_LANE", PER_LANE), ("LANES", context.family().lanes())],
        };
        let stage = Stage::Adam;
        let text = compose(stage.name(), stage.source(), "", &variant)
            .map_err(|message| Error::Gpu(format!("composing a shader: {message}")))?;
        let pipeline = context.pipeline(stage, text)?;
        let scope = context
            .device()
            .push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let slice = |label| Slice {
            buffer: context.buffer(label, size, storage()),
            offset: 0,
            size,
        };
        let [parameters, gradient, mean, square] =
            ["parameters", "gradient", "mean", "square"].map(slice);
        let cuts = cut(context, table.len() as u64);
        let jobs = context.buffer("adam jobs", (cuts.len() * JOB_STRIDE) as u64, uniform());
        let constants = context.buffer("adam constants", JOB_STRIDE as u64, uniform());
        if let Some(error) = pollster::block_on(scope.pop()) {
            let bytes = 4 * size;
            return Err(Error::OutOfMemory(format!(
                "{bytes} bytes for a table and its optimiser: {error}"
            )));
        }
        let queue = context.queue();
        queue.write_buffer(&parameters.buffer, 0, bytemuck::cast_slice(table));
        for (at, (_, job)) in cuts.iter().enumerate() {
            queue.write_buffer(&jobs, (at * JOB_STRIDE) as u64, bytemuck::bytes_of(job));
        }
        let state = [&gradient, &parameters, &mean, &square].map(|slice| &slice.buffer);
        let pieces = (cuts.iter())
            .map(|(begin, job)| Piece {
                bindings: bind(context, &pipeline, [&jobs, &constants], state, *begin, job),
                grid: [job.grid_x, job.groups.div_ceil(job.grid_x)],
            })
            .collect();
        Ok(GpuAdam {
            context: context.clone(),
            options,
            steps: 0,
            constants,
            pipeline,
            pieces,
            table: parameters,
            gradient,
        })
    }

    /// Records a step. At most one step may be recorded between two submissions, since its
    /// constants are written ahead of the whole submission.
    pub fn encode(&mut self, encoder: &mut wgpu::CommandEncoder) {
        self.steps += 1;
        let constants = self.options.constants(self.steps);
        let bytes = bytemuck::bytes_of(&constants);
        self.context.queue().write_buffer(&self.constants, 0, bytes);
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("adam"),
            timestamp_writes: None,
        });
        pass.set_pipeline(&self.pipeline.pipeline);
        for (at, piece) in self.pieces.iter().enumerate() {
            let offset = u32::try_from(at * JOB_STRIDE).unwrap_or(u32::MAX);
            pass.set_bind_group(0, &piece.bindings, &[offset]);
            pass.dispatch_workgroups(piece.grid[0], piece.grid[1], 1);
        }
    }

    /// The table.
    pub fn table(&self) -> &Slice {
        &self.table
    }

    /// Where the table's gradient is to be when a step runs.
    pub fn gradient(&self) -> &Slice {
        &self.gradient
    }
}

fn storage() -> wgpu::BufferUsages {
    wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST
}

fn uniform() -> wgpu::BufferUsages {
    wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST
}

/// First value and job of each piece that fits a binding and has a number below 2³¹ for every
/// value.
fn cut(context: &Context, len: u64) -> Vec<(u64, Job)> {
    let limits = context.limits();
    let most = (limits.max_binding / 4).min(1 << 31) / ALIGNED * ALIGNED;
    let most = most.max(ALIGNED);
    let per_group = u64::from(context.family().lanes() * PER_LANE);
    let pieces = (0..len.div_ceil(most)).map(|piece| {
        let begin = piece * most;
        let count = most.min(len - begin);
        // Counts of at most 2³¹ values fit.
        let groups = count.div_ceil(per_group) as u32;
        let job = Job {
            grid_x: groups.min(limits.max_groups),
            groups,
            item_count: count as u32,
            ..Job::default()
        };
        (begin, job)
    });
    pieces.collect()
}

/// What one dispatch binds: its piece of every buffer.
fn bind(
    context: &Context,
    pipeline: &Pipeline,
    uniforms: [&wgpu::Buffer; 2],
    state: [&wgpu::Buffer; 4],
    begin: u64,
    job: &Job,
) -> wgpu::BindGroup {
    let range = |buffer, offset, size| {
        wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer,
            offset,
            size: wgpu::BufferSize::new(size),
        })
    };
    let uniforms = uniforms.map(|buffer| range(buffer, 0, JOB_STRIDE as u64));
    let state = state.map(|buffer| range(buffer, begin * 4, u64::from(job.item_count) * 4));
    let entries: Vec<_> = (0u32..)
        .zip(uniforms.into_iter().chain(state))
        .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
        .collect();
    (context.device()).create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("adam"),
        layout: &pipeline.layout,
        entries: &entries,
    })
}
