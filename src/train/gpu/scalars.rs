//! The learnable scalars of a loss on the device: [`GpuScalars`].

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use crate::{
    DynLoss, Error, Real, Result,
    gpu::{
        Context, Pipeline, Slice, Stage,
        compose::{Variant, compose},
        job::JOB_STRIDE,
        read_back,
    },
    loss::constants,
    shape::{MAX_CONSTANTS, MAX_THETA},
    train::{LossState, Moments, Optimiser, adam::Constants},
};

/// θ on a device with its gradient and moments, in f32: a step reads nothing back.
#[derive(Debug)]
pub struct GpuScalars {
    context: Context,
    optimiser: Optimiser,
    steps: u64,
    update: Update,
    uniform: wgpu::Buffer,
    pipeline: Arc<Pipeline>,
    bindings: wgpu::BindGroup,
    theta: Slice,
    gradient: Slice,
    moments: Slice,
}

/// Constants of one step. Twin of the struct in `shaders/stages/theta_step.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Update {
    constants: [f32; MAX_CONSTANTS],
    shares: [f32; MAX_THETA],
    step: Constants,
}

impl GpuScalars {
    /// Goes on from `state`, which was checked; none for a loss without scalars.
    ///
    /// # Errors
    /// The loss's text does not compile.
    pub fn new(
        context: &Context,
        loss: &dyn DynLoss,
        optimiser: Optimiser,
        state: &LossState,
    ) -> Result<Option<Self>> {
        let count = state.scalars.len();
        if count == 0 {
            return Ok(None);
        }
        let mut update = Update::default();
        let single = |x: f64| <f32 as Real>::from_f64(x);
        for (to, from) in update.constants.iter_mut().zip(constants(loss)?) {
            *to = single(from);
        }
        for (to, from) in update.shares.iter_mut().zip(loss.scalars()) {
            *to = single(from.rate);
        }
        let moments: Vec<f32> = (state.scalar_moments.lists.iter().flatten())
            .map(|&x| single(x))
            .collect();
        let theta: Vec<f32> = state.scalars.iter().map(|&x| single(x)).collect();
        let pipeline = pipeline(context, loss, &optimiser, count)?;
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let slice = |label, words: usize| Slice {
            buffer: context.buffer(label, words as u64 * 4, usage),
            offset: 0,
            size: words as u64 * 4,
        };
        let gradient = slice("gradient of the scalars", count);
        let kept = slice("moments of the scalars", moments.len());
        let values = slice("scalars", count);
        let queue = context.queue();
        queue.write_buffer(&kept.buffer, 0, bytemuck::cast_slice(&moments));
        queue.write_buffer(&values.buffer, 0, bytemuck::cast_slice(&theta));
        let uniform = context.buffer(
            "scalars' update",
            JOB_STRIDE as u64,
            wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        );
        let bindings = bind(context, &pipeline, &uniform, [&gradient, &values, &kept]);
        Ok(Some(GpuScalars {
            context: context.clone(),
            optimiser,
            steps: state.scalar_moments.steps,
            update,
            uniform,
            pipeline,
            bindings,
            theta: values,
            gradient,
            moments: kept,
        }))
    }

    /// Where θ is.
    pub fn theta(&self) -> &Slice {
        &self.theta
    }

    /// Where its gradient is to be when a step runs.
    pub fn gradient(&self) -> &Slice {
        &self.gradient
    }

    /// Records a step at the tables' learning rate. At most one step may be recorded between two
    /// submissions, since its constants are written ahead of the whole submission.
    ///
    /// # Errors
    /// [`Error::Domain`] for a rate that is negative or not finite.
    pub fn encode(&mut self, rate: f64, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        let optimiser = self.optimiser.with_learning_rate(rate);
        optimiser.validate()?;
        self.steps += 1;
        self.update.step = step_constants(&optimiser, self.steps);
        let queue = self.context.queue();
        queue.write_buffer(&self.uniform, 0, bytemuck::bytes_of(&self.update));
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("theta step"),
            timestamp_writes: None,
        });
        pass.set_pipeline(&self.pipeline.pipeline);
        pass.set_bind_group(0, &self.bindings, &[0]);
        pass.dispatch_workgroups(1, 1, 1);
        Ok(())
    }

    /// θ and what the optimiser remembers of it after all steps that were submitted; waits for the
    /// device.
    ///
    /// # Errors
    /// The device failed.
    pub fn read(&self) -> Result<(Vec<f64>, Moments<f64>)> {
        let numbers = |words: Vec<u32>| -> Vec<f64> {
            let numbers = words.into_iter().map(|word| f32::from_bits(word).into());
            numbers.collect()
        };
        let count = (self.theta.size / 4) as usize;
        let ranges = [self.theta.clone(), self.moments.clone()];
        let mut read = (read_back(&self.context, &ranges)?.into_iter()).map(numbers);
        let theta = read.next().unwrap_or_default();
        let lists = read.next().unwrap_or_default();
        let moments = Moments {
            steps: self.steps,
            lists: lists.chunks_exact(count).map(<[f64]>::to_vec).collect(),
        };
        Ok((theta, moments))
    }
}

/// The constants of step number `steps`, from 1; descent has its momentum in the place of β₁.
fn step_constants(optimiser: &Optimiser, steps: u64) -> Constants {
    match optimiser {
        Optimiser::Adam(options) => options.constants(steps),
        Optimiser::Sgd(options) => Constants {
            decay: options.weight_decay as f32,
            beta1: options.momentum as f32,
            rate: options.learning_rate as f32,
            ..Constants::default()
        },
    }
}

fn pipeline(
    context: &Context,
    loss: &dyn DynLoss,
    optimiser: &Optimiser,
    count: usize,
) -> Result<Arc<Pipeline>> {
    let mut flags = vec!["THETA_STEP"];
    match optimiser {
        Optimiser::Adam(_) => flags.push("ADAM"),
        Optimiser::Sgd(_) if optimiser.moments() > 0 => flags.push("MOMENTUM"),
        Optimiser::Sgd(_) => {}
    }
    let variant = Variant {
        flags,
        counts: vec![("THETAS", u32::try_from(count).unwrap_or(u32::MAX))],
    };
    let stage = Stage::ThetaStep;
    let text = compose(stage.name(), stage.source(), loss.wgsl(), &variant)
        .map_err(|message| Error::Gpu(format!("composing a shader: {message}")))?;
    context.pipeline(stage, text)
}

fn bind(
    context: &Context,
    pipeline: &Pipeline,
    uniform: &wgpu::Buffer,
    storage: [&Slice; 3],
) -> wgpu::BindGroup {
    // The stage has no job: what is bound in its place is not read.
    let buffers = [uniform, uniform].into_iter();
    let buffers = buffers.chain(storage.map(|slice| &slice.buffer));
    let entries: Vec<_> = (0u32..)
        .zip(buffers)
        .map(|(binding, buffer)| wgpu::BindGroupEntry {
            binding,
            resource: buffer.as_entire_binding(),
        })
        .collect();
    (context.device()).create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("theta step"),
        layout: &pipeline.layout,
        entries: &entries,
    })
}
