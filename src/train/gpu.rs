//! The backend on a GPU.

mod adam;
mod padded;
mod planned;
mod records;

pub use adam::GpuAdam;

use std::collections::VecDeque;

use super::{Backend, Embeddings, Start, Step};
use crate::{
    DynLoss, Error, Result, Shape, adapter,
    gpu::{Buffers, Context, Slice, read_back},
};
use padded::Capacity;
use planned::Planned;
use records::Records;

/// Steps that the device may be behind the host.
const AHEAD: usize = 8;

/// Trains on a device in f32. Embeddings, gradients and moments stay there: a step sends ids, in one
/// submission, and brings nothing back. The same steps give the same bits.
#[derive(Debug)]
pub struct GpuBackend<'a> {
    context: Context,
    loss: &'a dyn DynLoss,
    /// Of a step with one row and one pair.
    shape: Shape,
    /// Of queries and candidates, with the tables themselves.
    adam: [GpuAdam; 2],
    resident: Buffers,
    plans: Vec<Planned>,
    records: Records,
    submitted: VecDeque<wgpu::SubmissionIndex>,
}

impl<'a> GpuBackend<'a> {
    /// The state before the first step.
    ///
    /// # Errors
    /// As [`Start::validate`]; the device has no room.
    pub fn new(context: &Context, start: Start<'a>) -> Result<Self> {
        start.validate()?;
        let tables = &start.embeddings;
        let adam = [
            GpuAdam::new(context, &tables.queries, start.adam)?,
            GpuAdam::new(context, &tables.candidates, start.adam)?,
        ];
        let [queries, candidates] = &adam;
        let known = (
            upload(context, "known offsets", start.train.offsets())?,
            upload(context, "known items", start.train.ids())?,
        );
        let records = Records::new(context);
        let resident = records.watch(Buffers {
            queries: Some(queries.table().clone()),
            candidates: Some(candidates.table().clone()),
            exclude: Some(known),
            grad_queries: Some(queries.gradient().clone()),
            grad_candidates: Some(candidates.gradient().clone()),
            ..Buffers::default()
        });
        Ok(GpuBackend {
            context: context.clone(),
            loss: start.loss,
            shape: start.shape(),
            adam,
            resident,
            plans: Vec::new(),
            records,
            submitted: VecDeque::new(),
        })
    }

    /// The place of a plan for `step`. A new one takes the place of those of about its size, and
    /// has their room as well, so that there are few.
    fn plan(&mut self, step: &Step) -> Result<usize> {
        let suits = |plan: &Planned| plan.capacity().suits(step);
        if let Some(place) = self.plans.iter().position(suits) {
            return Ok(place);
        }
        let mut capacity = Capacity::of(step);
        self.plans.retain(|plan| {
            let joined = capacity.join(plan.capacity());
            capacity = joined.unwrap_or(capacity);
            joined.is_none()
        });
        let resident = self.resident.clone();
        let plan = Planned::new(&self.context, self.loss, &self.shape, capacity, resident)?;
        self.plans.push(plan);
        Ok(self.plans.len() - 1)
    }

    fn record(&mut self, step: &Step) -> Result<wgpu::CommandBuffer> {
        let place = self.plan(step)?;
        let mut encoder = (self.context.device()).create_command_encoder(&Default::default());
        self.plans[place].encode(step, &mut encoder)?;
        self.records.encode(&mut encoder)?;
        for adam in &mut self.adam {
            adam.encode(&mut encoder);
        }
        Ok(encoder.finish())
    }

    /// Keeps the host from running ahead, for what it has uploaded takes memory.
    fn pace(&mut self, submitted: wgpu::SubmissionIndex) -> Result<()> {
        self.submitted.push_back(submitted);
        if self.submitted.len() <= AHEAD {
            return Ok(());
        }
        self.context.wait(self.submitted.pop_front())
    }
}

impl Backend for GpuBackend<'_> {
    fn step(&mut self, step: &Step) -> Result<()> {
        let scope = (self.context.device()).push_error_scope(wgpu::ErrorFilter::Validation);
        let submitted = (self.record(step)).map(|commands| self.context.queue().submit([commands]));
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(self.context.failure(error.to_string()));
        }
        self.pace(submitted?)
    }

    fn take_losses(&mut self) -> Result<Vec<f32>> {
        self.records.take()
    }

    fn embeddings(&mut self) -> Result<Embeddings> {
        let tables = self.adam.each_ref().map(|adam| adam.table().clone());
        let mut tables = read_back(&self.context, &tables)?
            .into_iter()
            .map(|words| words.into_iter().map(f32::from_bits).collect());
        Ok(Embeddings {
            dim: self.shape.dim,
            queries: tables.next().unwrap_or_default(),
            candidates: tables.next().unwrap_or_default(),
        })
    }

    fn loss(&self) -> &dyn DynLoss {
        self.loss
    }

    fn describe(&self) -> String {
        adapter::describe(&self.context.device().adapter_info())
    }
}

/// A list that stages read.
fn upload(context: &Context, label: &'static str, list: &[u32]) -> Result<Slice> {
    let (bytes, limit) = (list.len() as u64 * 4, context.limits().max_binding);
    if bytes > limit {
        return Err(Error::TooLarge {
            what: label.into(),
            bytes,
            limit,
        });
    }
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
    let scope = (context.device()).push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let buffer = context.buffer(label, bytes, usage);
    if let Some(error) = pollster::block_on(scope.pop()) {
        return Err(Error::OutOfMemory(format!("{label}: {error}")));
    }
    (context.queue()).write_buffer(&buffer, 0, bytemuck::cast_slice(list));
    Ok(Slice::whole(&buffer))
}
