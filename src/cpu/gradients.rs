//! The products that know no loss: `grad_queries += W·C` and `grad_candidates += Wᵀ·Q`, by the
//! vectors that the scores are made of.

use super::{
    occurrences::Occurrences,
    plan::Plan,
    problem::Problem,
    product::{CpuReal, View, product},
    runs::vectorized,
    tile::{Block, Tile},
};
use crate::{Columns, Real};
use rayon::prelude::*;
use std::ops::Range;

/// Candidates that one task of the sampled product sums for.
const CANDIDATES_PER_TASK: usize = 256;

/// Adds the chunk's share to the block's `gradient` (rows × D).
pub(super) fn grad_queries<R: CpuReal>(
    problem: &Problem<'_, R>,
    plan: &Plan,
    tile: &mut Tile<R>,
    block: &Block<R>,
    chunk: &Range<usize>,
    gradient: &mut [R],
) {
    if let Columns::Sampled { ids, per_row } = problem.batch.column_ids() {
        return sampled_grad_queries(problem, tile, block, ids, per_row, gradient);
    }
    let (dim, stripe) = (problem.shape.dim, plan.stripe);
    let rows = block.rows.len();
    let scale = R::from_f64(problem.spec.score_scale);
    let columns = problem
        .candidates
        .rows(chunk.start, chunk.end, &mut tile.buffer);
    let group = plan.group(rows, 1);
    let tasks = gradient.par_chunks_mut(group * dim).enumerate();
    tasks.for_each(|(task, gradient)| {
        let height = gradient.len() / dim;
        for (i, columns) in columns.chunks(stripe * dim).enumerate() {
            let width = columns.len() / dim;
            let weights = &tile.scores[(i * rows + task * group) * stripe..];
            let weights = View::new(weights, height, width, stripe);
            let columns = View::new(columns, width, dim, dim);
            let add = i > 0 || chunk.start > 0;
            product(gradient, dim, weights, columns, scale, add);
        }
    });
}

/// Writes (or adds) the block's share to the gradients of the chunk's columns, columns × D.
pub(super) fn grad_candidates<R: CpuReal>(
    problem: &Problem<'_, R>,
    plan: &Plan,
    tile: &Tile<R>,
    block: &Block<R>,
    chunk: &Range<usize>,
    gradient: &mut [R],
) {
    if let Columns::Sampled { ids, per_row } = problem.batch.column_ids() {
        return sampled_grad_candidates(problem, tile, block, ids, per_row, gradient);
    }
    let (dim, stripe) = (problem.shape.dim, plan.stripe);
    let rows = block.rows.len();
    let scale = R::from_f64(problem.spec.score_scale);
    let gradient = &mut gradient[chunk.start * dim..chunk.end * dim];
    let stripes = tile.scores.par_chunks(stripe * rows);
    let tasks = gradient.par_chunks_mut(stripe * dim).zip(stripes);
    tasks.for_each(|(gradient, weights)| {
        let width = gradient.len() / dim;
        let weights = View::new(weights, rows, width, stripe).transposed();
        let queries = View::new(&block.queries, rows, dim, dim);
        let add = block.rows.start > 0;
        product(gradient, dim, weights, queries, scale, add);
    });
}

fn sampled_grad_queries<R: CpuReal>(
    problem: &Problem<'_, R>,
    tile: &Tile<R>,
    block: &Block<R>,
    ids: &[u32],
    per_row: usize,
    gradient: &mut [R],
) {
    let dim = problem.shape.dim;
    let scale = R::from_f64(problem.spec.score_scale);
    let rows = (block.active(problem).par_iter()).zip(tile.scores.par_chunks(per_row));
    gradient.par_chunks_mut(dim).zip(rows).for_each_init(
        || vec![R::ZERO; dim],
        |buffer, (gradient, (row, weights))| {
            let ids = &ids[row.row * per_row..][..per_row];
            gradient.fill(R::ZERO);
            vectorized(
                #[inline(always)]
                || {
                    for (&weight, &id) in weights.iter().zip(ids) {
                        let candidate = problem.candidates.row(id as usize, buffer);
                        add_scaled(gradient, scale * weight, candidate);
                    }
                },
            );
        },
    );
}

fn sampled_grad_candidates<R: CpuReal>(
    problem: &Problem<'_, R>,
    tile: &Tile<R>,
    block: &Block<R>,
    ids: &[u32],
    per_row: usize,
    gradient: &mut [R],
) {
    let dim = problem.shape.dim;
    let scale = R::from_f64(problem.spec.score_scale);
    let sampled = (block.active(problem).iter())
        .flat_map(|row| &ids[row.row * per_row..][..per_row])
        .copied();
    let occurrences = Occurrences::new(sampled, problem.shape.candidates);
    let tasks = gradient.par_chunks_mut(CANDIDATES_PER_TASK * dim);
    tasks.enumerate().for_each(|(task, gradient)| {
        vectorized(
            #[inline(always)]
            || {
                for (i, gradient) in gradient.chunks_mut(dim).enumerate() {
                    for &place in occurrences.of(task * CANDIDATES_PER_TASK + i) {
                        let place = place as usize;
                        let query = &block.queries[place / per_row * dim..][..dim];
                        add_scaled(gradient, scale * tile.scores[place], query);
                    }
                }
            },
        );
    });
}

#[inline(always)]
fn add_scaled<R: Real>(sum: &mut [R], factor: R, vector: &[R]) {
    for (sum, &x) in sum.iter_mut().zip(vector) {
        *sum += factor * x;
    }
}
