//! The stages that contain the loss: `row_reduce` (scores to statistics) and `weights` (scores to
//! ∂value/∂score, in place).

use super::{
    beside::{Gathered, beside},
    kernels::Term,
    plan::Plan,
    positives::Positive,
    problem::Problem,
    product::CpuReal,
    row_finish::Finished,
    statistic::Statistic,
    stretch::Stretch,
    tile::{Block, Tile},
};
use rayon::prelude::*;
use std::ops::Range;

/// Room of a task.
type Room<R> = (Gathered<R>, Stretch<R>);

/// The statistics of the block's rows over one chunk of columns: one per row, or one per pair
/// where z depends on the pair.
pub(super) fn row_reduce<R: CpuReal>(
    problem: &Problem<'_, R>,
    plan: &Plan,
    tile: &Tile<R>,
    block: &Block<R>,
    chunk: &Range<usize>,
    positives: &[Positive<R>],
) -> Vec<Statistic<R>> {
    let active = block.active(problem);
    let rows = active.par_iter().enumerate().with_min_len(4);
    let reduced = rows.map_init(Room::default, |room, (i, row)| {
        let (buffer, stretch) = (&mut room.0, &mut room.1);
        let mut slots = vec![Statistic::empty(problem.spec.reduction); problem.slots(row)];
        for (stripe, start) in (0..).zip((0..chunk.len()).step_by(plan.stripe)) {
            let columns = plan.stripe_of(chunk, stripe);
            let at = (start * active.len()) + i * plan.stripe;
            let range = at..at + columns.len();
            let scores = &tile.scores[range.clone()];
            let beside = beside(problem, row, tile.second(), range, columns, buffer);
            for (slot, pair) in slots.iter_mut().zip(row.pairs.clone()) {
                let target = &positives[pair].target;
                problem
                    .kernels
                    .reduce(problem.setting(), stretch, scores, beside, target, slot);
            }
        }
        slots
    });
    reduced.flatten_iter().collect()
}

/// Turns the tile's scores into weights, and the second tile's into theirs.
pub(super) fn both_weights<R: CpuReal>(
    problem: &Problem<'_, R>,
    plan: &Plan,
    tile: &mut Tile<R>,
    block: &Block<R>,
    chunk: &Range<usize>,
    terms: &Terms<R>,
) {
    let active = block.active(problem);
    let (scores, second) = tile.take();
    let pieces = scores.par_chunks_mut(plan.stripe);
    let pieces = pieces.zip(second.par_chunks_mut(plan.stripe)).enumerate();
    let pieces = pieces.with_min_len(4);
    pieces.for_each_init(Gathered::default, |buffer, (piece, (scores, second))| {
        let (stripe, row) = (piece / active.len(), piece % active.len());
        let columns = plan.stripe_of(chunk, stripe);
        let width = columns.len();
        let beside = beside(problem, &active[row], &[], 0..0, columns, buffer);
        let (scores, second) = (&mut scores[..width], &mut second[..width]);
        let setting = problem.setting();
        let terms = terms.of(row);
        problem
            .kernels
            .weigh_both(setting, scores, second, beside, terms);
    });
}

/// Turns the tile's scores into weights.
pub(super) fn weights<R: CpuReal>(
    problem: &Problem<'_, R>,
    plan: &Plan,
    tile: &mut Tile<R>,
    block: &Block<R>,
    chunk: &Range<usize>,
    terms: &Terms<R>,
) {
    let active = block.active(problem);
    let (scores, second) = tile.take();
    let pieces = scores
        .par_chunks_mut(plan.stripe)
        .enumerate()
        .with_min_len(4);
    pieces.for_each_init(Room::default, |room, (piece, scores)| {
        let (buffer, stretch) = (&mut room.0, &mut room.1);
        let (stripe, row) = (piece / active.len(), piece % active.len());
        let columns = plan.stripe_of(chunk, stripe);
        let at = piece * plan.stripe;
        let range = at..at + columns.len();
        let scores = &mut scores[..columns.len()];
        let beside = beside(problem, &active[row], second, range, columns, buffer);
        problem
            .kernels
            .weigh(problem.setting(), stretch, scores, beside, terms.of(row));
    });
}

/// Adds the block's share of ∂value/∂(column parameter) to `sums`, one per candidate. From scores,
/// before they become weights.
pub(super) fn column_slopes<R: CpuReal>(
    problem: &Problem<'_, R>,
    plan: &Plan,
    tile: &Tile<R>,
    block: &Block<R>,
    chunk: &Range<usize>,
    terms: &Terms<R>,
    sums: &mut [f64],
) {
    let active = block.active(problem);
    let stripes = (0..chunk.len().div_ceil(plan.stripe)).into_par_iter();
    let parts = stripes.map_init(Gathered::default, |buffer, stripe| {
        let columns = plan.stripe_of(chunk, stripe);
        let per_row = if problem.sampled() { active.len() } else { 1 };
        let mut part = vec![0.0; columns.len() * per_row];
        for (i, row) in active.iter().enumerate() {
            let at = (stripe * active.len() + i) * plan.stripe;
            let range = at..at + columns.len();
            let scores = &tile.scores[range.clone()];
            let beside = beside(problem, row, tile.second(), range, columns.clone(), buffer);
            let own = if problem.sampled() {
                i * columns.len()
            } else {
                0
            };
            let part = &mut part[own..own + columns.len()];
            problem
                .kernels
                .weigh_columns(problem.setting(), scores, beside, terms.of(i), part);
        }
        part
    });
    let parts: Vec<Vec<f64>> = parts.collect();
    for (id, part) in problem.ids(active, chunk).zip(parts.into_iter().flatten()) {
        sums[id] += part;
    }
}

/// What every row of a block weighs its columns by.
pub(super) struct Terms<R> {
    offsets: Vec<usize>,
    terms: Vec<Term<R>>,
}

impl<R: CpuReal> Terms<R> {
    /// From the finished pairs and ∂value/∂ℓ of each. Dead pairs weigh nothing.
    pub(super) fn new(
        problem: &Problem<'_, R>,
        block: &Block<R>,
        positives: &[Positive<R>],
        finished: &[Finished<R>],
        by_loss: &[f64],
    ) -> Self {
        let mut offsets = vec![0];
        let mut terms = Vec::with_capacity(block.rows.len());
        for row in block.active(problem) {
            let alive = row.pairs.clone().filter(|&pair| !finished[pair].dead);
            let mut pairs = alive.map(|pair| Term {
                target: positives[pair].target.value,
                row_constant: positives[pair].target.row_constant,
                shift: finished[pair].shift,
                factor: R::from_f64(by_loss[pair] * finished[pair].column_factor),
                second_shift: finished[pair].second_shift,
                second_factor: R::from_f64(by_loss[pair] * finished[pair].second_factor),
            });
            if problem.spec.separable {
                // The same z and shifts for all pairs: their factors add up.
                let first = pairs.next();
                terms.extend(first.map(|first| {
                    pairs.fold(first, |sum, term| Term {
                        factor: sum.factor + term.factor,
                        second_factor: sum.second_factor + term.second_factor,
                        ..sum
                    })
                }));
            } else {
                terms.extend(pairs);
            }
            offsets.push(terms.len());
        }
        Terms { offsets, terms }
    }

    /// ∂value/∂R of every row.
    pub(super) fn factors(&self) -> Vec<f64> {
        let of = |row| self.of(row).iter().map(|term| term.factor.to_f64()).sum();
        (0..self.offsets.len() - 1).map(of).collect()
    }

    pub(super) fn of(&self, row: usize) -> &[Term<R>] {
        &self.terms[self.offsets[row]..self.offsets[row + 1]]
    }
}
