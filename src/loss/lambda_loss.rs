//! LambdaLoss: BPR, weighed by the discount of the distance between two ranks.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, PositiveScore, Row, RowLoss, Score,
    Spec, Target,
    lambda_rank::{inverse_log2, ranked, sum, weighed, with_rank},
    positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// δ of two ranks that are Δ apart, in LambdaLoss and LambdaLoss@K.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discount {
    /// Official code: `1/log₂(1 + Δ)`, the sum of the differences.
    Single,
    /// Textbook: `1/log₂(1 + Δ) − 1/log₂(2 + Δ)`.
    Difference,
}

impl Discount {
    /// As a constant of scalar functions.
    pub(super) fn flag(self) -> f64 {
        f64::from(u8::from(self == Discount::Difference))
    }

    /// Its description.
    pub(super) const PARAMETER: Parameter = Parameter {
        name: "discount",
        domain: "single, difference",
        meaning: "δ of ranks Δ apart: 1/log₂(1 + Δ), or less 1/log₂(2 + Δ)",
    };
}

/// LambdaLoss (NDCG-Loss2++): `ℓ = Σ_j δ_j·softplus(s_j − s⁺)` in nats over sampled negatives, with δ of
/// the distance `Δ = max(1, |π⁺ − π_j|)` between the ranks, a constant to gradients. Ranks are as in
/// [`LambdaRank`](super::LambdaRank), and columns must be sampled.
///
/// The distance of equal ranks is taken for 1: official code divides by log₂ 1 = 0 there, and its
/// loss is infinite.
///
/// Domain: none beside the score's scale. Official code (IR-Benchmark, `optim_LambdaLoss`): one negative
/// per row, inner products (`score: cosine` is its `--norm`), and `discount: single`, which it says
/// approximates a telescoping sum of the textbook's `difference`.
/// Source: Wang et al., "The LambdaLoss framework for ranking metric optimization" (CIKM 2018).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LambdaLoss {
    /// δ of two ranks.
    pub discount: Discount,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for LambdaLoss {
    fn default() -> Self {
        LambdaLoss {
            discount: Discount::Single,
            score: Score::Dot,
            score_scale: 1.0,
        }
    }
}

impl Described for LambdaLoss {
    const ABOUT: About = About {
        title: "LambdaLoss",
        formula: "Σ_j δ_j softplus(s_j − s⁺), δ_j = 1/log₂(1 + abs(π⁺ − π_j))",
        parameters: &[
            Discount::PARAMETER,
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Wang et al., The LambdaLoss framework for ranking metric optimization (CIKM 2018)",
    };

    fn variants() -> Vec<Self> {
        let difference = LambdaLoss {
            discount: Discount::Difference,
            ..LambdaLoss::default()
        };
        vec![LambdaLoss::default(), difference]
    }
}

/// δ; `difference` is [`Discount::flag`].
#[inline(always)]
pub(super) fn discount<R: Real>(entry: Entry<R>, difference: R) -> R {
    let distance = (entry.row_constant - entry.constant).abs().max(R::ONE);
    let near = inverse_log2(R::ONE + distance);
    near - difference * inverse_log2(R::ONE + R::ONE + distance)
}

impl Loss for LambdaLoss {
    fn spec(&self) -> Spec {
        ranked("lambda_loss", self.score, self.score_scale)
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0, self.discount.flag()]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("lambda_loss", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/lambda_loss.wgsl")
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> Target<R> {
        with_rank(positive)
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        weighed(entry, discount(entry, p.constants[1]))
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        sum(row)
    }
}
