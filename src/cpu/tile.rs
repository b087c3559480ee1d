//! The score tile: a block of rows against a chunk of columns, stored stripe after stripe, each
//! stripe row after row. A stripe is one piece of memory, and so are neighbouring rows of it: that
//! is what tasks share out.

mod per_row;

use super::{
    masks::Masks,
    occurrences::Occurrences,
    plan::Plan,
    problem::{ActiveRow, Problem},
    product::{CpuReal, View, product},
    runs::masked,
    tables::{Candidates, inverse, norm, read_scaled},
};
use crate::{Columns, Matrix};
use per_row::{given_scores, sampled_scores};
use rayon::prelude::*;
use std::ops::Range;

/// Columns of one product on the way to a stripe's scores. The product copies their rows, and memory for
/// larger copies grew by several of them per thread with allocators that leave holes.
const PIECE_COLUMNS: usize = 128;

/// A block of rows: what every chunk of columns needs of it.
pub(super) struct Block<R> {
    /// Positions in `problem.rows`.
    pub(super) rows: Range<usize>,
    /// Their queries, of unit length under cosine.
    pub(super) queries: Vec<R>,
    pub(super) second_queries: Vec<R>,
    pub(super) masks: Masks,
}

impl<R: CpuReal> Block<R> {
    pub(super) fn new(
        problem: &Problem<'_, R>,
        rows: Range<usize>,
        shared: Option<&Occurrences>,
    ) -> Self {
        let active = &problem.rows[rows.clone()];
        let queries = match problem.batch.given_scores() {
            Some(_) => Vec::new(),
            None => gather(&problem.batch.query_table(), active, |row, _| row.factor),
        };
        let second_queries = problem.second.as_ref().map(|second| {
            let unit = second.score.unit_queries();
            gather(&second.queries, active, |_, raw| {
                if unit { inverse(norm(raw)) } else { 1.0 }
            })
        });
        Block {
            queries,
            second_queries: second_queries.unwrap_or_default(),
            masks: Masks::new(problem, rows.clone(), shared),
            rows,
        }
    }

    pub(super) fn active<'p>(&self, problem: &'p Problem<'_, R>) -> &'p [ActiveRow] {
        &problem.rows[self.rows.clone()]
    }
}

fn gather<R: CpuReal>(
    table: &Matrix<'_>,
    rows: &[ActiveRow],
    factor: impl Fn(&ActiveRow, &[f64]) -> f64 + Sync,
) -> Vec<R> {
    let dim = table.dim();
    let mut out = vec![R::ZERO; rows.len() * dim];
    out.par_chunks_mut(dim)
        .with_min_len(16)
        .zip(rows)
        .for_each_init(
            || vec![0.0; dim],
            |raw, (out, row)| {
                table.read_row(row.query, raw);
                read_scaled(table, row.query, factor(row, raw), out);
            },
        );
    out
}

/// Scores (later weights) of a block of rows and a chunk of columns.
#[derive(Default)]
pub(super) struct Tile<R> {
    pub(super) scores: Vec<R>,
    pub(super) second: Vec<R>,
    /// Rows of candidates, where the table is not kept whole.
    pub(super) buffer: Vec<R>,
    pub(super) second_buffer: Vec<R>,
    /// What `scores` holds: first row of the block, first column of the chunk.
    held: Option<(usize, usize)>,
}

impl<R: CpuReal> Tile<R> {
    /// Fills the tile with scores, masked, unless it still holds them.
    pub(super) fn fill(
        &mut self,
        problem: &Problem<'_, R>,
        plan: &Plan,
        block: &Block<R>,
        chunk: &Range<usize>,
    ) {
        let held = Some((block.rows.start, chunk.start));
        if self.held == held {
            return;
        }
        let place = Place { plan, block, chunk };
        let scale = R::from_f64(problem.spec.score_scale);
        let (candidates, buffer) = (&problem.candidates, &mut self.buffer);
        place.resize(&mut self.scores);
        place.scores(
            problem,
            &block.queries,
            candidates,
            scale,
            &mut self.scores,
            buffer,
        );
        place.mask(&mut self.scores);
        place.keep_best_centres(problem.shape.columns_per_class, &mut self.scores);
        if let Some(second) = &problem.second {
            let (candidates, buffer) = (&second.candidates, &mut self.second_buffer);
            let queries = &block.second_queries;
            place.resize(&mut self.second);
            place.scores(
                problem,
                queries,
                candidates,
                R::ONE,
                &mut self.second,
                buffer,
            );
        }
        self.held = held;
    }

    /// The scores, to be overwritten, and those of the second tile.
    pub(super) fn take(&mut self) -> (&mut [R], &mut [R]) {
        self.held = None;
        (&mut self.scores, &mut self.second)
    }

    pub(super) fn second(&self) -> &[R] {
        &self.second
    }
}

/// A block and a chunk.
struct Place<'a, R> {
    plan: &'a Plan,
    block: &'a Block<R>,
    chunk: &'a Range<usize>,
}

impl<R: CpuReal> Place<'_, R> {
    fn resize(&self, scores: &mut Vec<R>) {
        let stripes = self.chunk.len().div_ceil(self.plan.stripe);
        scores.resize(stripes * self.plan.stripe * self.block.rows.len(), R::ZERO);
    }

    fn scores(
        &self,
        problem: &Problem<'_, R>,
        queries: &[R],
        candidates: &Candidates<'_, R>,
        scale: R,
        out: &mut [R],
        buffer: &mut Vec<R>,
    ) {
        match problem.batch.column_ids() {
            Columns::Sampled { per_row, .. } if problem.batch.given_scores().is_some() => {
                let rows = self.block.active(problem);
                given_scores(problem, rows, per_row, scale, out);
            }
            Columns::Sampled { ids, per_row } => {
                let rows = self.block.active(problem);
                sampled_scores(rows, ids, per_row, queries, candidates, scale, out);
            }
            _ => self.products(queries, candidates, scale, out, buffer),
        }
    }

    /// Scores of all stripes, as products.
    fn products(
        &self,
        queries: &[R],
        candidates: &Candidates<'_, R>,
        scale: R,
        out: &mut [R],
        buffer: &mut Vec<R>,
    ) {
        let (dim, stripe) = (candidates.dim(), self.plan.stripe);
        let rows = self.block.rows.len();
        let group = self.plan.group(rows, self.chunk.len().div_ceil(stripe));
        let columns = candidates.rows(self.chunk.start, self.chunk.end, buffer);
        let stripes = out.par_chunks_mut(rows * stripe);
        stripes
            .zip(columns.par_chunks(stripe * dim))
            .for_each(|(out, columns)| {
                let width = columns.len() / dim;
                let columns = View::new(columns, width, dim, dim).transposed();
                let groups = out.par_chunks_mut(group * stripe);
                groups
                    .zip(queries.par_chunks(group * dim))
                    .for_each(|(out, queries)| {
                        let queries = View::new(queries, queries.len() / dim, dim, dim);
                        product(out, stripe, queries, columns, scale, false);
                    });
            });
    }

    fn keep_best_centres(&self, centres: usize, scores: &mut [R]) {
        if centres == 1 {
            return;
        }
        let rows = self.block.rows.len();
        let stripes = scores.par_chunks_mut(self.plan.stripe * rows).enumerate();
        stripes.for_each(|(i, out)| {
            let width = self.plan.stripe_of(self.chunk, i).len();
            keep_best_centres(out, self.plan.stripe, width, centres);
        });
    }

    fn mask(&self, scores: &mut [R]) {
        let rows = self.block.rows.len();
        let stripes = scores.par_chunks_mut(self.plan.stripe * rows).enumerate();
        stripes.for_each(|(i, out)| {
            let columns = self.plan.stripe_of(self.chunk, i);
            mask(self.block, &columns, out, self.plan.stripe);
        });
    }
}

/// The scores of one stripe, masked: rows × `stride`, from the rows of its columns.
pub(super) fn stripe_scores<R: CpuReal>(
    problem: &Problem<'_, R>,
    block: &Block<R>,
    columns: &Range<usize>,
    candidates: &[R],
    out: &mut [R],
    stride: usize,
) {
    let dim = problem.shape.dim;
    let queries = View::new(&block.queries, block.rows.len(), dim, dim);
    let scale = R::from_f64(problem.spec.score_scale);
    let pieces = candidates.chunks(PIECE_COLUMNS * dim);
    for (at, candidates) in (0..).step_by(PIECE_COLUMNS).zip(pieces) {
        let candidates = View::new(candidates, candidates.len() / dim, dim, dim).transposed();
        product(&mut out[at..], stride, queries, candidates, scale, false);
    }
    mask(block, columns, out, stride);
    let centres = problem.shape.columns_per_class;
    if centres > 1 {
        keep_best_centres(out, stride, columns.len(), centres);
    }
}

fn mask<R: CpuReal>(block: &Block<R>, columns: &Range<usize>, scores: &mut [R], stride: usize) {
    for (row, scores) in scores.chunks_mut(stride).enumerate() {
        for &column in block.masks.within(row, columns.clone()) {
            scores[column as usize - columns.start] = masked();
        }
    }
}

/// Masks all but the best sub-centre of every class, the lowest on ties.
fn keep_best_centres<R: CpuReal>(scores: &mut [R], stride: usize, width: usize, centres: usize) {
    for scores in scores.chunks_mut(stride) {
        for class in scores[..width].chunks_mut(centres) {
            let mut best = 0;
            for (at, score) in class.iter().enumerate() {
                if *score > class[best] {
                    best = at;
                }
            }
            for (at, score) in class.iter_mut().enumerate() {
                if at != best {
                    *score = masked();
                }
            }
        }
    }
}
