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
        Sinks {
            queries,
            candidates,
            sums,
        }
    }

    /// The sums over columns, if candidates get a gradient.
    pub(super) fn columns(&mut self) -> Option<&mut [R]> {
        let out = self.candidates.as_mut()?;
        Some(self.sums.as_deref_mut().unwrap_or(out.out))
    }

    /// Completes the candidates' gradients, if wanted.
    pub(super) fn finish(
        self,
        problem: &Problem<'_, R>,
        targets: Targets<'_, R>,
        shared: Option<&Occurrences>,
    ) {
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

fn zero<R: Real>(out: &mut [R]) {
    out.par_chunks_mut(1 << 16)
        .for_each(|out| out.fill(R::ZERO));
}
