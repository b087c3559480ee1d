//! LambdaLoss@K: LambdaLoss, with more weight on pairs that reach below the best K.

use super::{
    About, Described, Discount, Entry, Loss, Pair, Parameter, Parameters, PositiveScore, Row,
    RowLoss, Score, Spec, Target,
    domain::length,
    lambda_loss::discount,
    lambda_rank::{inverse_log2, ranked, sum, weighed, with_rank},
    positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// What LambdaLoss@K takes for the share of the lower of two ranks in its factor μ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LowerShare {
    /// Official code: one over the rank.
    Rank,
    /// The paper: the discount of the rank, `1/log₂(1 + π)`.
    Discount,
}

/// LambdaLoss@K: as [`LambdaLoss`](super::LambdaLoss), but where the lower of the two ranks is beyond K,
/// δ is multiplied by `μ = 1/(1 − h)`, h the share of `lower_share`: `1/π` of the larger rank π in
/// official code (IR-Benchmark, `optim_LambdaLossAtK`), `1/log₂(1 + π)` in the paper. The code's μ goes
/// to 1 quickly, the paper's slowly.
///
/// Domain: K ≥ 1. Ranks, distances of equal ranks and official code otherwise as there.
/// Source: Jagerman et al., "On optimizing top-K metrics for neural ranking models" (SIGIR 2022).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LambdaLossAtK {
    /// K.
    pub k: usize,
    /// δ of two ranks.
    pub discount: Discount,
    /// h, the share of the lower rank.
    pub lower_share: LowerShare,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for LambdaLossAtK {
    fn default() -> Self {
        LambdaLossAtK {
            k: 20,
            discount: Discount::Single,
            lower_share: LowerShare::Rank,
            score: Score::Dot,
            score_scale: 1.0,
        }
    }
}

impl Described for LambdaLossAtK {
    const ABOUT: About = About {
        title: "LambdaLoss at K",
        formula: "Σ_j μ_j δ_j softplus(s_j − s⁺), μ_j = 1/(1 − 1/π) where π = max(π⁺, π_j) > K, else 1",
        parameters: &[
            Parameter::K,
            Discount::PARAMETER,
            Parameter {
                name: "lower_share",
                domain: "rank, discount",
                meaning: "what μ takes from 1: 1/π, or 1/log₂(1 + π)",
            },
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Jagerman et al., On optimizing top-K metrics for neural ranking models (SIGIR 2022)",
    };

    fn variants() -> Vec<Self> {
        let paper = LambdaLossAtK {
            k: 5,
            discount: Discount::Difference,
            lower_share: LowerShare::Discount,
            ..LambdaLossAtK::default()
        };
        vec![LambdaLossAtK::default(), paper]
    }
}

/// μ of two ranks.
#[inline(always)]
fn factor<R: Real>(entry: Entry<R>, k: R, by_discount: R) -> R {
    let lower = entry.row_constant.max(entry.constant);
    if lower <= k {
        return R::ONE;
    }
    let share = if by_discount == R::ZERO {
        R::ONE / lower
    } else {
        inverse_log2(R::ONE + lower)
    };
    R::ONE / (R::ONE - share)
}

impl Loss for LambdaLossAtK {
    fn spec(&self) -> Spec {
        ranked("lambda_loss_at_k", self.score, self.score_scale)
    }

    fn constants(&self) -> Vec<f64> {
        let by_discount = f64::from(u8::from(self.lower_share == LowerShare::Discount));
        vec![1.0, self.discount.flag(), self.k as f64, by_discount]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        length("lambda_loss_at_k", "k", self.k)?;
        positive("lambda_loss_at_k", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/lambda_loss_at_k.wgsl")
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> Target<R> {
        with_rank(positive)
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let [_, difference, k, by_discount, ..] = p.constants;
        let delta = discount(entry, difference) * factor(entry, k, by_discount);
        weighed(entry, delta)
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        sum(row)
    }
}
