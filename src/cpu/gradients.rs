//! The products that know no loss: `grad_queries += W·C` and `grad_candidates += Wᵀ·Q`, by the
//! vectors that the scores are made of.

use super::{
    backward::{add_through_norm, load},
    occurrences::Occurrences,
    plan::Plan,
    problem::Problem,
    product::{CpuReal, View, product},
    tables::Candidates,
    tile::{Block, Tile},
};
use crate::{Columns, Real};
use rayon::prelude::*;
use std::ops::Range;

/// Candidates that one task of the sampled product sums for, at least.
const CANDIDATES_PER_TASK: usize = 256;

/// What the products multiply: the first tile's weights with its tables, or the second's.
pub(super) struct Operands<'a, 'm, R> {
    /// The candidates, D wide.
    pub(super) candidates: &'a Candidates<'m, R>,
    /// The block's queries.
    pub(super) queries: &'a [R],
    /// The chunk's weights.
    pub(super) weights: &'a [R],
    /// Factor on the score.
    pub(super) scale: R,
}

impl<'a, 'm, R: CpuReal> Operands<'a, 'm, R> {
    /// Those of the first tile, and room for rows of candidates.
    pub(super) fn first(
        problem: &'a Problem<'m, R>,
        tile: &'a mut Tile<R>,
        block: &'a Block<R>,
    ) -> (Self, &'a mut Vec<R>) {
        let operands = Operands {
            candidates: &problem.candidates,
            queries: &block.queries,
            weights: &tile.scores,
            scale: R::from_f64(problem.spec.score_scale),
        };
        (operands, &mut tile.buffer)
    }

    /// Those of the second tile, if there is one.
    pub(super) fn second(
        problem: &'a Problem<'m, R>,
        tile: &'a mut Tile<R>,
        block: &'a Block<R>,
    ) -> Option<(Self, &'a mut Vec<R>)> {
        let operands = Operands {
            candidates: &problem.second.as_ref()?.candidates,
            queries: &block.second_queries,
            weights: &tile.second,
            scale: R::ONE,
        };
        Some((operands, &mut tile.second_buffer))
    }
}

/// Adds the chunk's share to the block's `gradient` (rows × D).
pub(super) fn grad_queries<R: CpuReal>(
    problem: &Problem<'_, R>,
    plan: &Plan,
    (operands, buffer): (&Operands<'_, '_, R>, &mut Vec<R>),
    block: &Block<R>,
    chunk: &Range<usize>,
    gradient: &mut [R],
) {
    if let Columns::Sampled { ids, per_row } = problem.batch.column_ids() {
        return sampled_grad_queries(problem, operands, block, ids, per_row, gradient);
    }
    let (dim, stripe) = (operands.candidates.dim(), plan.stripe);
    let rows = block.rows.len();
    let columns = operands.candidates.rows(chunk.start, chunk.end, buffer);
    let group = plan.group(rows, 1);
    let tasks = gradient.par_chunks_mut(group * dim).enumerate();
    tasks.for_each(|(task, gradient)| {
        let height = gradient.len() / dim;
        for (i, columns) in columns.chunks(stripe * dim).enumerate() {
            let width = columns.len() / dim;
            let weights = &operands.weights[(i * rows + task * group) * stripe..];
            let weights = View::new(weights, height, width, stripe);
            let columns = View::new(columns, width, dim, dim);
            let add = i > 0 || chunk.start > 0;
            product(gradient, dim, weights, columns, operands.scale, add);
        }
    });
}

/// Writes (or adds) the block's share to the sums of the columns of `piece`, columns × D. A piece
/// is made of stripes of the chunk.
pub(super) fn grad_columns<R: CpuReal>(
    plan: &Plan,
    operands: &Operands<'_, '_, R>,
    block: &Block<R>,
    [chunk, piece]: [&Range<usize>; 2],
    sums: &mut [R],
    add: bool,
) {
    let (dim, stripe) = (operands.candidates.dim(), plan.stripe);
    let rows = block.rows.len();
    let weights = &operands.weights[(piece.start - chunk.start) * rows..];
    let stripes = weights.par_chunks(stripe * rows);
    let tasks = sums.par_chunks_mut(stripe * dim).zip(stripes);
    tasks.for_each(|(sums, weights)| {
        let width = sums.len() / dim;
        let weights = View::new(weights, rows, width, stripe).transposed();
        let queries = View::new(operands.queries, rows, dim, dim);
        product(sums, dim, weights, queries, operands.scale, add);
    });
}

fn sampled_grad_queries<R: CpuReal>(
    problem: &Problem<'_, R>,
    operands: &Operands<'_, '_, R>,
    block: &Block<R>,
    ids: &[u32],
    per_row: usize,
    gradient: &mut [R],
) {
    let (dim, scale) = (operands.candidates.dim(), operands.scale);
    let rows = (block.active(problem).par_iter()).zip(operands.weights.par_chunks(per_row));
    gradient.par_chunks_mut(dim).zip(rows).for_each_init(
        || vec![R::ZERO; dim],
        |buffer, (gradient, (row, weights))| {
            let ids = &ids[row.row * per_row..][..per_row];
            gradient.fill(R::ZERO);
            R::vectorized(
                #[inline(always)]
                || {
                    for (&weight, &id) in weights.iter().zip(ids) {
                        let candidate = operands.candidates.row(id as usize, buffer);
                        add_scaled(gradient, scale * weight, candidate);
                    }
                },
            );
        },
    );
}

/// Adds the block's share to the gradients of all candidates: by their unit vectors if those are
/// completed later (`in_place`), otherwise by their rows.
pub(super) fn sampled_grad_candidates<R: CpuReal>(
    problem: &Problem<'_, R>,
    operands: &Operands<'_, '_, R>,
    block: &Block<R>,
    (ids, per_row): (&[u32], usize),
    gradient: &mut [R],
    in_place: bool,
) {
    let dim = operands.candidates.dim();
    let sampled = (block.active(problem).iter())
        .flat_map(|row| &ids[row.row * per_row..][..per_row])
        .copied();
    let occurrences = Occurrences::new(sampled, problem.shape.candidates);
    let rows = gradient.par_chunks_mut(dim).enumerate();
    rows.with_min_len(CANDIDATES_PER_TASK).for_each_init(
        || (vec![R::ZERO; dim], [(); 2].map(|()| vec![0.0; dim])),
        |(apart, [sum, candidate]), (id, gradient)| {
            let places = occurrences.of(id);
            if in_place {
                add_places(operands, per_row, places, gradient);
            } else if !places.is_empty() {
                apart.fill(R::ZERO);
                add_places(operands, per_row, places, apart);
                load(sum, apart);
                operands.candidates.read_double(id, candidate);
                add_through_norm(operands.candidates, id, candidate, sum, gradient);
            }
        },
    );
}

/// Adds up weight · query over some places of the block.
fn add_places<R: CpuReal>(
    operands: &Operands<'_, '_, R>,
    per_row: usize,
    places: &[u32],
    sum: &mut [R],
) {
    let (dim, scale) = (operands.candidates.dim(), operands.scale);
    R::vectorized(
        #[inline(always)]
        || {
            for &place in places {
                let place = place as usize;
                let query = &operands.queries[place / per_row * dim..][..dim];
                add_scaled(sum, scale * operands.weights[place], query);
            }
        },
    );
}

#[inline(always)]
fn add_scaled<R: Real>(sum: &mut [R], factor: R, vector: &[R]) {
    for (sum, &x) in sum.iter_mut().zip(vector) {
        *sum += factor * x;
    }
}
