//! What an evaluation gives, from its finished pairs.

use super::{engine::Engine, product::CpuReal};
use crate::{Counts, IGNORED, Output, PairStatistic, Result};

impl<R: CpuReal> Engine<'_, R> {
    pub(super) fn output(&self, value: f64) -> Result<Output<R>> {
        let problem = self.problem;
        let mut output = Output {
            value: R::from_f64(value),
            row_losses: vec![R::ZERO; problem.shape.pairs],
            statistics: vec![PairStatistic::default(); problem.shape.pairs],
            grad_theta: vec![R::ZERO; problem.spec.learnt()],
            counts: self.counts(),
            ..Output::default()
        };
        for (pair, finished) in problem.pairs.iter().zip(&self.finished) {
            output.row_losses[pair.pair] = finished.loss;
            output.statistics[pair.pair] = finished.statistic;
        }
        for (k, gradient) in output.grad_theta.iter_mut().enumerate() {
            let own = self.theta.iter().skip(k).step_by(problem.spec.learnt());
            *gradient = R::from_f64(self.by_loss.iter().zip(own).map(|(w, own)| w * own).sum());
        }
        output.row_parameters_after = self.row_parameters_after();
        let state = problem.spec.theta_state;
        output.theta_after = state.then(|| problem.parameters.theta[..problem.spec.thetas].into());
        output.check_finite()?;
        Ok(output)
    }

    /// The parameters that were given, with those of rows (or queries) with live pairs renewed: the
    /// last pair of each says by what.
    fn row_parameters_after(&self) -> Option<Vec<R>> {
        let (batch, each) = (self.problem.batch, self.problem.spec.row_parameters);
        let before = (batch.all_row_parameters()).filter(|_| self.problem.spec.row_state)?;
        let mut after: Vec<R> = before.iter().map(|x| R::from_f64(*x)).collect();
        for (pair, finished) in self.problem.pairs.iter().zip(&self.finished) {
            if !finished.dead {
                let place = batch.parameters_place(self.problem.rows[pair.row].row);
                after[place * each..][..each].copy_from_slice(&finished.state[..each]);
            }
        }
        Some(after)
    }

    fn counts(&self) -> Counts {
        let ids = self.problem.batch.positive_ids();
        Counts {
            dead_pairs: self.finished.iter().filter(|pair| pair.dead).count() as u64,
            ignored_pairs: ids.iter().filter(|&&id| id == IGNORED).count() as u64,
            zero_queries: self.problem.zero_queries(),
            zero_candidates: self.problem.candidates.zero_rows(),
        }
    }
}
