//! Where gradients are collected while blocks go by.

use super::{
    Gradient, Gradients,
    backward::{Sums, Targets, finish_candidates},
    occurrences::Occurrences,
    plan::Plan,
    problem::Problem,
    product::CpuReal,
    tile::Block,
};
use crate::{Columns, Real};
use rayon::prelude::*;

/// Where gradients are collected.
pub(super) struct Sinks<'a, R> {
    /// The query table's gradient.
    pub(super) queries: Option<&'a mut [R]>,
    candidates: Option<Gradient<'a, R>>,
    /// Sums over columns, where the candidates' output cannot hold them.
    sums: Option<Vec<R>>,
    /// Where the column parameters' gradient goes, and its sums.
    column_parameters: Option<(Gradient<'a, R>, Vec<f64>)>,
    /// Where the gradients of given scores go: of the positives, of the columns.
    scores: Option<(Gradient<'a, R>, Gradient<'a, R>)>,
}

impl<'a, R: CpuReal> Sinks<'a, R> {
    pub(super) fn new(
        problem: &Problem<'_, R>,
        mut gradients: Gradients<'a, R>,
        plan: &Plan,
    ) -> Self {
        let queries = gradients.queries.map(|gradient| {
            if !gradient.add {
                zero(gradient.out);
            }
            gradient.out
        });
        let mut candidates = gradients.candidates;
        let mut sums = None;
        if let Some(gradient) = &mut candidates {
            let listed = matches!(problem.batch.column_ids(), Columns::Shared(_));
            if listed {
                sums = Some(vec![R::ZERO; plan.columns * problem.shape.dim]);
            } else if gradient.add {
                sums = Some(vec![R::ZERO; gradient.out.len()]);
            } else {
                zero(gradient.out);
            }
        }
        if let Some((_, columns)) = &mut gradients.scores
            && !columns.add
        {
            zero(columns.out);
        }
        let column_parameters = gradients.column_parameters.map(|gradient| {
            let sums = vec![0.0; gradient.out.len()];
            (gradient, sums)
        });
        Sinks {
            queries,
            candidates,
            sums,
            column_parameters,
            scores: gradients.scores,
        }
    }

    /// The sums over columns, if candidates get a gradient.
    pub(super) fn columns(&mut self) -> Option<&mut [R]> {
        let out = self.candidates.as_mut()?;
        Some(self.sums.as_deref_mut().unwrap_or(out.out))
    }

    /// Whether anything needs the weights: a table, or given scores.
    pub(super) fn weights(&self) -> bool {
        self.queries.is_some() || self.candidates.is_some() || self.scores.is_some()
    }

    /// Adds a block's weights to the gradient of the given scores of its columns.
    pub(super) fn column_scores(
        &mut self,
        problem: &Problem<'_, R>,
        block: &Block<R>,
        weights: &[R],
    ) {
        let Some((_, out)) = &mut self.scores else {
            return;
        };
        let (per_row, scale) = (problem.shape.columns(), problem.spec.score_scale);
        for (row, weights) in block.active(problem).iter().zip(weights.chunks(per_row)) {
            let out = &mut out.out[row.row * per_row..][..per_row];
            for (out, &weight) in out.iter_mut().zip(weights) {
                *out += weight * R::from_f64(scale);
            }
        }
    }

    /// The sums for the column parameters, if they get a gradient.
    pub(super) fn column_parameters(&mut self) -> Option<&mut [f64]> {
        let (_, sums) = self.column_parameters.as_mut()?;
        Some(sums)
    }

    /// Completes the gradients of candidates and column parameters, if wanted.
    pub(super) fn finish(
        self,
        problem: &Problem<'_, R>,
        targets: Targets<'_, R>,
        shared: Option<&Occurrences>,
    ) {
        if let Some((out, sums)) = self.column_parameters {
            finish_column_parameters(problem, targets, sums, out);
        }
        if let Some((out, _)) = self.scores {
            finish_positive_scores(problem, targets, out);
        }
        let Some(out) = self.candidates else {
            return;
        };
        let sums = match (&self.sums, shared) {
            (None, _) => Sums::InPlace,
            (Some(sums), None) => Sums::Apart(sums),
            (Some(sums), Some(places)) => Sums::Listed(sums, places),
        };
        finish_candidates(problem, targets, &sums, out);
    }
}

fn finish_positive_scores<R: CpuReal>(
    problem: &Problem<'_, R>,
    targets: Targets<'_, R>,
    out: Gradient<'_, R>,
) {
    if !out.add {
        zero(out.out);
    }
    let positives = targets.positives.iter().zip(targets.gradients);
    for (pair, (positive, by_target)) in problem.pairs.iter().zip(positives) {
        let slope = positive.target.slope.to_f64() * problem.spec.score_scale;
        out.out[pair.pair] += R::from_f64(by_target * slope);
    }
}

fn finish_column_parameters<R: CpuReal>(
    problem: &Problem<'_, R>,
    targets: Targets<'_, R>,
    mut sums: Vec<f64>,
    out: Gradient<'_, R>,
) {
    let positives = targets.positives.iter().zip(targets.gradients);
    for (pair, (positive, by_target)) in problem.pairs.iter().zip(positives) {
        sums[pair.positive] += by_target * positive.by_column;
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
