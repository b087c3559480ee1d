//! The backend on a GPU.

mod optimiser;
mod padded;
mod planned;
mod quantiles;
mod records;
mod resident;
mod scalars;
mod spare;

pub use optimiser::GpuOptimiser;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    Backend, Embeddings, Interactions, LossState, Moments, Optimiser, SecondTables, Start, Step,
    adversary::Side, cpu::no_adversary,
};
use crate::{
    ColumnKind, DynLoss, Result, Shape, adapter,
    gpu::{Buffers, Context, read_back},
};
use padded::Capacity;
use planned::{Planned, factor};
use quantiles::GpuQuantiles;
use records::Records;
use resident::{Pair, pair, resident};
use scalars::GpuScalars;

/// Steps that the device may be behind the host.
const AHEAD: usize = 8;
/// Plans that are kept, for steps of different sizes.
const PLANS: usize = 6;

/// Trains on a device in f32. Embeddings, gradients and moments stay there, and so does the state of
/// the loss: a step sends ids, in one submission, and brings nothing back. The same steps give the
/// same bits.
#[derive(Debug)]
pub struct GpuBackend<'a> {
    context: Context,
    loss: &'a dyn DynLoss,
    train: &'a Interactions,
    /// Of a step with one row, one pair and one shared column.
    shape: Shape,
    optimiser: Optimiser,
    model: Pair,
    adversary: Option<Pair>,
    /// Also in memory, for it is part of the state.
    reference: Option<Embeddings>,
    scalars: Option<GpuScalars>,
    quantiles: GpuQuantiles,
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
        let mut shape = start.shape();
        // A spare item, which every user knows, pads shared lists: it is masked in every row.
        let spare = usize::from(matches!(shape.columns, ColumnKind::Shared(_)));
        shape.candidates += spare;
        shape.excluded = (shape.excluded).map(|count| count + spare * start.train.users());
        let frozen = start.loss.spec().second.is_some_and(|tile| tile.frozen);
        let second = start.state.second.as_ref();
        let reference = second
            .filter(|_| frozen)
            .map(|second| second.tables.clone());
        let start = spare::with_rows(start, spare);
        let model = pair(context, &start.embeddings, start.optimiser, &start.moments)?;
        let adversary = match &start.state.second {
            Some(SecondTables { tables, moments }) if !frozen => {
                Some(pair(context, tables, start.adversary.optimiser, moments)?)
            }
            _ => None,
        };
        let scalars = GpuScalars::new(context, start.loss, start.optimiser, &start.state)?;
        let is_state = start.loss.spec().theta_state;
        let learnt = scalars.as_ref().filter(|_| !is_state);
        let state = scalars.as_ref().filter(|_| is_state);
        let records = Records::new(context);
        let resident = resident(context, &start, spare, &model, adversary.as_ref())?;
        let resident = Buffers {
            theta: scalars.as_ref().map(|scalars| scalars.theta().clone()),
            grad_theta: learnt.map(|scalars| scalars.gradient().clone()),
            theta_after: state.map(|scalars| scalars.theta().clone()),
            ..records.watch(resident)
        };
        // The spare item is none to be ranked.
        let sizes = [start.train.users(), start.train.items(), shape.dim];
        Ok(GpuBackend {
            context: context.clone(),
            loss: start.loss,
            train: start.train,
            shape,
            optimiser: start.optimiser,
            model,
            adversary,
            reference,
            scalars,
            quantiles: GpuQuantiles::new(context, start.loss, sizes, &resident)?,
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
    fn plan(&mut self, step: &Step, side: Side) -> Result<()> {
        let serves = (side, Capacity::of(step, &self.shape));
        let known = |plan: &Planned| plan.serves() == serves;
        if let Some(place) = self.plans.iter().position(known) {
            self.plans[place..].rotate_left(1);
            return Ok(());
        }
        if self.plans.len() == PLANS {
            self.plans.remove(0);
        }
        let resident = self.resident.clone();
        let plan = Planned::new(&self.context, self.loss, &self.shape, serves, resident)?;
        if !self.ids.contains(&plan.id()) {
            self.ids.push(plan.id());
        }
        self.plans.push(plan);
        Ok(())
    }

    fn record(&mut self, step: &Step, side: Side, rate: f64) -> Result<wgpu::CommandBuffer> {
        self.plan(step, side)?;
        let mut encoder = (self.context.device()).create_command_encoder(&Default::default());
        if let Some(plan) = self.plans.last_mut() {
            let start = Instant::now();
            plan.upload(step, self.train.items() as u32); // fits: items are numbered by u32
            self.uploading += start.elapsed();
            plan.encode(&mut encoder)?;
        }
        self.records.encode(factor(side), &mut encoder)?;
        let moved = match side {
            Side::Model => Some(&mut self.model),
            Side::Adversary => self.adversary.as_mut(),
        };
        for optimiser in moved.into_iter().flatten() {
            optimiser.encode(rate, &mut encoder)?;
        }
        let learnt = !self.loss.spec().theta_state;
        if let (Side::Model, Some(scalars), true) = (side, &mut self.scalars, learnt) {
            scalars.encode(rate, &mut encoder)?;
        }
        Ok(encoder.finish())
    }

    fn submit(&mut self, step: &Step, side: Side, rate: f64) -> Result<()> {
        let scope = (self.context.device()).push_error_scope(wgpu::ErrorFilter::Validation);
        let submitted =
            (self.record(step, side, rate)).map(|commands| self.context.queue().submit([commands]));
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(self.context.failure(error.to_string()));
        }
        self.pace(submitted?)
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

impl GpuBackend<'_> {
    /// A pair of tables, without the spare item.
    fn tables_of(&self, pair: &Pair) -> Result<Embeddings> {
        let dim = self.shape.dim;
        let rows = [self.train.users(), self.train.items()];
        let tables = pair.each_ref().map(|of| of.table().clone());
        let mut tables = (read_back(&self.context, &tables)?.into_iter())
            .zip(rows)
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

    /// What the optimiser remembers of a pair, without the spare item.
    fn moments_of(&self, [queries, candidates]: &Pair) -> Result<[Moments; 2]> {
        let mut moments = [queries.moments()?, candidates.moments()?];
        for list in &mut moments[1].lists {
            list.truncate(self.train.items() * self.shape.dim);
        }
        Ok(moments)
    }

    /// The numbers per user.
    fn query_parameters(&self) -> Result<Vec<f64>> {
        let Some(range) = &self.resident.row_parameters else {
            return Ok(Vec::new());
        };
        let read = read_back(&self.context, std::slice::from_ref(range))?;
        let words = read.into_iter().flatten();
        Ok(words.map(|word| f32::from_bits(word).into()).collect())
    }
}

impl Backend for GpuBackend<'_> {
    fn step(&mut self, step: &Step, rate: f64) -> Result<()> {
        self.submit(step, Side::Model, rate)
    }

    fn step_adversary(&mut self, step: &Step, rate: f64) -> Result<()> {
        match self.adversary {
            Some(_) => self.submit(step, Side::Adversary, rate),
            None => Err(no_adversary(self.loss)),
        }
    }

    fn renew_quantiles(&mut self) -> Result<()> {
        self.quantiles.submit()
    }

    fn take_losses(&mut self) -> Result<Vec<f32>> {
        self.records.take()
    }

    fn embeddings(&mut self) -> Result<Embeddings> {
        self.tables_of(&self.model)
    }

    fn moments(&mut self) -> Result<[Moments; 2]> {
        self.moments_of(&self.model)
    }

    fn state(&mut self) -> Result<LossState> {
        let (scalars, scalar_moments) = match &self.scalars {
            Some(scalars) => scalars.read()?,
            None => (Vec::new(), Moments::zero(&self.optimiser, 0)),
        };
        let adversary = match &self.adversary {
            Some(pair) => Some(SecondTables {
                tables: self.tables_of(pair)?,
                moments: self.moments_of(pair)?,
            }),
            None => None,
        };
        let reference = self.reference.clone().map(SecondTables::reference);
        Ok(LossState {
            scalars,
            scalar_moments,
            query_parameters: self.query_parameters()?,
            second: adversary.or(reference),
        })
    }

    fn scalars(&mut self) -> Result<Vec<f64>> {
        match &self.scalars {
            Some(scalars) => Ok(scalars.read()?.0),
            None => Ok(Vec::new()),
        }
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
