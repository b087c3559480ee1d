//! A block of rows against all candidates, band by band: each task takes its columns stripe after
//! stripe from scores to statistics, and from scores over weights to both products, while a stripe's
//! tile lies in a core's own cache. Scores are multiplied again for the weights; or they, or the
//! weights but for a factor of the row, are kept between.

mod backward;
mod kept_weights;
mod rooms;

pub(super) use rooms::Rooms;

use super::{
    beside::{Gathered, beside},
    kept::{Keep, Kept, KeptPartMut, KeptSize},
    kernels::Beside,
    plan::{BandPlan, Plan},
    positives::Positive,
    problem::Problem,
    product::CpuReal,
    statistic::Statistic,
    tile::{Block, stripe_scores},
};
use crate::loss::Target;
use backward::{Band, Side};
use rayon::prelude::*;
use rooms::Room;
use std::ops::Range;

/// What all tasks of a block read.
#[derive(Clone, Copy)]
pub(super) struct Bands<'a, R> {
    problem: &'a Problem<'a, R>,
    plan: &'a Plan,
    cut: BandPlan,
    block: &'a Block<R>,
    rooms: &'a Rooms<R>,
    /// Whether queries get a gradient.
    queries: bool,
}

impl<'a, R: CpuReal> Bands<'a, R> {
    /// Where the plan has bands.
    pub(super) fn new(
        problem: &'a Problem<'a, R>,
        plan: &'a Plan,
        block: &'a Block<R>,
        rooms: &'a Rooms<R>,
        queries: bool,
    ) -> Option<Self> {
        Some(Bands {
            problem,
            plan,
            cut: plan.bands?,
            block,
            rooms,
            queries,
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
            dim: match self.cut.keep == Keep::Weights && self.queries {
                true => self.problem.shape.dim,
                false => 0,
            },
        }
    }

    /// Statistics of the block.
    fn slots(&self) -> usize {
        let rows = self.block.active(self.problem).iter();
        rows.map(|row| self.problem.slots(row)).sum()
    }

    fn no_columns(&self) -> Statistic<R> {
        Statistic::empty(self.problem.spec.reduction)
    }

    /// ∂score/∂(product).
    fn scale(&self) -> R {
        R::from_f64(self.problem.spec.score_scale)
    }

    /// The block's statistics: one per row, or one per pair where z depends on the pair. What the plan
    /// keeps goes to `kept`.
    pub(super) fn reduce(
        &self,
        positives: &[Positive<R>],
        kept: &mut Kept<R>,
    ) -> Vec<Statistic<R>> {
        let parts = kept.bands_mut(self.kept_size(), self.cut.keep);
        // One piece of memory for all: pieces of the tasks' own would lie between what products take and
        // give back, and memory would grow by the holes.
        let slots = self.slots();
        let mut statistics = vec![self.no_columns(); self.count() * slots];
        let bands = statistics.par_chunks_mut(slots.max(1)).zip(parts);
        bands.enumerate().for_each(|(band, (statistics, kept))| {
            let band = self.of(band);
            self.rooms.run(|room| match self.cut.keep {
                Keep::Weights => self.reduce_to_weights(&band, positives, statistics, kept, room),
                _ => self.reduce_band(&band, positives, statistics, kept, room),
            });
        });
        merged(&statistics, slots)
    }

    fn reduce_band(
        &self,
        band: &Range<usize>,
        positives: &[Positive<R>],
        statistics: &mut [Statistic<R>],
        mut kept: KeptPartMut<'_, R>,
        room: &mut Room<R>,
    ) {
        let (problem, stripe) = (self.problem, self.plan.stripe);
        let keeps = self.cut.keep == Keep::Scores;
        room.tile
            .resize(if keeps { 0 } else { self.tile() }, R::ZERO);
        for (i, columns) in self.stripes(band).enumerate() {
            let candidates = (problem.candidates).stripe_rows(&columns, &mut room.candidates);
            let scores = match keeps {
                true => kept.stripe(self.kept_size(), i).tiles,
                false => room.tile.as_mut_slice(),
            };
            stripe_scores(problem, self.block, &columns, candidates, scores, stripe);
            let (stretch, gathered) = (&mut room.stretch, &mut room.gathered);
            let filled = (&mut *scores, &mut *statistics);
            self.each_slot(
                &columns,
                filled,
                positives,
                gathered,
                |_, scores, beside, target, slot| {
                    let (setting, kernels) = (problem.setting(), problem.kernels);
                    kernels.reduce(setting, stretch, scores, beside, target, slot);
                },
            );
        }
    }

    /// Hands a stripe's scores to `reduce`, for every statistic of the block in turn: the row's place in
    /// the block, its scores, what goes with them, the pair's target, the statistic.
    fn each_slot(
        &self,
        columns: &Range<usize>,
        (tile, statistics): (&mut [R], &mut [Statistic<R>]),
        positives: &[Positive<R>],
        gathered: &mut Gathered<R>,
        mut reduce: impl FnMut(usize, &mut [R], Beside<'_, R>, &Target<R>, &mut Statistic<R>),
    ) {
        let problem = self.problem;
        let mut slots = statistics.iter_mut();
        let active = self.block.active(problem).iter().enumerate();
        for ((place, row), scores) in active.zip(tile.chunks_mut(self.plan.stripe)) {
            let scores = &mut scores[..columns.len()];
            let beside = beside(problem, row, &[], 0..0, columns.clone(), gathered);
            let count = problem.slots(row);
            for (slot, pair) in slots.by_ref().take(count).zip(row.pairs.clone()) {
                reduce(place, scores, beside, &positives[pair].target, slot);
            }
        }
    }
}

/// The bands' statistics in their order.
fn merged<R: CpuReal>(bands: &[Statistic<R>], slots: usize) -> Vec<Statistic<R>> {
    let (first, others) = bands.split_at(slots);
    let mut sums = first.to_vec();
    for band in others.chunks(slots.max(1)) {
        for (sum, &part) in sums.iter_mut().zip(band) {
            sum.merge(part);
        }
    }
    sums
}
