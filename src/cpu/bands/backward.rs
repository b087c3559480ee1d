//! The backward pass of a block, band by band.

use super::{Bands, Room};
use crate::cpu::{
    beside::beside,
    kept::{Keep, Kept, KeptPart},
    pieces::add_piece,
    product::{CpuReal, View, product},
    rows::Terms,
    sinks::Sinks,
    tile::stripe_scores,
};
use rayon::prelude::*;
use std::ops::Range;

/// What one band writes, and what it finds.
pub(super) struct Band<'a, R> {
    pub(super) columns: Range<usize>,
    pub(super) kept: KeptPart<'a, R>,
    pub(super) candidates: Option<&'a mut [R]>,
    parameters: Option<&'a mut [f64]>,
}

/// What all bands write.
#[derive(Clone, Copy)]
pub(super) struct Side {
    /// Whether candidates' sums are collected in the gradient itself.
    in_place: bool,
    /// Whether earlier blocks wrote it.
    add: bool,
    /// Whether any table gets one.
    weights: bool,
}

impl<R: CpuReal> Bands<'_, R> {
    /// Weights and both products: `rows` gets the queries' gradient, if they get one.
    pub(in crate::cpu) fn backward(
        &self,
        terms: &Terms<R>,
        kept: &Kept<R>,
        sinks: &mut Sinks<'_, R>,
        rows: &mut [R],
    ) {
        let dim = self.problem.shape.dim;
        let side = Side {
            in_place: sinks.candidates_in_place(),
            add: self.block.rows.start > 0,
            weights: sinks.weights(),
        };
        let (candidates, parameters) = sinks.by_columns();
        let mut candidates = candidates.map(|out| out.chunks_mut(self.cut.columns * dim));
        let mut parameters = parameters.map(|sums| sums.chunks_mut(self.cut.columns));
        let bands = (0..self.count()).map(|band| Band {
            columns: self.of(band),
            kept: kept.band(self.kept_size(), band),
            candidates: candidates.as_mut().and_then(Iterator::next),
            parameters: parameters.as_mut().and_then(Iterator::next),
        });
        let bands: Vec<Band<'_, R>> = bands.collect();
        let bands = bands.into_par_iter();
        if self.cut.keep == Keep::Weights {
            bands.for_each(|band| {
                self.rooms
                    .run(|room| self.kept_columns(band, side, terms, room));
            });
            return self.kept_rows(terms, kept, rows);
        }
        let parts = bands.map(|band| {
            self.rooms
                .run(|room| self.backward_band(band, side, terms, room))
        });
        let parts: Vec<Vec<R>> = parts.collect();
        if self.queries {
            let ones = || vec![R::ONE; self.block.rows.len()];
            let parts: Vec<_> = parts.iter().map(|part| (&part[..], ones())).collect();
            add_up(&parts, rows, dim);
        }
    }

    /// The band's share of the queries' gradient: rows × D.
    fn backward_band(
        &self,
        mut band: Band<'_, R>,
        side: Side,
        terms: &Terms<R>,
        room: &mut Room<R>,
    ) -> Vec<R> {
        let (dim, rows) = (self.problem.shape.dim, self.block.rows.len());
        let mut gradient = vec![R::ZERO; if self.queries { rows * dim } else { 0 }];
        for (i, columns) in self.stripes(&band.columns).enumerate() {
            let kept = band.kept.stripe(self.kept_size(), i);
            let at = columns.start - band.columns.start;
            let parameters = (band.parameters.as_deref_mut())
                .map(|parameters| &mut parameters[at..at + columns.len()]);
            let out = (band.candidates.as_deref_mut())
                .map(|out| &mut out[at * dim..(at + columns.len()) * dim]);
            self.stripe_weights(kept.tiles, &columns, (terms, side), parameters, room);
            if side.weights {
                self.products(&columns, side, &mut gradient, out, room);
            }
        }
        gradient
    }

    /// Both products of the weights in the room's tile.
    fn products(
        &self,
        columns: &Range<usize>,
        side: Side,
        gradient: &mut [R],
        out: Option<&mut [R]>,
        room: &mut Room<R>,
    ) {
        let (problem, dim) = (self.problem, self.problem.shape.dim);
        let (height, width) = (self.block.rows.len(), columns.len());
        let weights = View::new(&room.tile, height, width, self.plan.stripe);
        if self.queries {
            let candidates = (problem.candidates).stripe_rows(columns, &mut room.candidates);
            let candidates = View::new(candidates, width, dim, dim);
            product(gradient, dim, weights, candidates, self.scale(), true);
        }
        let queries = View::new(&self.block.queries, height, dim, dim);
        self.candidates_product(columns, side, (weights, queries), out, &mut room.sums);
    }

    /// The stripe's share of the candidates' gradient.
    pub(super) fn candidates_product(
        &self,
        columns: &Range<usize>,
        side: Side,
        (weights, queries): (View<'_, R>, View<'_, R>),
        out: Option<&mut [R]>,
        sums: &mut Vec<R>,
    ) {
        let Some(out) = out else {
            return;
        };
        let (candidates, dim) = (&self.problem.candidates, self.problem.shape.dim);
        let weights = weights.transposed();
        if side.in_place {
            product(out, dim, weights, queries, self.scale(), side.add);
            return;
        }
        sums.resize(out.len(), R::ZERO);
        product(sums, dim, weights, queries, self.scale(), false);
        add_piece(candidates, |at| columns.start + at, sums, out);
    }

    /// Weights of a stripe into the room's tile, from kept scores or from scores that are multiplied
    /// again; and, before scores become weights, its columns' share of ∂value/∂(column parameter).
    fn stripe_weights(
        &self,
        kept: &[R],
        columns: &Range<usize>,
        (terms, side): (&Terms<R>, Side),
        mut parameters: Option<&mut [f64]>,
        room: &mut Room<R>,
    ) {
        let (problem, stripe) = (self.problem, self.plan.stripe);
        let Room {
            tile,
            candidates,
            gathered,
            stretch,
            ..
        } = room;
        tile.resize(self.tile(), R::ZERO);
        if kept.is_empty() {
            let candidates = (problem.candidates).stripe_rows(columns, candidates);
            stripe_scores(problem, self.block, columns, candidates, tile, stripe);
        } else {
            tile.copy_from_slice(kept);
        }
        let active = self.block.active(problem).iter().enumerate();
        for ((i, row), scores) in active.zip(tile.chunks_mut(stripe)) {
            let scores = &mut scores[..columns.len()];
            let beside = beside(problem, row, &[], 0..0, columns.clone(), gathered);
            let (setting, terms) = (problem.setting(), terms.of(i));
            if let Some(sums) = parameters.as_deref_mut() {
                let kernels = problem.kernels;
                kernels.weigh_columns(setting, scores, beside, terms, sums);
            }
            if side.weights {
                let kernels = problem.kernels;
                kernels.weigh(setting, stretch, scores, beside, terms);
            }
        }
    }
}

/// Adds the bands' shares of the queries' gradient in their order, each row of a share with a factor.
pub(super) fn add_up<R: CpuReal>(parts: &[(&[R], Vec<R>)], rows: &mut [R], dim: usize) {
    let rows = rows.par_chunks_mut(dim).enumerate().with_min_len(16);
    rows.for_each(|(i, row)| {
        for (part, factors) in parts {
            for (sum, &x) in row.iter_mut().zip(&part[i * dim..][..dim]) {
                *sum += factors[i] * x;
            }
        }
    });
}
