//! Bayesian personalised ranking (BPR).

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Row, RowLoss, RowReduction, Score,
    Spec, bce::column_weight, positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// Bayesian personalised ranking: `ℓ = Σ_j softplus(s_j − s⁺)` over the row's negatives, in nats;
/// with `column_mean` their mean (over the columns that are not masked; 0 of none).
///
/// Official code (IR-Benchmark, `optim_BPR`) draws one negative per row, where sum and mean are
/// one, and takes inner products unless told otherwise; `score: cosine` is its `--norm`. Code that
/// writes log(σ(s) + 10⁻¹⁰) caps the loss at 23 nats and loses the gradient there; softplus
/// does not.
///
/// Domain: none beside the score's scale. Source: Rendle et al., "BPR: Bayesian personalized
/// ranking from implicit feedback" (UAI 2009).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bpr {
    /// Whether a row's columns are averaged, not summed.
    pub column_mean: bool,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for Bpr {
    fn default() -> Self {
        Bpr {
            column_mean: false,
            score: Score::Dot,
            score_scale: 1.0,
        }
    }
}

impl Described for Bpr {
    const ABOUT: About = About {
        title: "Bayesian personalised ranking",
        formula: "Σ_j softplus(s_j − s⁺)",
        parameters: &[
            Parameter::COLUMN_MEAN,
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Rendle et al., BPR: Bayesian personalized ranking from implicit feedback (UAI 2009)",
    };

    fn variants() -> Vec<Self> {
        let mean = Bpr {
            column_mean: true,
            ..Bpr::default()
        };
        vec![Bpr::default(), mean]
    }
}

impl Loss for Bpr {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            separable: false,
            ..Spec::log_sum_exp("bpr", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0, f64::from(u8::from(self.column_mean))]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("bpr", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/bpr.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        let gap = entry.score - entry.target;
        let slope = gap.sigmoid();
        Pair {
            value: gap.softplus(),
            score_slope: slope,
            target_slope: -slope,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let weight = column_weight(R::ONE, row.count, p.constants[1]);
        RowLoss {
            value: weight * row.sum,
            sum_slope: weight,
            target_slope: R::ZERO,
        }
    }
}
