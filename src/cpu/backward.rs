//! The stages `positive_backward` and `norm_backward`: from gradients by unit vectors to gradients
//! by the tables' rows.

use super::{
    occurrences::Occurrences,
    positives::{Positive, Side, positive_backward},
    problem::{ActiveRow, Problem},
    product::CpuReal,
    tables::{Candidates, dot, inverse, norm},
    tile::Block,
};
use crate::Real;
use rayon::prelude::*;

/// What the pairs hand to both sides.
#[derive(Clone, Copy)]
pub(super) struct Targets<'a, R> {
    pub(super) positives: &'a [Positive<R>],
    /// ∂value/∂t per live pair.
    pub(super) gradients: &'a [f64],
    /// ∂value/∂‖q‖ at fixed R and t per live pair; empty for none.
    pub(super) by_norm: &'a [f64],
}

/// `(a − ⟨a, unit⟩ unit)/‖·‖` for a table taken to unit length; nothing to do for another.
fn norm_backward(is_unit: bool, factor: f64, unit: &[f64], gradient: &mut [f64]) {
    if !is_unit {
        return;
    }
    let along = dot(gradient, unit);
    for (gradient, unit) in gradient.iter_mut().zip(unit) {
        *gradient = factor * (*gradient - along * unit);
    }
}

fn query_side<'a, R>(problem: &Problem<'_, R>, row: &ActiveRow, query: &'a [f64]) -> Side<'a> {
    Side {
        vector: query,
        inverse: inverse(row.factor * row.norm),
        unit: problem.spec.score.unit_queries(),
    }
}

/// The candidate's side; where candidates keep their length no target asks for it.
fn candidate_side<'a, R: CpuReal>(
    problem: &Problem<'_, R>,
    id: usize,
    candidate: &'a [f64],
) -> Side<'a> {
    let degenerate = problem.candidates.factor(id) == 0.0;
    Side {
        vector: candidate,
        inverse: if degenerate { 0.0 } else { 1.0 },
        unit: problem.spec.score.unit_candidates(),
    }
}

/// Widens.
pub(super) fn load<R: Real>(sum: &mut [f64], from: &[R]) {
    for (sum, from) in sum.iter_mut().zip(from) {
        *sum = from.to_f64();
    }
}

/// Completes the gradients of a block's rows in place: rows × D.
pub(super) fn finish_rows<R: CpuReal>(
    problem: &Problem<'_, R>,
    block: &Block<R>,
    targets: Targets<'_, R>,
    gradient: &mut [R],
) {
    let dim = problem.shape.dim;
    let rows = gradient.par_chunks_mut(dim).zip(block.active(problem));
    rows.with_min_len(8).for_each_init(
        || [(); 3].map(|()| vec![0.0; dim]),
        |[sum, query, candidate], (gradient, row)| {
            load(sum, gradient);
            problem.read_query_double(row, query);
            let mut by_norm = 0.0;
            for at in row.pairs.clone() {
                let (positive, by_target) = (&targets.positives[at], targets.gradients[at]);
                let Some(id) = problem.pairs[at].positive else {
                    continue;
                };
                problem.candidates.read_double(id, candidate);
                let own = query_side(problem, row, query);
                let other = candidate_side(problem, id, candidate);
                positive_backward(problem, positive, by_target, own, other, sum);
                by_norm += by_target * positive.target.norm_slope.to_f64();
                by_norm += targets.by_norm.get(at).copied().unwrap_or(0.0);
            }
            norm_backward(problem.spec.score.unit_queries(), row.factor, query, sum);
            // The query as read has length factor · ‖q‖.
            let radial = by_norm * inverse(row.factor * row.norm);
            for (gradient, (sum, query)) in gradient.iter_mut().zip(sum.iter().zip(&*query)) {
                *gradient = R::from_f64(sum + radial * query);
            }
        },
    );
}

/// Completes the gradients of a block's second queries in place.
pub(super) fn finish_second_rows<R: CpuReal>(
    problem: &Problem<'_, R>,
    block: &Block<R>,
    gradient: &mut [R],
) {
    let Some(second) = &problem.second else {
        return;
    };
    if !second.score.unit_queries() {
        return;
    }
    let dim = second.queries.dim();
    let rows = gradient.par_chunks_mut(dim).zip(block.active(problem));
    rows.with_min_len(8).for_each_init(
        || [(); 2].map(|()| vec![0.0; dim]),
        |[sum, query], (gradient, row)| {
            load(sum, gradient);
            second.queries.read_row(row.query, query);
            let factor = inverse(norm(query));
            for x in query.iter_mut() {
                *x *= factor;
            }
            norm_backward(true, factor, query, sum);
            for (gradient, sum) in gradient.iter_mut().zip(&*sum) {
                *gradient = R::from_f64(*sum);
            }
        },
    );
}

/// Adds the finished rows of a block to the table's gradient, in the order of the rows.
pub(super) fn scatter_rows<R: CpuReal>(
    problem: &Problem<'_, R>,
    block: &Block<R>,
    dim: usize,
    rows: &[R],
    table: &mut [R],
) {
    for (row, gradient) in block.active(problem).iter().zip(rows.chunks(dim)) {
        let table = &mut table[row.query * dim..(row.query + 1) * dim];
        for (sum, &x) in table.iter_mut().zip(gradient) {
            *sum += x;
        }
    }
}

/// Completes the gradients of all candidates: with the positives' own terms, and, where the sums
/// over columns lie in the output (`in_place`), with the step back through the norm.
pub(super) fn finish_candidates<R: CpuReal>(
    problem: &Problem<'_, R>,
    targets: Targets<'_, R>,
    in_place: bool,
    out: &mut [R],
) {
    let dim = problem.shape.dim;
    // Rows without a positive stand behind the last candidate.
    let none = problem.shape.candidates;
    let positives = (problem.pairs.iter()).map(|pair| pair.positive.unwrap_or(none) as u32);
    let pairs_of = Occurrences::new(positives, none + 1);
    let rows = out.par_chunks_mut(dim).enumerate().with_min_len(32);
    rows.for_each_init(
        || [(); 3].map(|()| vec![0.0; dim]),
        |[sum, candidate, query], (id, out)| {
            let pairs = pairs_of.of(id);
            if in_place {
                load(sum, out);
                out.fill(R::ZERO);
            } else if pairs.is_empty() {
                return;
            } else {
                sum.fill(0.0);
            }
            problem.candidates.read_double(id, candidate);
            for &at in pairs {
                let at = at as usize;
                let (positive, by_target) = (&targets.positives[at], targets.gradients[at]);
                let row = &problem.rows[problem.pairs[at].row];
                problem.read_query_double(row, query);
                let own = candidate_side(problem, id, candidate);
                let other = query_side(problem, row, query);
                positive_backward(problem, positive, by_target, own, other, sum);
            }
            add_through_norm(&problem.candidates, id, candidate, sum, out);
        },
    );
}

/// Compact gradients: every live pair's own term, in its row behind those of the columns.
pub(super) fn add_pairs<R: CpuReal>(
    problem: &Problem<'_, R>,
    targets: Targets<'_, R>,
    out: &mut [R],
) {
    let dim = problem.shape.dim;
    let mut buffers = [(); 3].map(|()| vec![0.0; dim]);
    let [sum, candidate, query] = &mut buffers;
    let pairs = targets.positives.iter().zip(targets.gradients);
    for (pair, (positive, by_target)) in problem.pairs.iter().zip(pairs) {
        let Some(id) = pair.positive else {
            continue;
        };
        let row = &problem.rows[pair.row];
        problem.candidates.read_double(id, candidate);
        problem.read_query_double(row, query);
        sum.fill(0.0);
        let own = candidate_side(problem, id, candidate);
        let other = query_side(problem, row, query);
        positive_backward(problem, positive, *by_target, own, other, sum);
        let at = problem.shape.columns() + pair.pair;
        let out = &mut out[at * dim..(at + 1) * dim];
        add_through_norm(&problem.candidates, id, candidate, sum, out);
    }
}

/// Adds a candidate's gradient by its unit vector to the one by its row: linear, so parts of the
/// former may come one by one.
pub(super) fn add_through_norm<R: CpuReal>(
    candidates: &Candidates<'_, R>,
    id: usize,
    candidate: &[f64],
    sum: &mut [f64],
    out: &mut [R],
) {
    norm_backward(candidates.are_unit(), candidates.factor(id), candidate, sum);
    for (out, &sum) in out.iter_mut().zip(&*sum) {
        *out += R::from_f64(sum);
    }
}
