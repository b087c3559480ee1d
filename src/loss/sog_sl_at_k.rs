//! SogSL@K: SogCLR whose positives are weighed as in SL@K.

use super::{
    About, Described, Entry, Held, Loss, Pair, Parameter, Parameters, PositiveScore, Row, RowLoss,
    RowParameter, Score, Spec, Target,
    domain::{length, share},
    held::{held_average, reduced},
    positive,
    sl_at_k::row_quantile,
    sog_clr::{average, moving_average, shares},
};
use crate::{Batch, IGNORED, MAX_ROW_PARAMETERS, Output, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// SogSL@K: `ℓ = ĝ/g − ŵ·s⁺/τ` in nats, ĝ and g as in [`SogClr`](super::SogClr), and
/// `ŵ = w / mean_batch w` with `w = σ((s⁺ − q)/τ_w)` as in [`SlAtK`](super::SlAtK): q is the K-th
/// largest score of the row's query. ŵ is a constant to gradients, and weighs the positive alone.
///
/// That makes it another loss than SL@K with a moving average: there w is differentiated, not
/// normalised, and weighs the negatives too. The mean of w is over the pairs of the batch that
/// are not ignored, by way of their logarithms, so that no weight is 0/0.
///
/// Row parameters: log g (`moving_average_before` and `moving_average_after`), then q
/// (`row_quantile`). Domain: τ, `τ_w` > 0, 0 < γ ≤ 1, K ≥ 1. Official code: IR-Benchmark,
/// `optim_SogSLatK` (cosine). Source: Yang et al., "Breaking the top-K barrier: advancing top-K
/// ranking metrics optimization in recommender systems" (KDD 2025), as IR-Benchmark implements it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SogSlAtK {
    /// Temperature τ.
    pub tau: f64,
    /// Temperature `τ_w` of the weight.
    pub tau_w: f64,
    /// γ, weight of a batch's estimate in the moving average.
    pub gamma: f64,
    /// K.
    pub k: usize,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for SogSlAtK {
    fn default() -> Self {
        SogSlAtK {
            tau: 0.1,
            tau_w: 1.0,
            gamma: 0.9,
            k: 20,
            score: Score::Cosine,
            score_scale: 1.0,
        }
    }
}

impl Described for SogSlAtK {
    const ABOUT: About = About {
        title: "SogCLR with the weights of the softmax loss at K",
        formula: "ĝ/g − ŵ·s⁺/τ, ŵ the share of σ((s⁺ − q)/τ_w) in the batch's mean",
        parameters: &[
            Parameter::TAU,
            Parameter::TAU_W,
            Parameter::GAMMA,
            Parameter::K,
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Yang et al., Breaking the top-K barrier: advancing top-K ranking metrics optimization in recommender systems (KDD 2025)",
    };
}

/// log w of a positive.
#[inline(always)]
fn log_weight<R: Real>(positive: PositiveScore<R>, p: &Parameters<R>) -> R {
    ((positive.score - positive.row[1]) * p.constants[3]).log_sigmoid()
}

impl Loss for SogSlAtK {
    fn spec(&self) -> Spec {
        Spec {
            row_parameters: 2,
            row_state: true,
            batch_statistics: true,
            ..Spec::log_sum_exp("sog_sl_at_k", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        let [old, new] = shares(self.gamma);
        vec![1.0 / self.tau, old, new, 1.0 / self.tau_w]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("sog_sl_at_k", "tau", self.tau)?;
        positive("sog_sl_at_k", "tau_w", self.tau_w)?;
        share("sog_sl_at_k", "gamma", self.gamma)?;
        length("sog_sl_at_k", "k", self.k)?;
        positive("sog_sl_at_k", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/sog_sl_at_k.wgsl")
    }

    fn row_parameters(&self) -> Vec<RowParameter> {
        vec![moving_average(), row_quantile(self.k)]
    }

    #[inline(always)]
    fn batch_value<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> R {
        log_weight(positive, p)
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        let log_mean = positive.batch.log_sum_exp - positive.batch.count.ln();
        Target {
            value: positive.score,
            slope: R::ONE,
            norm_slope: R::ZERO,
            row_constant: (log_weight(positive, p) - log_mean).exp(),
        }
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let inverse_tau = p.constants[0];
        Pair {
            value: entry.score * inverse_tau,
            score_slope: inverse_tau,
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let [inverse_tau, old, new, ..] = p.constants;
        let [_, ratio] = average([row.sum, row.count], row.row[0], [old, new]);
        let on_target = row.row_constant * inverse_tau;
        RowLoss {
            value: ratio - row.target * on_target,
            sum_slope: ratio,
            target_slope: -on_target,
        }
    }

    #[inline(always)]
    fn row_state<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> [R; MAX_ROW_PARAMETERS] {
        let [_, old, new, ..] = p.constants;
        let [after, _] = average([row.sum, row.count], row.row[0], [old, new]);
        [after, row.row[1]]
    }

    fn held(&self, batch: &Batch<'_>, output: &Output<f64>) -> Option<Held> {
        let pairs =
            || (0..batch.n_rows()).flat_map(|row| batch.pairs_of(row).map(move |p| (row, p)));
        let weight = |(row, pair): (usize, usize)| {
            let target = output.statistics[pair].target;
            ((target - batch.row_parameters_of(row)[1]) / self.tau_w).sigmoid()
        };
        let live = || pairs().filter(|(_, pair)| batch.positive(*pair) != IGNORED);
        let mean = live().map(weight).sum::<f64>() / live().count().max(1) as f64;
        let held = |row| {
            let before = batch.row_parameters_of(row)[0];
            let [after, _] = average(reduced(batch, output, row), before, shares(self.gamma));
            [after, weight((row, batch.pairs_of(row).start)) / mean]
        };
        Some(held_average(&Loss::spec(self), 1.0 / self.tau, batch, held))
    }
}
