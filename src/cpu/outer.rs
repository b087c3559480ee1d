//! From pair losses to the value: weights, upstream gradients, mean, sum, or log-mean-exp.

use super::{
    pool::{Pooled, log_sum_exp},
    problem::Problem,
    product::CpuReal,
    row_finish::Finished,
};
use crate::{Real, Reduction};

/// ∂value/∂ℓ of every live pair, where it does not depend on the losses.
pub(super) fn row_weights<R: CpuReal>(
    problem: &Problem<'_, R>,
    pooled: Option<&Pooled>,
) -> Vec<f64> {
    let batch = problem.batch;
    let (live, factor) = (problem.pairs.len(), f64::from(batch.value_factor()));
    let divisor = match batch.reduction_of_rows() {
        Reduction::Mean => pooled.and_then(Pooled::divisor).unwrap_or(live) as f64,
        Reduction::Sum | Reduction::None { .. } => 1.0,
    };
    let weight = |(at, pair): (usize, usize)| {
        let own = batch
            .pair_weights()
            .map_or(1.0, |weights| f64::from(weights[pair]));
        let upstream = match batch.reduction_of_rows() {
            Reduction::None { upstream } => f64::from(upstream[pair]),
            Reduction::Mean | Reduction::Sum => 1.0,
        };
        let group = pooled.map_or(1.0, |pooled| pooled.weight(at));
        factor * own * upstream * group / divisor
    };
    let pairs = problem.pairs.iter().map(|pair| pair.pair);
    pairs.enumerate().map(weight).collect()
}

/// `Σ weight · ℓ`.
pub(super) fn loss_sum<R: Real>(weights: &[f64], finished: &[Finished<R>]) -> f64 {
    let terms = weights.iter().zip(finished);
    terms
        .map(|(weight, pair)| weight * pair.loss.to_f64())
        .sum()
}

/// `log Σ e^ℓ − log Σ count` over the live pairs, and ∂value/∂ℓ of each.
pub(super) fn log_mean_exp<R: Real>(factor: f64, finished: &[Finished<R>]) -> (f64, Vec<f64>) {
    let alive = finished.iter().filter(|pair| !pair.dead);
    let sum = log_sum_exp(alive.map(|pair| pair.loss.to_f64()));
    if sum == f64::NEG_INFINITY {
        return (0.0, vec![0.0; finished.len()]);
    }
    let count: f64 = (finished.iter())
        .map(|pair| pair.statistic.count.to_f64())
        .sum();
    let share = |pair: &Finished<R>| {
        if pair.dead {
            0.0
        } else {
            factor * (pair.loss.to_f64() - sum).exp()
        }
    };
    (
        factor * (sum - count.ln()),
        finished.iter().map(share).collect(),
    )
}
