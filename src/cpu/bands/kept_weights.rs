//! Kept weights: what a band does with them while it reduces, and what is left for the backward pass.
//!
//! The weights of a row are known but for a factor before its loss is. Their product with the candidates
//! is then taken at once, while both lie in cache, and grows with the row's largest z as its sum does; the
//! product with the queries waits for the factors.

use super::{Band, Bands, Room, Side, backward::add_up};
use crate::{
    cpu::{
        kept::{Kept, KeptPart, KeptPartMut},
        positives::Positive,
        product::{CpuReal, View, product},
        rows::Terms,
        runs::share,
        statistic::Statistic,
        tile::stripe_scores,
    },
    loss::RowReduction,
};
use std::ops::Range;

impl<R: CpuReal> Bands<'_, R> {
    /// Reduces a band, keeps its weights, and takes their product with its candidates.
    pub(super) fn reduce_to_weights(
        &self,
        band: &Range<usize>,
        positives: &[Positive<R>],
        statistics: &mut [Statistic<R>],
        mut kept: KeptPartMut<'_, R>,
        room: &mut Room<R>,
    ) {
        let (problem, dim) = (self.problem, self.problem.shape.dim);
        let gradient = std::mem::take(&mut kept.gradient);
        for (i, columns) in self.stripes(band).enumerate() {
            let stripe = kept.stripe(self.kept_size(), i);
            let candidates = (problem.candidates).stripe_rows(&columns, &mut room.candidates);
            let (block, width) = (self.block, self.plan.stripe);
            stripe_scores(problem, block, &columns, candidates, stripe.tiles, width);
            let (stretch, gathered) = (&mut room.stretch, &mut room.gathered);
            let filled = (&mut *stripe.tiles, &mut *statistics);
            self.each_slot(
                &columns,
                filled,
                positives,
                gathered,
                |place, scores, beside, target, slot| {
                    let (before, kernels) = (slot.max, problem.kernels);
                    let setting = problem.setting();
                    stripe.shifts[place] =
                        kernels.reduce_to_weights(setting, stretch, scores, beside, target, slot);
                    if self.queries && i > 0 && slot.max > before {
                        let sums = &mut gradient[place * dim..][..dim];
                        scale(sums, share(before - slot.max));
                    }
                },
            );
            if self.queries {
                let weights = View::new(stripe.tiles, block.rows.len(), columns.len(), width);
                let candidates = View::new(candidates, columns.len(), dim, dim);
                let add = i > 0;
                product(gradient, dim, weights, candidates, self.scale(), add);
            }
        }
    }

    /// The candidates' gradient by a band's kept weights: the factors of their rows go with the queries.
    pub(super) fn kept_columns(
        &self,
        band: Band<'_, R>,
        side: Side,
        terms: &Terms<R>,
        room: &mut Room<R>,
    ) {
        let Some(out) = band.candidates else {
            return;
        };
        let (dim, rows) = (self.problem.shape.dim, self.block.rows.len());
        room.queries.resize(rows * dim, R::ZERO);
        let parts = out.chunks_mut(self.plan.stripe * dim);
        for ((i, columns), out) in self.stripes(&band.columns).enumerate().zip(parts) {
            let kept = band.kept.stripe(self.kept_size(), i);
            let own = self.block.queries.chunks(dim);
            let queries = room.queries.chunks_mut(dim).zip(own);
            for ((to, from), factor) in queries.zip(self.factors(terms, kept.shifts)) {
                to.copy_from_slice(from);
                scale(to, factor);
            }
            let weights = View::new(kept.tiles, rows, columns.len(), self.plan.stripe);
            let queries = View::new(&room.queries, rows, dim, dim);
            let factors = (weights, queries);
            self.candidates_product(&columns, side, factors, Some(out), &mut room.sums);
        }
    }

    /// Adds the bands' parts of the queries' gradient in their order, times the rows' factors.
    pub(super) fn kept_rows(&self, terms: &Terms<R>, kept: &Kept<R>, rows: &mut [R]) {
        let (dim, size) = (self.problem.shape.dim, self.kept_size());
        let parts = (0..self.count()).zip(kept.gradients(size));
        let parts = parts.map(|(band, gradient)| {
            let last = self.stripes(&self.of(band)).count() - 1;
            let KeptPart { shifts, .. } = kept.band(size, band).stripe(size, last);
            (gradient, self.factors(terms, shifts))
        });
        add_up(&parts.collect::<Vec<_>>(), rows, dim);
    }

    /// What kept weights of a stripe are yet to be multiplied with, row by row.
    fn factors(&self, terms: &Terms<R>, shifts: &[R]) -> Vec<R> {
        let log_sum = self.problem.spec.reduction == RowReduction::LogSumExp;
        let factor = |(row, &shift)| match terms.of(row) {
            [] => R::ZERO,
            [term, ..] if log_sum => term.factor * share(shift - term.shift),
            [term, ..] => term.factor,
        };
        shifts.iter().enumerate().map(factor).collect()
    }
}

fn scale<R: CpuReal>(numbers: &mut [R], factor: R) {
    for x in numbers {
        *x *= factor;
    }
}
