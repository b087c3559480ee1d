//! A block of rows against all candidates, band by band: each task takes its columns stripe after
//! stripe from scores to statistics, and from scores over weights to both products, while a stripe's
//! tile lies in a core's own cache. Scores are multiplied again for the weights; or they, or the
//! weights but for a factor of the row, are kept between.

mod backward;

use super::{
    beside::{Gathered, beside},
    kept::{Keep, Kept, KeptPartMut, KeptSize},
    plan::{BandPlan, Plan},
    positives::Positive,
    problem::Problem,
    product::CpuReal,
    statistic::Statistic,
    stretch::Stretch,
    tile::{Block, stripe_scores},
};
use rayon::prelude::*;
use std::ops::Range;

/// What all tasks of a block read.
#[derive(Clone, Copy)]
pub(super) struct Bands<'a, R> {
    problem: &'a Problem<'a, R>,
    plan: &'a Plan,
    cut: BandPlan,
    block: &'a Block<R>,
}

/// Room of one task.
struct Room<R> {
    tile: Vec<R>,
    candidates: Vec<R>,
    /// Queries times their rows' factors.
    queries: Vec<R>,
    sums: Vec<R>,
    gathered: Gathered<R>,
    stretch: Stretch<R>,
}

impl<R: CpuReal> Default for Room<R> {
    fn default() -> Self {
        Room {
            tile: Vec::new(),
            candidates: Vec::new(),
            queries: Vec::new(),
            sums: Vec::new(),
            gathered: Gathered::default(),
            stretch: Stretch::default(),
        }
    }
}

impl<'a, R: CpuReal> Bands<'a, R> {
    /// Where the plan has bands.
    pub(super) fn new(
        problem: &'a Problem<'a, R>,
        plan: &'a Plan,
        block: &'a Block<R>,
    ) -> Option<Self> {
        Some(Bands {
            problem,
            plan,
            cut: plan.bands?,
            block,
        })
    }

    fn of(&self, band: usize) -> Range<usize> {
        let start = band * self.cut.columns;
        start..(start + self.cut.columns).min(self.plan.columns)
    }

    fn count(&self) -> usize {
        self.plan.columns.div_ceil(self.cut.columns)
    }

    fn stripes(&self, band: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<R> {
        let (end, stripe) = (band.end, self.plan.stripe);
        let starts = band.clone().step_by(stripe);
        starts.map(move |start| start..(start + stripe).min(end))
    }

    /// Numbers of a stripe's tile.
    fn tile(&self) -> usize {
        self.block.rows.len() * self.plan.stripe
    }

    fn kept_size(&self) -> KeptSize {
        KeptSize {
            bands: self.count(),
            stripes: self.cut.columns.div_ceil(self.plan.stripe),
            rows: self.block.rows.len(),
            columns: self.plan.stripe,
        }
    }

    /// The block's statistics: one per row, or one per pair where z depends on the pair. What the plan
    /// keeps goes to `kept`.
    pub(super) fn reduce(
        &self,
        positives: &[Positive<R>],
        kept: &mut Kept<R>,
    ) -> Vec<Statistic<R>> {
        let parts = kept.bands_mut(self.kept_size(), self.cut.keep);
        let parts = parts.into_par_iter().enumerate();
        let parts = parts.map_init(Room::default, |room, (band, kept)| {
            self.reduce_band(&self.of(band), positives, kept, room)
        });
        merged(parts.collect())
    }

    fn reduce_band(
        &self,
        band: &Range<usize>,
        positives: &[Positive<R>],
        mut kept: KeptPartMut<'_, R>,
        room: &mut Room<R>,
    ) -> Vec<Statistic<R>> {
        let (problem, stripe) = (self.problem, self.plan.stripe);
        let active = self.block.active(problem);
        let slots = active.iter().map(|row| problem.slots(row)).sum();
        let mut statistics = vec![Statistic::empty(problem.spec.reduction); slots];
        let keeps = self.cut.keep != Keep::Nothing;
        room.tile
            .resize(if keeps { 0 } else { self.tile() }, R::ZERO);
        for (i, columns) in self.stripes(band).enumerate() {
            let candidates = (problem.candidates).stripe_rows(&columns, &mut room.candidates);
            let kept = kept.stripe(self.kept_size(), i);
            let scores = match keeps {
                true => kept.tiles,
                false => room.tile.as_mut_slice(),
            };
            stripe_scores(problem, self.block, &columns, candidates, scores, stripe);
            let mut slots = statistics.iter_mut();
            for (place, (row, scores)) in active.iter().zip(scores.chunks_mut(stripe)).enumerate() {
                let scores = &mut scores[..columns.len()];
                let (setting, kernels) = (problem.setting(), problem.kernels);
                let (gathered, stretch) = (&mut room.gathered, &mut room.stretch);
                let beside = beside(problem, row, &[], 0..0, columns.clone(), gathered);
                let count = problem.slots(row);
                for (slot, pair) in slots.by_ref().take(count).zip(row.pairs.clone()) {
                    let target = &positives[pair].target;
                    if self.cut.keep != Keep::Weights {
                        kernels.reduce(setting, stretch, scores, beside, target, slot);
                        continue;
                    }
                    kept.shifts[place] =
                        kernels.reduce_to_weights(setting, stretch, scores, beside, target, slot);
                }
            }
        }
        statistics
    }
}

/// The bands' statistics in their order.
fn merged<R: CpuReal>(parts: Vec<Vec<Statistic<R>>>) -> Vec<Statistic<R>> {
    let mut parts = parts.into_iter();
    let mut sums = parts.next().unwrap_or_default();
    for part in parts {
        for (sum, part) in sums.iter_mut().zip(part) {
            sum.merge(part);
        }
    }
    sums
}
