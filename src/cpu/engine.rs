//! The stages in their order.

mod outer;

use super::{
    Gradients, Options,
    backward::{Targets, finish_rows, finish_second_rows, scatter_rows},
    bands::{Bands, Rooms},
    gradients::{Operands, grad_queries},
    kept::Kept,
    moments::Moments,
    occurrences::Occurrences,
    outer::row_weights,
    plan::Plan,
    pool::Pooled,
    positives::{Positive, positive_scores},
    problem::Problem,
    product::CpuReal,
    row_finish::{Finished, row_finish},
    rows::{Terms, both_weights, column_slopes, row_reduce, weights},
    sinks::Sinks,
    statistic::Statistic,
    tile::{Block, Tile},
};
use crate::{Batch, Columns, DynLoss, Output, Result};

/// Evaluates; the lengths of the gradients' slices are checked.
pub(super) fn run<R: CpuReal>(
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    gradients: Gradients<'_, R>,
    options: &Options,
) -> Result<Output<R>> {
    let first = gradients.queries.is_some() || gradients.candidates.is_some();
    let tables = first || gradients.second.is_some();
    let backward = tables || gradients.column_parameters.is_some() || gradients.scores.is_some();
    let problem = Problem::new(loss, batch, backward, options)?;
    let plan = Plan::new(&problem, options);
    let positives = positive_scores(&problem);
    let pooled = Pooled::new(&problem, &positives);
    let shared = match batch.column_ids() {
        Columns::Shared(ids) => Some(Occurrences::new(
            ids.iter().copied(),
            problem.shape.candidates,
        )),
        _ => None,
    };
    let mut engine = Engine {
        by_loss: row_weights(&problem, pooled.as_ref()),
        problem: &problem,
        plan,
        positives,
        pooled,
        moments: None,
        shared,
        tile: Tile::default(),
        kept: Kept::default(),
        rooms: Rooms::default(),
        queries: gradients.queries.is_some(),
        finished: Vec::with_capacity(problem.pairs.len()),
        theta: Vec::new(),
        by_target: Vec::with_capacity(problem.pairs.len()),
        by_norm: Vec::new(),
    };
    let (value, gradients) = engine.evaluate(gradients);
    let output = engine.output(value)?;
    // A loss that overflowed explains its gradients; it comes first.
    gradients?;
    Ok(output)
}

pub(super) struct Engine<'a, R> {
    pub(super) problem: &'a Problem<'a, R>,
    plan: Plan,
    positives: Vec<Positive<R>>,
    pooled: Option<Pooled>,
    /// What takes the place of tiles, where it can.
    moments: Option<Moments<R>>,
    /// Columns of each candidate in a shared list.
    shared: Option<Occurrences>,
    tile: Tile<R>,
    /// What bands keep of the block.
    kept: Kept<R>,
    rooms: Rooms<R>,
    /// Whether queries get a gradient.
    queries: bool,
    /// Live pairs of the blocks that were reduced.
    pub(super) finished: Vec<Finished<R>>,
    /// ∂ℓ/∂θ of the same pairs.
    pub(super) theta: Vec<f64>,
    /// ∂value/∂ℓ per live pair.
    pub(super) by_loss: Vec<f64>,
    /// ∂value/∂t per live pair.
    by_target: Vec<f64>,
    /// ∂value/∂‖q‖ at fixed R and t per live pair; empty where there is none.
    by_norm: Vec<f64>,
}

impl<R: CpuReal> Engine<'_, R> {
    /// Gives the value, writes the gradients, and says whether those are finite.
    fn evaluate(&mut self, gradients: Gradients<'_, R>) -> (f64, Result<()>) {
        let backward = self.problem.backward;
        let mut sinks = Sinks::new(self.problem, gradients);
        if sinks.candidates_in_place() {
            self.moments = Moments::new(self.problem);
        }
        let wait = self.problem.waits();
        for rows in self.plan.blocks() {
            let block = Block::new(self.problem, rows, self.shared.as_ref());
            self.forward(&block);
            if backward && !wait {
                self.by_targets();
                self.backward(&block, &mut sinks);
            }
        }
        let value = self.reduce();
        if backward && wait {
            self.by_targets();
            for rows in self.plan.blocks() {
                let block = Block::new(self.problem, rows, self.shared.as_ref());
                self.backward(&block, &mut sinks);
            }
        }
        if let (Some(moments), Some(out)) = (&self.moments, sinks.candidates()) {
            moments.finish(self.problem, out);
        }
        let targets = Targets {
            positives: &self.positives,
            gradients: &self.by_target,
            by_norm: &self.by_norm,
        };
        (value, sinks.finish(self.problem, targets))
    }

    /// Scores, statistics and losses of a block's pairs.
    fn forward(&mut self, block: &Block<R>) {
        let problem = self.problem;
        if let Some(moments) = &self.moments {
            let reduced = moments.reduce(problem, block);
            return self.finish(block, &reduced);
        }
        if let Some(bands) = Bands::new(problem, &self.plan, block, &self.rooms, self.queries) {
            let reduced = bands.reduce(&self.positives, &mut self.kept);
            return self.finish(block, &reduced);
        }
        let mut reduced: Vec<Statistic<R>> = Vec::new();
        for chunk in self.plan.chunks() {
            self.tile.fill(problem, &self.plan, block, &chunk);
            let part = row_reduce(
                problem,
                &self.plan,
                &self.tile,
                block,
                &chunk,
                &self.positives,
            );
            if reduced.is_empty() {
                reduced = part;
            } else {
                for (sum, part) in reduced.iter_mut().zip(part) {
                    sum.merge(part);
                }
            }
        }
        self.finish(block, &reduced);
    }

    fn finish(&mut self, block: &Block<R>, reduced: &[Statistic<R>]) {
        let thetas = self.problem.spec.learnt();
        let mut slot = 0;
        for (i, row) in block.active(self.problem).iter().enumerate() {
            let count = self.plan.columns - block.masks.of(i).len();
            let count = count / self.problem.shape.columns_per_class;
            for (nth, at) in row.pairs.clone().enumerate() {
                let nth = if self.problem.spec.separable { 0 } else { nth };
                let start = self.theta.len();
                self.theta.resize(start + thetas, 0.0);
                self.finished.push(row_finish(
                    self.problem,
                    at,
                    &self.positives[at],
                    self.pooled.as_ref(),
                    &reduced[slot + nth],
                    count,
                    &mut self.theta[start..],
                ));
            }
            slot += self.problem.slots(row);
        }
    }

    /// Weights and both products of a block.
    fn backward(&mut self, block: &Block<R>, sinks: &mut Sinks<'_, R>) {
        let (problem, plan) = (self.problem, &self.plan);
        let terms = Terms::new(
            problem,
            block,
            &self.positives,
            &self.finished,
            &self.by_loss,
        );
        let dims = [Some(problem.shape.dim), problem.shape.second_dim];
        let wanted = [sinks.queries.is_some(), sinks.second.is_some()];
        let [mut rows, mut second_rows] = [0, 1].map(|side| match (wanted[side], dims[side]) {
            (true, Some(dim)) => vec![R::ZERO; block.rows.len() * dim],
            _ => Vec::new(),
        });
        if let Some(moments) = &mut self.moments {
            let weights = terms.factors();
            moments.backward(problem, block, &weights, &mut rows, sinks.candidates());
            return self.finish_block(block, sinks, &mut rows, &mut second_rows);
        }
        if let Some(bands) = Bands::new(problem, plan, block, &self.rooms, self.queries) {
            bands.backward(&terms, &self.kept, sinks, &mut rows);
            return self.finish_block(block, sinks, &mut rows, &mut second_rows);
        }
        for chunk in plan.chunks() {
            self.tile.fill(problem, plan, block, &chunk);
            if let Some(sums) = sinks.column_parameters() {
                column_slopes(problem, plan, &self.tile, block, &chunk, &terms, sums);
            }
            if !sinks.weights() {
                continue;
            }
            let tile = &mut self.tile;
            if sinks.second.is_some() {
                both_weights(problem, plan, tile, block, &chunk, &terms);
            } else {
                weights(problem, plan, tile, block, &chunk, &terms);
            }
            sinks.add_scores(problem, block, &tile.scores);
            let shared = self.shared.as_ref();
            let (operands, buffer) = Operands::first(problem, tile, block);
            if sinks.queries.is_some() {
                let factors = (&operands, buffer);
                grad_queries(problem, plan, factors, block, &chunk, &mut rows);
            }
            sinks.add_columns(problem, plan, &operands, block, &chunk, shared);
            if let (Some((operands, buffer)), true) = (
                Operands::second(problem, tile, block),
                sinks.second.is_some(),
            ) {
                let factors = (&operands, buffer);
                grad_queries(problem, plan, factors, block, &chunk, &mut second_rows);
                sinks.add_second_columns(problem, plan, &operands, block, &chunk, shared);
            }
        }
        self.finish_block(block, sinks, &mut rows, &mut second_rows);
    }

    /// Completes the gradients of a block's queries and adds them to their tables'.
    fn finish_block(
        &self,
        block: &Block<R>,
        sinks: &mut Sinks<'_, R>,
        rows: &mut [R],
        second_rows: &mut [R],
    ) {
        let problem = self.problem;
        if let Some(table) = &mut sinks.queries {
            let targets = Targets {
                positives: &self.positives,
                gradients: &self.by_target,
                by_norm: &self.by_norm,
            };
            finish_rows(problem, block, targets, rows);
            scatter_rows(problem, block, problem.shape.dim, rows, table);
        }
        if let (Some((table, _)), Some(dim)) = (&mut sinks.second, problem.shape.second_dim) {
            finish_second_rows(problem, block, second_rows);
            scatter_rows(problem, block, dim, second_rows, table);
        }
    }
}
