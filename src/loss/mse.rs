//! Mean squared error (MSE): positives towards 1, columns towards 0.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Row, RowLoss, RowReduction, Score,
    Spec, bce::column_weight, positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// Squared error: `ℓ = (s⁺ − 1)² + w Σ_j s_j²` over the row's negatives; with `column_mean` the
/// sum becomes a mean (w/n, n the columns that are not masked). Not in nats: there is no logarithm.
///
/// Pointwise, as weighted matrix factorisation has it: w is c⁻ with c⁺ = 1. A row whose columns are
/// all masked keeps the positive's term. z is quadratic in s, so over all columns of dot products
/// its sum follows from the candidates' second moments
/// ([`Spec::quadratic`](super::Spec::quadratic)).
///
/// Domain: w > 0 (papers: w ≤ 1). Source: Hu et al., "Collaborative filtering for implicit feedback
/// datasets" (ICDM 2008), eq. 3 with a constant confidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mse {
    /// w, weight of the negatives.
    pub neg_weight: f64,
    /// Whether a row's columns are averaged, not summed.
    pub column_mean: bool,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for Mse {
    fn default() -> Self {
        Mse {
            neg_weight: 0.1,
            column_mean: false,
            score: Score::Dot,
            score_scale: 1.0,
        }
    }
}

impl Described for Mse {
    const ABOUT: About = About {
        title: "squared error, weighted matrix factorisation",
        formula: "(s⁺ − 1)² + w Σ_j s_j²",
        parameters: &[
            Parameter::NEG_WEIGHT,
            Parameter::COLUMN_MEAN,
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Hu et al., Collaborative filtering for implicit feedback datasets (ICDM 2008)",
    };

    fn variants() -> Vec<Self> {
        let mean = Mse {
            neg_weight: 2.0,
            column_mean: true,
            score: Score::Cosine,
            ..Mse::default()
        };
        vec![Mse::default(), mean]
    }
}

impl Loss for Mse {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            quadratic: true,
            ..Spec::log_sum_exp("mse", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0, self.neg_weight, f64::from(u8::from(self.column_mean))]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("mse", "neg_weight", self.neg_weight)?;
        positive("mse", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/mse.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: entry.score * entry.score,
            score_slope: entry.score + entry.score,
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let [_, weight, mean, ..] = p.constants;
        let weight = column_weight(weight, row.count, mean);
        let gap = row.target - R::ONE;
        RowLoss {
            value: weight * row.sum + gap * gap,
            sum_slope: weight,
            target_slope: gap + gap,
        }
    }
}
