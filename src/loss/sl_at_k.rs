//! Softmax loss at K (SL@K): the softmax loss, weighed by whether the positive is among the best K.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Renewal, Row, RowLoss,
    RowParameter, Score, Spec, domain::length, positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// Softmax loss at K: `ℓ = w·Λ` in nats, with `Λ = LSE_j((s_j − s⁺)/τ)` the softmax loss and
/// `w = σ((s⁺ − q)/τ_w)` its weight, which is differentiated too.
///
/// q, the row parameter `row_quantile`, is the K-th largest score of the row's query, a number that
/// training renews now and then ([`Renewal::KthLargest`]); 0 before. Since ∂w/∂s⁺ multiplies Λ, the
/// number of columns changes the gradient: a mean inside the logarithm would be another loss.
///
/// Domain: τ, `τ_w` > 0, K ≥ 1. Official code (IR-Benchmark, `optim_SLatK`): cosine, 1,000 sampled
/// negatives without the positive, q from a user's kept positives and each row's negatives; the
/// paper, and training here, take it over all candidates.
/// Source: Yang et al., "Breaking the top-K barrier: advancing top-K ranking metrics optimization in
/// recommender systems" (KDD 2025).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlAtK {
    /// Temperature τ of the softmax loss.
    pub tau: f64,
    /// Temperature `τ_w` of the weight.
    pub tau_w: f64,
    /// K.
    pub k: usize,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for SlAtK {
    fn default() -> Self {
        SlAtK {
            tau: 0.1,
            tau_w: 1.0,
            k: 20,
            score: Score::Cosine,
            score_scale: 1.0,
        }
    }
}

/// q of the losses at K: the K-th largest score of a row's query.
pub(super) fn row_quantile(k: usize) -> RowParameter {
    RowParameter {
        name: "row_quantile",
        after: None,
        log: false,
        initial: 0.0,
        renewal: Renewal::KthLargest(k),
    }
}

impl Described for SlAtK {
    const ABOUT: About = About {
        title: "softmax loss at K",
        formula: "σ((s⁺ − q)/τ_w) · log Σ_j e^{(s_j − s⁺)/τ}, q the K-th largest score",
        parameters: &[
            Parameter::TAU,
            Parameter::TAU_W,
            Parameter::K,
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Yang et al., Breaking the top-K barrier: advancing top-K ranking metrics optimization in recommender systems (KDD 2025)",
    };
}

impl Loss for SlAtK {
    fn spec(&self) -> Spec {
        Spec {
            row_parameters: 1,
            ..Spec::log_sum_exp("sl_at_k", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0 / self.tau, 1.0 / self.tau_w]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("sl_at_k", "tau", self.tau)?;
        positive("sl_at_k", "tau_w", self.tau_w)?;
        length("sl_at_k", "k", self.k)?;
        positive("sl_at_k", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/sl_at_k.wgsl")
    }

    fn row_parameters(&self) -> Vec<RowParameter> {
        vec![row_quantile(self.k)]
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
        let [inverse_tau, inverse_tau_w, ..] = p.constants;
        let lead = (row.target - row.row[0]) * inverse_tau_w;
        let weight = lead.sigmoid();
        let softmax = row.sum - row.target * inverse_tau;
        let weight_slope = weight * (-lead).sigmoid() * inverse_tau_w;
        RowLoss {
            value: weight * softmax,
            sum_slope: weight,
            target_slope: weight_slope * softmax - weight * inverse_tau,
        }
    }
}
