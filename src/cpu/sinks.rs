//! Where gradients are collected while blocks go by.

use super::{
    Gradient, Gradients,
    backward::{Targets, add_pairs, finish_candidates},
    gradients::{Operands, grad_columns},
    occurrences::Occurrences,
    pieces::Place,
    plan::Plan,
    problem::Problem,
    product::CpuReal,
    tile::Block,
};
use crate::{Columns, Real, Result, finite::check_finite};
use rayon::prelude::*;
use std::ops::Range;

/// Where gradients are collected.
pub(super) struct Sinks<'a, R> {
    /// The query table's gradient.
    pub(super) queries: Option<&'a mut [R]>,
    candidates: Option<&'a mut [R]>,
    /// Whether sums over columns are collected in the candidates' gradient, to be completed there
    /// after the last block. Where it holds something else already, or a candidate has several
    /// columns, they are completed and added piece by piece.
    in_place: bool,
    /// Whether columns and pairs have rows of their own in the candidates' gradients.
    compact: bool,
    /// The sums of one piece.
    sums: Vec<R>,
    /// Where the column parameters' gradient goes, and its sums.
    column_parameters: Option<(Gradient<'a, R>, Vec<f64>)>,
    /// Where the second tables' gradients go: of the queries, of the candidates.
    pub(super) second: Option<(&'a mut [R], &'a mut [R])>,
    /// Where the gradients of given scores go: of the positives, of the columns.
    scores: Option<(&'a mut [R], &'a mut [R])>,
}

impl<'a, R: CpuReal> Sinks<'a, R> {
    pub(super) fn new(problem: &Problem<'_, R>, gradients: Gradients<'a, R>) -> Self {
        let listed = matches!(problem.batch.column_ids(), Columns::Shared(_));
        let added = (gradients.candidates.as_ref()).is_some_and(|gradient| gradient.add);
        let [queries, candidates] =
            [gradients.queries, gradients.candidates].map(|gradient| gradient.map(cleared));
        let column_parameters = gradients.column_parameters.map(|gradient| {
            let sums = vec![0.0; gradient.out.len()];
            (gradient, sums)
        });
        Sinks {
            queries,
            candidates,
            in_place: !listed && !added,
            compact: gradients.compact,
            sums: Vec::new(),
            column_parameters,
            second: (gradients.second)
                .map(|(queries, candidates)| (cleared(queries), cleared(candidates))),
            scores: (gradients.scores)
                .map(|(positives, columns)| (cleared(positives), cleared(columns))),
        }
    }

    /// Whether anything needs the weights: a table, or given scores.
    pub(super) fn weights(&self) -> bool {
        self.queries.is_some()
            || self.candidates.is_some()
            || self.second.is_some()
            || self.scores.is_some()
    }

    /// The candidates' gradient, if there is one.
    pub(super) fn candidates(&mut self) -> Option<&mut [R]> {
        self.candidates.as_deref_mut()
    }

    /// Whether sums by candidates' unit vectors can be collected where their gradient goes, or none
    /// is wanted.
    pub(super) fn candidates_in_place(&self) -> bool {
        self.in_place || self.candidates.is_none()
    }

    /// The sums for the column parameters, if they get a gradient.
    pub(super) fn column_parameters(&mut self) -> Option<&mut [f64]> {
        let (_, sums) = self.column_parameters.as_mut()?;
        Some(sums)
    }

    /// The candidates' gradient and the column parameters' sums, where they are wanted.
    pub(super) fn by_columns(&mut self) -> (Option<&mut [R]>, Option<&mut [f64]>) {
        let parameters = self.column_parameters.as_mut();
        (
            self.candidates.as_deref_mut(),
            parameters.map(|(_, sums)| sums.as_mut_slice()),
        )
    }

    /// Adds a block's weights to the gradient of the given scores of its columns.
    pub(super) fn add_scores(&mut self, problem: &Problem<'_, R>, block: &Block<R>, weights: &[R]) {
        let Some((_, out)) = &mut self.scores else {
            return;
        };
        let (per_row, scale) = (problem.shape.columns(), problem.spec.score_scale);
        for (row, weights) in block.active(problem).iter().zip(weights.chunks(per_row)) {
            let out = &mut out[row.row * per_row..][..per_row];
            for (out, &weight) in out.iter_mut().zip(weights) {
                *out += weight * R::from_f64(scale);
            }
        }
    }

    /// Adds the block's share to the gradients of the chunk's columns, if candidates get one.
    pub(super) fn add_columns(
        &mut self,
        problem: &Problem<'_, R>,
        plan: &Plan,
        operands: &Operands<'_, '_, R>,
        block: &Block<R>,
        chunk: &Range<usize>,
        shared: Option<&Occurrences>,
    ) {
        let Some(out) = self.candidates.as_deref_mut() else {
            return;
        };
        let dim = problem.shape.dim;
        let listed = matches!(problem.batch.column_ids(), Columns::Sampled { .. });
        if self.in_place && !listed {
            let sums = &mut out[chunk.start * dim..chunk.end * dim];
            let add = block.rows.start > 0;
            return grad_columns(plan, operands, block, [chunk, chunk], sums, add);
        }
        let place = Place {
            problem,
            plan,
            block,
            chunk,
            shared: shared.filter(|_| !self.compact),
        };
        place.add(operands, self.in_place, &mut self.sums, out);
    }

    /// Adds the block's share to the gradients of the second candidates, if they get one.
    pub(super) fn add_second_columns(
        &mut self,
        problem: &Problem<'_, R>,
        plan: &Plan,
        operands: &Operands<'_, '_, R>,
        block: &Block<R>,
        chunk: &Range<usize>,
        shared: Option<&Occurrences>,
    ) {
        let Some((_, out)) = &mut self.second else {
            return;
        };
        let place = Place {
            problem,
            plan,
            block,
            chunk,
            shared: shared.filter(|_| !self.compact),
        };
        place.add(operands, false, &mut self.sums, out);
    }

    /// Completes the gradients, and says whether all are finite.
    pub(super) fn finish(self, problem: &Problem<'_, R>, targets: Targets<'_, R>) -> Result<()> {
        if let Some((mut out, sums)) = self.column_parameters {
            finish_column_parameters(problem, targets, sums, &mut out);
            check_finite("grad_column_parameters", out.out)?;
        }
        if let Some((positives, columns)) = self.scores {
            finish_positive_scores(problem, targets, positives);
            check_finite("grad_positive_scores", positives)?;
            check_finite("grad_column_scores", columns)?;
        }
        if let Some((queries, candidates)) = self.second {
            check_finite("grad_second_queries", queries)?;
            check_finite("grad_second_candidates", candidates)?;
        }
        if let Some(out) = self.candidates {
            if self.compact {
                add_pairs(problem, targets, out);
            } else {
                finish_candidates(problem, targets, self.in_place, out);
            }
            check_finite("grad_candidates", out)?;
        }
        check_finite("grad_queries", self.queries.unwrap_or_default())
    }
}

/// The caller's numbers, zero unless they are added to.
fn cleared<R: Real>(gradient: Gradient<'_, R>) -> &mut [R] {
    if !gradient.add {
        zero(gradient.out);
    }
    gradient.out
}

fn finish_positive_scores<R: CpuReal>(
    problem: &Problem<'_, R>,
    targets: Targets<'_, R>,
    out: &mut [R],
) {
    let positives = targets.positives.iter().zip(targets.gradients);
    for (pair, (positive, by_target)) in problem.pairs.iter().zip(positives) {
        let slope = positive.target.slope.to_f64() * problem.spec.score_scale;
        out[pair.pair] += R::from_f64(by_target * slope);
    }
}

fn finish_column_parameters<R: CpuReal>(
    problem: &Problem<'_, R>,
    targets: Targets<'_, R>,
    mut sums: Vec<f64>,
    out: &mut Gradient<'_, R>,
) {
    let positives = targets.positives.iter().zip(targets.gradients);
    for (pair, (positive, by_target)) in problem.pairs.iter().zip(positives) {
        if let Some(id) = pair.positive {
            sums[id] += by_target * positive.by_column;
        }
    }
    for (out_number, sum) in out.out.iter_mut().zip(sums) {
        let before = if out.add { *out_number } else { R::ZERO };
        *out_number = before + R::from_f64(sum);
    }
}

fn zero<R: Real>(out: &mut [R]) {
    out.par_chunks_mut(1 << 16)
        .for_each(|out| out.fill(R::ZERO));
}
