//! Where gradients are collected while blocks go by.

use super::{
    Gradient, Gradients,
    backward::{Sums, Targets, finish_candidates},
    occurrences::Occurrences,
    plan::Plan,
    problem::Problem,
    product::CpuReal,
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
}

impl<'a, R: CpuReal> Sinks<'a, R> {
    pub(super) fn new(problem: &Problem<'_, R>, gradients: Gradients<'a, R>, plan: &Plan) -> Self {
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
        let column_parameters = gradients.column_parameters.map(|gradient| {
            let sums = vec![0.0; gradient.out.len()];
            (gradient, sums)
        });
        Sinks {
            queries,
            candidates,
            sums,
            column_parameters,
        }
    }

    /// The sums over columns, if candidates get a gradient.
    pub(super) fn columns(&mut self) -> Option<&mut [R]> {
        let out = self.candidates.as_mut()?;
        Some(self.sums.as_deref_mut().unwrap_or(out.out))
    }

    /// Whether a table gets a gradient.
    pub(super) fn tables(&self) -> bool {
        self.queries.is_some() || self.candidates.is_some()
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
