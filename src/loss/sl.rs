//! Softmax loss (SL, sampled softmax) and InfoNCE.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Row, RowLoss, Score, Spec, positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// Softmax loss: `ℓ = log Σ_j e^{(s_j − s⁺)/τ}` over the row's negatives, in nats.
///
/// With `positive_in_sum` the positive's own term e⁰ joins the sum (the papers' form, InfoNCE):
/// `ℓ = softplus(LSE_j(s_j/τ) − s⁺/τ)`.
///
/// Domain: τ > 0, dimensionless, in units of the score. Official code (IR-Benchmark,
/// `optim_Softmax`) uses cosine and keeps the positive out of the sum.
/// Source: Wu et al., "On the effectiveness of sampled softmax loss for item recommendation".
///
/// `log_q` is subtracted from every logit in the sum; with the positive in the sum also from its
/// own, in sum and numerator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sl {
    /// Temperature τ.
    pub tau: f64,
    /// Whether the positive joins the sum.
    pub positive_in_sum: bool,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for Sl {
    fn default() -> Self {
        Sl {
            tau: 0.1,
            positive_in_sum: false,
            score: Score::Cosine,
            score_scale: 1.0,
        }
    }
}

impl Sl {
    /// SL on cosines at temperature τ.
    #[must_use]
    pub fn new(tau: f64) -> Self {
        Sl {
            tau,
            ..Sl::default()
        }
    }
}

impl Described for Sl {
    const ABOUT: About = About {
        title: "softmax loss, sampled softmax",
        formula: "log Σ_j e^{(s_j − s⁺)/τ}",
        parameters: &[
            Parameter::TAU,
            Parameter {
                name: "positive_in_sum",
                domain: "true, false",
                meaning: "whether the positive joins the sum",
            },
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Wu et al., On the effectiveness of sampled softmax loss for item recommendation (TOIS 2024)",
    };

    fn variants() -> Vec<Self> {
        let in_sum = Sl {
            positive_in_sum: true,
            ..Sl::default()
        };
        let dot = Sl {
            score: Score::Dot,
            ..Sl::new(0.5)
        };
        vec![Sl::default(), in_sum, dot]
    }
}

impl Loss for Sl {
    fn spec(&self) -> Spec {
        Spec::log_sum_exp("sl", self.score, self.score_scale)
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0 / self.tau, f64::from(u8::from(self.positive_in_sum))]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("sl", "tau", self.tau)?;
        positive("sl", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/sl.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        pair(entry, p)
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let inverse_tau = p.constants[0];
        if p.constants[1] == R::ZERO {
            return over_columns(row, inverse_tau);
        }
        in_sum(row, inverse_tau)
    }
}

/// InfoNCE: SL with the positive in the sum, `ℓ = −log e^{s⁺/τ} / (e^{s⁺/τ} + Σ_j e^{s_j/τ})`.
///
/// Domain: τ > 0. Source: van den Oord et al., "Representation learning with contrastive
/// predictive coding".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InfoNce {
    /// Temperature τ.
    pub tau: f64,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for InfoNce {
    fn default() -> Self {
        InfoNce {
            tau: 0.1,
            score: Score::Cosine,
            score_scale: 1.0,
        }
    }
}

impl Described for InfoNce {
    const ABOUT: About = About {
        title: "InfoNCE: the softmax loss with the positive in the sum",
        formula: "−log e^{s⁺/τ} / (e^{s⁺/τ} + Σ_j e^{s_j/τ})",
        parameters: &[Parameter::TAU, Parameter::SCORE, Parameter::SCORE_SCALE],
        source: "van den Oord et al., Representation learning with contrastive predictive coding (2018)",
    };
}

impl Loss for InfoNce {
    fn spec(&self) -> Spec {
        Spec::log_sum_exp("info_nce", self.score, self.score_scale)
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0 / self.tau, 1.0]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("info_nce", "tau", self.tau)?;
        positive("info_nce", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/sl.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        pair(entry, p)
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        in_sum(row, p.constants[0])
    }
}

/// z = s/τ.
#[inline(always)]
pub(super) fn pair<R: Real>(entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
    let inverse_tau = p.constants[0];
    Pair {
        value: entry.score * inverse_tau,
        score_slope: inverse_tau,
        target_slope: R::ZERO,
    }
}

/// The log-sum over the columns alone.
#[inline(always)]
pub(super) fn over_columns<R: Real>(row: Row<R>, inverse_tau: R) -> RowLoss<R> {
    RowLoss {
        value: row.sum - row.target * inverse_tau,
        sum_slope: R::ONE,
        target_slope: -inverse_tau,
    }
}

/// The log-sum over the columns and the positive.
#[inline(always)]
pub(super) fn in_sum<R: Real>(row: Row<R>, inverse_tau: R) -> RowLoss<R> {
    let gap = row.sum - (row.target * inverse_tau + row.positive_offset);
    let share = gap.sigmoid();
    RowLoss {
        value: gap.softplus(),
        sum_slope: share,
        target_slope: -(share * inverse_tau),
    }
}
