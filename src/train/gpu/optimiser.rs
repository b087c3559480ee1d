//! Optimisers on the device: [`GpuOptimiser`].

use std::sync::Arc;

use crate::{
    Error, Result,
    gpu::{
        Context, Pipeline, Slice, Stage,
        compose::{Variant, compose},
        job::{JOB_STRIDE, Job},
        read_back,
    },
    train::{Moments, Optimiser},
};

/// Values that one invocation updates.
const PER_LANE: u32 = 16;
/// Pieces of a table begin at multiples of this many values: 256 bytes, the largest alignment that
/// a device may ask for.
const ALIGNED: u64 = 64;

/// An optimiser for one table on a device, with the table's gradient and moments: the same updates
/// as on the CPU, up to the last bit or two of each.
#[derive(Debug)]
pub struct GpuOptimiser {
    context: Context,
    optimiser: Optimiser,
    steps: u64,
    constants: wgpu::Buffer,
    pipeline: Arc<Pipeline>,
    pieces: Vec<Piece>,
    table: Slice,
    gradient: Slice,
    moments: Vec<Slice>,
}

/// A part of the table that one dispatch updates.
#[derive(Debug)]
struct Piece {
    bindings: wgpu::BindGroup,
    grid: [u32; 2],
}

impl GpuOptimiser {
    /// Goes on from `moments` with `table`; [`Moments::zero`] before the first step. The gradient
    /// is zero.
    ///
    /// # Errors
    /// [`Error::Domain`] for settings outside their domain, [`Error::Shape`] for moments that do
    /// not fit, [`Error::TooLarge`] and [`Error::OutOfMemory`] for a table that the device has no
    /// room for.
    pub fn new(
        context: &Context,
        table: &[f32],
        optimiser: Optimiser,
        moments: &Moments,
    ) -> Result<Self> {
        optimiser.validate()?;
        moments.check(&optimiser, table.len())?;
        let size = table.len() as u64 * 4;
        let limit = context.limits().max_buffer;
        if size > limit {
            return Err(Error::TooLarge {
                what: "a table of embeddings".into(),
                bytes: size,
                limit,
            });
        }
        let pipeline = pipeline(context, &optimiser)?;
        let scope = (context.device()).push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let slice = |label| Slice {
            buffer: context.buffer(label, size, storage()),
            offset: 0,
            size,
        };
        let [gradient, parameters] = ["gradient", "parameters"].map(slice);
        let kept: Vec<Slice> = moments.lists.iter().map(|_| slice("moments")).collect();
        let cuts = cut(context, table.len() as u64);
        let uniform = |label, count: usize| {
            let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
            context.buffer(label, (count * JOB_STRIDE) as u64, usage)
        };
        let jobs = uniform("optimiser jobs", cuts.len());
        let constants = uniform("optimiser constants", 1);
        if let Some(error) = pollster::block_on(scope.pop()) {
            let bytes = (2 + kept.len() as u64) * size;
            return Err(Error::OutOfMemory(format!(
                "{bytes} bytes for a table and its optimiser: {error}"
            )));
        }
        let queue = context.queue();
        queue.write_buffer(&parameters.buffer, 0, bytemuck::cast_slice(table));
        for (list, to) in moments.lists.iter().zip(&kept) {
            queue.write_buffer(&to.buffer, 0, bytemuck::cast_slice(list));
        }
        for (at, (_, job)) in cuts.iter().enumerate() {
            queue.write_buffer(&jobs, (at * JOB_STRIDE) as u64, bytemuck::bytes_of(job));
        }
        let state: Vec<&wgpu::Buffer> = [&gradient, &parameters]
            .into_iter()
            .chain(&kept)
            .map(|slice| &slice.buffer)
            .collect();
        let pieces = (cuts.iter())
            .map(|(begin, job)| Piece {
                bindings: bind(context, &pipeline, [&jobs, &constants], &state, *begin, job),
                grid: [job.grid_x, job.groups.div_ceil(job.grid_x)],
            })
            .collect();
        Ok(GpuOptimiser {
            context: context.clone(),
            optimiser,
            steps: moments.steps,
            constants,
            pipeline,
            pieces,
            table: parameters,
            gradient,
            moments: kept,
        })
    }

    /// Records a step at a learning rate. At most one step may be recorded between two
    /// submissions, since its constants are written ahead of the whole submission.
    ///
    /// # Errors
    /// [`Error::Domain`] for a rate that is negative or not finite.
    pub fn encode(&mut self, rate: f64, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        let optimiser = self.optimiser.with_learning_rate(rate);
        optimiser.validate()?;
        self.steps += 1;
        let queue = self.context.queue();
        let write = |bytes: &[u8]| queue.write_buffer(&self.constants, 0, bytes);
        match optimiser {
            Optimiser::Adam(options) => write(bytemuck::bytes_of(&options.constants(self.steps))),
            Optimiser::Sgd(options) => write(bytemuck::bytes_of(&options.constants())),
        }
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("optimiser"),
            timestamp_writes: None,
        });
        pass.set_pipeline(&self.pipeline.pipeline);
        for (at, piece) in self.pieces.iter().enumerate() {
            let offset = u32::try_from(at * JOB_STRIDE).unwrap_or(u32::MAX);
            pass.set_bind_group(0, &piece.bindings, &[offset]);
            pass.dispatch_workgroups(piece.grid[0], piece.grid[1], 1);
        }
        Ok(())
    }

    /// The state after all steps that were submitted; waits for the device.
    ///
    /// # Errors
    /// The device failed.
    pub fn moments(&self) -> Result<Moments> {
        let lists = read_back(&self.context, &self.moments)?
            .into_iter()
            .map(|words| words.into_iter().map(f32::from_bits).collect())
            .collect();
        Ok(Moments {
            steps: self.steps,
            lists,
        })
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

fn pipeline(context: &Context, optimiser: &Optimiser) -> Result<Arc<Pipeline>> {
    let (stage, flags) = match optimiser {
        Optimiser::Adam(_) => (Stage::Adam, Vec::new()),
        Optimiser::Sgd(_) if optimiser.moments() == 0 => (Stage::Sgd, Vec::new()),
        Optimiser::Sgd(_) => (Stage::Sgd, vec!["MOMENTUM"]),
    };
    let variant = Variant {
        flags,
        counts: vec![("PER_LANE", PER_LANE), ("LANES", context.family().lanes())],
    };
    let text = compose(stage.name(), stage.source(), "", &variant)
        .map_err(|message| Error::Gpu(format!("composing a shader: {message}")))?;
    context.pipeline(stage, text)
}

fn storage() -> wgpu::BufferUsages {
    wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST
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
    state: &[&wgpu::Buffer],
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
    let size = u64::from(job.item_count) * 4;
    let state = (state.iter()).map(|&buffer| range(buffer, begin * 4, size));
    let entries: Vec<_> = (0u32..)
        .zip(uniforms.into_iter().chain(state))
        .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
        .collect();
    (context.device()).create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("optimiser"),
        layout: &pipeline.layout,
        entries: &entries,
    })
}
