//! The backend on a GPU.

mod optimiser;
mod padded;
mod planned;
mod records;
mod spare;

pub use optimiser::GpuOptimiser;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{Backend, Embeddings, Moments, Start, Step};
use crate::{
    ColumnKind, DynLoss, Error, Result, Shape, adapter,
    gpu::{Buffers, Context, Slice, read_back},
};
use padded::Capacity;
use planned::Planned;
use records::Records;

/// Steps that the device may be behind the host.
const AHEAD: usize = 8;
/// Plans that are kept, for steps of different sizes.
const PLANS: usize = 6;

/// Trains on a device in f32. Embeddings, gradients and moments stay there: a step sends ids, in one
/// submission, and brings nothing back. The same steps give the same bits.
#[derive(Debug)]
pub struct GpuBackend<'a> {
    context: Context,
    loss: &'a dyn DynLoss,
    /// Of a step with one row, one pair and one shared column.
    shape: Shape,
    /// Numbers of rows in the tables of the data.
    users: usize,
    items: usize,
    /// Of queries and candidates, with the tables themselves.
    optimisers: [GpuOptimiser; 2],
    resident: Buffers,
    /// The last used at the end.
    plans: Vec<Planned>,
    /// The names of all plans so far.
    ids: Vec<String>,
    records: Records,
    submitted: VecDeque<wgpu::SubmissionIndex>,
    uploading: Duration,
}

impl<'a> GpuBackend<'a> {
    /// The state before the next step.
    ///
    /// # Errors
    /// As [`Start::validate`]; the device has no room.
    pub fn new(context: &Context, start: Start<'a>) -> Result<Self> {
        start.validate()?;
        let (users, items) = (start.train.users(), start.train.items());
        let mut shape = start.shape();
        // A spare item, which every user knows, pads shared lists: it is masked in every row.
        let spare = usize::from(matches!(shape.columns, ColumnKind::Shared(_)));
        shape.candidates += spare;
        let start = spare::with_rows(start, spare);
        let new = |table, moments| GpuOptimiser::new(context, table, start.optimiser, moments);
        let optimisers = [
            new(&start.embeddings.queries, &start.moments[0])?,
            new(&start.embeddings.candidates, &start.moments[1])?,
        ];
        let records = Records::new(context);
        let resident = records.watch(resident(context, &start, spare, &optimisers)?);
        shape.excluded = shape.excluded.map(|count| count + spare * users);
        Ok(GpuBackend {
            context: context.clone(),
            loss: start.loss,
            shape,
            users,
            items,
            optimisers,
            resident,
            plans: Vec::new(),
            ids: Vec::new(),
            records,
            submitted: VecDeque::new(),
            uploading: Duration::ZERO,
        })
    }

    /// Puts the plan of `step` at the end of the list. It follows from the step alone, so that bits
    /// do not depend on the steps before.
    fn plan(&mut self, step: &Step) -> Result<()> {
        let capacity = Capacity::of(step, &self.shape);
        let known = |plan: &Planned| plan.capacity() == capacity;
        if let Some(place) = self.plans.iter().position(known) {
            self.plans[place..].rotate_left(1);
            return Ok(());
        }
        if self.plans.len() == PLANS {
            self.plans.remove(0);
        }
        let resident = self.resident.clone();
        let plan = Planned::new(&self.context, self.loss, &self.shape, capacity, resident)?;
        if !self.ids.contains(&plan.id()) {
            self.ids.push(plan.id());
        }
        self.plans.push(plan);
        Ok(())
    }

    fn record(&mut self, step: &Step, rate: f64) -> Result<wgpu::CommandBuffer> {
        self.plan(step)?;
        let mut encoder = (self.context.device()).create_command_encoder(&Default::default());
        if let Some(plan) = self.plans.last_mut() {
            let start = Instant::now();
            plan.upload(step, self.items as u32); // fits: items are numbered by u32
            self.uploading += start.elapsed();
            plan.encode(&mut encoder)?;
        }
        self.records.encode(&mut encoder)?;
        for optimiser in &mut self.optimisers {
            optimiser.encode(rate, &mut encoder)?;
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
    fn step(&mut self, step: &Step, rate: f64) -> Result<()> {
        let scope = (self.context.device()).push_error_scope(wgpu::ErrorFilter::Validation);
        let submitted =
            (self.record(step, rate)).map(|commands| self.context.queue().submit([commands]));
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(self.context.failure(error.to_string()));
        }
        self.pace(submitted?)
    }

    fn take_losses(&mut self) -> Result<Vec<f32>> {
        self.records.take()
    }

    fn embeddings(&mut self) -> Result<Embeddings> {
        let tables = self.optimisers.each_ref().map(|of| of.table().clone());
        let dim = self.shape.dim;
        let mut tables = read_back(&self.context, &tables)?
            .into_iter()
            .zip([self.users, self.items])
            .map(|(words, rows)| {
                let values = words.into_iter().take(rows * dim);
                values.map(f32::from_bits).collect()
            });
        Ok(Embeddings {
            dim,
            queries: tables.next().unwrap_or_default(),
            candidates: tables.next().unwrap_or_default(),
        })
    }

    fn moments(&mut self) -> Result<[Moments; 2]> {
        let [queries, candidates] = &self.optimisers;
        let mut moments = [queries.moments()?, candidates.moments()?];
        for list in &mut moments[1].lists {
            list.truncate(self.items * self.shape.dim);
        }
        Ok(moments)
    }

    fn upload_time(&self) -> Duration {
        self.uploading
    }

    fn loss(&self) -> &dyn DynLoss {
        self.loss
    }

    fn plans(&self) -> Vec<String> {
        self.ids.clone()
    }

    fn describe(&self) -> String {
        adapter::describe(&self.context.device().adapter_info())
    }
}

/// What stays on the device: tables, gradients, and what is no negative for whom.
fn resident(
    context: &Context,
    start: &Start<'_>,
    spare: usize,
    [queries, candidates]: &[GpuOptimiser; 2],
) -> Result<Buffers> {
    let exclude = match start.negatives.per_row() {
        // Drawn without the user's items.
        Some(_) => None,
        None => {
            let (offsets, ids) = spare::known(start.train, spare);
            Some((
                upload(context, "known offsets", &offsets)?,
                upload(context, "known items", &ids)?,
            ))
        }
    };
    let log_q = (start.negatives.log_q(start.train))
        .map(|log_q| upload(context, "log q", &spare::log_q(log_q, spare)))
        .transpose()?;
    Ok(Buffers {
        queries: Some(queries.table().clone()),
        candidates: Some(candidates.table().clone()),
        exclude,
        log_q,
        grad_queries: Some(queries.gradient().clone()),
        grad_candidates: Some(candidates.gradient().clone()),
        ..Buffers::default()
    })
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
