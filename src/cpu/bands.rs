//! A block of rows against all candidates, band by band: each task takes its columns stripe after
//! stripe from scores to statistics, and from scores over weights to both products, while a stripe's
//! tile lies in a core's own cache. Scores are multiplied again for the weights, or kept between
//! where D makes that the smaller work.

use super::{
    beside::{Gathered, beside},
    pieces::add_piece,
    plan::{BandPlan, Plan},
    positives::Positive,
    problem::Problem,
    product::{CpuReal, View, product},
    rows::Terms,
    sinks::Sinks,
    statistic::Statistic,
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
#[derive(Default)]
struct Room<R> {
    tile: Vec<R>,
    candidates: Vec<R>,
    sums: Vec<R>,
    gathered: Gathered<R>,
}

/// What one band of a backward pass writes, and the scores that it finds.
struct Band<'a, R> {
    columns: Range<usize>,
    /// Kept scores; empty where they are multiplied again.
    kept: &'a [R],
    candidates: Option<&'a mut [R]>,
    parameters: Option<&'a mut [f64]>,
}

/// The candidates' side of a backward pass.
#[derive(Clone, Copy)]
struct ColumnSide {
    /// Whether sums are collected in the gradient itself.
    in_place: bool,
    /// Whether earlier blocks wrote it.
    add: bool,
    /// Whether queries get a gradient.
    queries: bool,
    /// Whether any table gets one.
    weights: bool,
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

    /// The block's statistics: one per row, or one per pair where z depends on the pair. Scores go to
    /// `kept` where they are kept.
    pub(super) fn reduce(&self, positives: &[Positive<R>], kept: &mut Vec<R>) -> Vec<Statistic<R>> {
        let band = self.cut.columns.div_ceil(self.plan.stripe) * self.tile();
        if !self.cut.kept {
            let parts = (0..self.count()).into_par_iter();
            let parts = parts.map_init(Room::default, |room, band| {
                self.reduce_band(&self.of(band), positives, &mut [], room)
            });
            return merged(parts.collect());
        }
        kept.resize(band * self.count(), R::ZERO);
        let parts = kept.par_chunks_mut(band).enumerate();
        let parts = parts.map_init(Room::default, |room, (band, kept)| {
            self.reduce_band(&self.of(band), positives, kept, room)
        });
        merged(parts.collect())
    }

    fn reduce_band(
        &self,
        band: &Range<usize>,
        positives: &[Positive<R>],
        kept: &mut [R],
        room: &mut Room<R>,
    ) -> Vec<Statistic<R>> {
        let (problem, stripe) = (self.problem, self.plan.stripe);
        let active = self.block.active(problem);
        let slots = active.iter().map(|row| problem.slots(row)).sum();
        let mut statistics = vec![Statistic::empty(problem.spec.reduction); slots];
        room.tile.resize(self.tile(), R::ZERO);
        for (i, columns) in self.stripes(band).enumerate() {
            let candidates =
                problem
                    .candidates
                    .rows(columns.start, columns.end, &mut room.candidates);
            let scores = match kept.is_empty() {
                true => room.tile.as_mut_slice(),
                false => &mut kept[i * self.tile()..][..self.tile()],
            };
            stripe_scores(problem, self.block, &columns, candidates, scores, stripe);
            let mut slots = statistics.iter_mut();
            for (row, scores) in active.iter().zip(scores.chunks(stripe)) {
                let scores = &scores[..columns.len()];
                let gathered = &mut room.gathered;
                let beside = beside(problem, row, &[], 0..0, columns.clone(), gathered);
                let count = problem.slots(row);
                for (slot, pair) in slots.by_ref().take(count).zip(row.pairs.clone()) {
                    let target = &positives[pair].target;
                    problem
                        .kernels
                        .reduce(problem.setting(), scores, beside, target, slot);
                }
            }
        }
        statistics
    }

    /// Weights and both products: `rows` gets the queries' gradient, if they get one.
    pub(super) fn backward(
        &self,
        terms: &Terms<R>,
        kept: &[R],
        sinks: &mut Sinks<'_, R>,
        rows: &mut [R],
    ) {
        let dim = self.problem.shape.dim;
        let side = ColumnSide {
            in_place: sinks.candidates_in_place(),
            add: self.block.rows.start > 0,
            queries: !rows.is_empty(),
            weights: sinks.weights(),
        };
        let (candidates, parameters) = sinks.by_columns();
        let mut candidates = candidates.map(|out| out.chunks_mut(self.cut.columns * dim));
        let mut parameters = parameters.map(|sums| sums.chunks_mut(self.cut.columns));
        let scores = self.cut.columns.div_ceil(self.plan.stripe) * self.tile();
        let bands = (0..self.count()).map(|band| Band {
            columns: self.of(band),
            kept: match self.cut.kept {
                true => &kept[band * scores..][..scores],
                false => &[],
            },
            candidates: candidates.as_mut().and_then(Iterator::next),
            parameters: parameters.as_mut().and_then(Iterator::next),
        });
        let bands: Vec<Band<'_, R>> = bands.collect();
        let parts: Vec<Vec<R>> = bands
            .into_par_iter()
            .map_init(Room::default, |room, band| {
                self.backward_band(band, side, terms, room)
            })
            .collect();
        if side.queries {
            add_up(&parts, rows, dim);
        }
    }

    /// The band's share of the queries' gradient: rows × D.
    fn backward_band(
        &self,
        mut band: Band<'_, R>,
        side: ColumnSide,
        terms: &Terms<R>,
        room: &mut Room<R>,
    ) -> Vec<R> {
        let (problem, stripe, dim) = (self.problem, self.plan.stripe, self.problem.shape.dim);
        let scale = R::from_f64(problem.spec.score_scale);
        let height = self.block.rows.len();
        let mut gradient = vec![R::ZERO; if side.queries { height * dim } else { 0 }];
        room.tile.resize(self.tile(), R::ZERO);
        for (i, columns) in self.stripes(&band.columns).enumerate() {
            let Room {
                tile,
                candidates,
                sums,
                gathered,
            } = room;
            let candidates = problem
                .candidates
                .rows(columns.start, columns.end, candidates);
            if band.kept.is_empty() {
                stripe_scores(problem, self.block, &columns, candidates, tile, stripe);
            } else {
                tile.copy_from_slice(&band.kept[i * self.tile()..][..self.tile()]);
            }
            let at = columns.start - band.columns.start;
            if let Some(parameters) = &mut band.parameters {
                let parameters = &mut parameters[at..at + columns.len()];
                self.column_slopes(terms, &columns, tile, gathered, parameters);
            }
            if !side.weights {
                continue;
            }
            self.weights(terms, &columns, tile, gathered);
            let weights = View::new(tile, height, columns.len(), stripe);
            if side.queries {
                let candidates = View::new(candidates, columns.len(), dim, dim);
                product(&mut gradient, dim, weights, candidates, scale, i > 0);
            }
            let Some(out) = &mut band.candidates else {
                continue;
            };
            let out = &mut out[at * dim..(at + columns.len()) * dim];
            let queries = View::new(&self.block.queries, height, dim, dim);
            if side.in_place {
                product(out, dim, weights.transposed(), queries, scale, side.add);
                continue;
            }
            sums.resize(out.len(), R::ZERO);
            product(sums, dim, weights.transposed(), queries, scale, false);
            add_piece(&problem.candidates, |at| columns.start + at, sums, out);
        }
        gradient
    }

    /// Turns a stripe's scores into weights.
    fn weights(
        &self,
        terms: &Terms<R>,
        columns: &Range<usize>,
        tile: &mut [R],
        gathered: &mut Gathered<R>,
    ) {
        let problem = self.problem;
        let active = self.block.active(problem).iter().enumerate();
        for ((i, row), scores) in active.zip(tile.chunks_mut(self.plan.stripe)) {
            let scores = &mut scores[..columns.len()];
            let beside = beside(problem, row, &[], 0..0, columns.clone(), gathered);
            let setting = problem.setting();
            problem.kernels.weigh(setting, scores, beside, terms.of(i));
        }
    }

    /// Adds a stripe's share of ∂value/∂(column parameter), from scores, to `sums`.
    fn column_slopes(
        &self,
        terms: &Terms<R>,
        columns: &Range<usize>,
        tile: &[R],
        gathered: &mut Gathered<R>,
        sums: &mut [f64],
    ) {
        let problem = self.problem;
        let active = self.block.active(problem).iter().enumerate();
        for ((i, row), scores) in active.zip(tile.chunks(self.plan.stripe)) {
            let scores = &scores[..columns.len()];
            let beside = beside(problem, row, &[], 0..0, columns.clone(), gathered);
            let setting = problem.setting();
            problem
                .kernels
                .weigh_columns(setting, scores, beside, terms.of(i), sums);
        }
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

/// The bands' shares in their order.
fn add_up<R: CpuReal>(parts: &[Vec<R>], rows: &mut [R], dim: usize) {
    let rows = rows.par_chunks_mut(dim).enumerate().with_min_len(16);
    rows.for_each(|(i, row)| {
        for part in parts {
            for (sum, &x) in row.iter_mut().zip(&part[i * dim..][..dim]) {
                *sum += x;
            }
        }
    });
}
