//! The stages between reduction and backward pass: the value, and what it asks of the targets.

use super::Engine;
use crate::{
    cpu::{
        outer::{log_mean_exp, loss_sum},
        product::CpuReal,
        row_finish::Finished,
    },
    loss::Outer,
};

impl<R: CpuReal> Engine<'_, R> {
    /// The value; ∂value/∂ℓ is final after this.
    pub(super) fn reduce(&mut self) -> f64 {
        if self.problem.spec.outer == Outer::LogMeanExp {
            let (value, by_loss) =
                log_mean_exp(self.problem.batch.value_factor().into(), &self.finished);
            self.by_loss = by_loss;
            return value;
        }
        loss_sum(&self.by_loss, &self.finished)
    }

    /// ∂value/∂t of the finished pairs that have none yet.
    pub(super) fn by_targets(&mut self) {
        let from = self.by_target.len();
        let pairs = || self.by_loss.iter().zip(&self.finished).skip(from);
        let by_shared = pairs().map(|(weight, pair)| weight * pair.target_slope);
        let mut by_shared: Vec<f64> = by_shared.collect();
        if let Some(pooled) = &self.pooled {
            pooled.backward(&mut by_shared);
        }
        let total = (pairs().zip(by_shared))
            .map(|((weight, pair), by_shared)| by_shared + weight * pair.through_columns);
        let total: Vec<f64> = total.collect();
        if self.problem.spec.norm_slope {
            let own = self.positives[from..].iter().zip(pairs());
            let alive = |pair: &Finished<R>| if pair.dead { 0.0 } else { 1.0 };
            let own = own.map(|(own, (weight, pair))| weight * alive(pair) * own.by_norm);
            let own: Vec<f64> = own.collect();
            self.by_norm.extend(own);
        }
        self.by_target.extend(total);
    }
}
