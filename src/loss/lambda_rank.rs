//! LambdaRank: BPR, weighed by what a swap would change in DCG.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, PositiveScore, Row, RowLoss,
    RowReduction, Score, Spec, Target, positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// LambdaRank: `ℓ = Σ_j δ_j·softplus(s_j − s⁺)` in nats over sampled negatives, with
/// `δ_j = |1/log₂(1 + π⁺) − 1/log₂(1 + π_j)|` a constant to gradients. π is the rank among all
/// candidates, from 1; candidates of equal score share the best rank, and the query's other
/// positives count.
///
/// Columns must be sampled ([`Columns::Sampled`](crate::Columns::Sampled)). Official code
/// (IR-Benchmark, `optim_LambdaRank`) draws one negative per row and takes inner products
/// (`score: cosine` is its `--norm`); the paper sums over all negatives.
///
/// Domain: none beside the score's scale. Source: Burges et al., "Learning to rank with nonsmooth cost
/// functions" (NIPS 2006).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LambdaRank {
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for LambdaRank {
    fn default() -> Self {
        LambdaRank {
            score: Score::Dot,
            score_scale: 1.0,
        }
    }
}

impl Described for LambdaRank {
    const ABOUT: About = About {
        title: "LambdaRank",
        formula: "Σ_j δ_j softplus(s_j − s⁺), δ_j = abs(1/log₂(1 + π⁺) − 1/log₂(1 + π_j))",
        parameters: &[Parameter::SCORE, Parameter::SCORE_SCALE],
        source: "Burges et al., Learning to rank with nonsmooth cost functions (NIPS 2006)",
    };
}

/// What the losses of this family ask of the engine.
pub(super) fn ranked(name: &'static str, score: Score, score_scale: f64) -> Spec {
    Spec {
        reduction: RowReduction::Sum,
        separable: false,
        ranks: true,
        ..Spec::log_sum_exp(name, score, score_scale)
    }
}

/// t, with the positive's rank for `pair`.
#[inline(always)]
pub(super) fn with_rank<R: Real>(positive: PositiveScore<R>) -> Target<R> {
    Target {
        value: positive.score,
        slope: R::ONE,
        norm_slope: R::ZERO,
        row_constant: positive.rank,
    }
}

/// 1/log₂ x.
#[inline(always)]
pub(super) fn inverse_log2<R: Real>(x: R) -> R {
    R::from_f64(std::f64::consts::LN_2) / x.ln()
}

/// `δ·softplus(s − t)`.
#[inline(always)]
pub(super) fn weighed<R: Real>(entry: Entry<R>, delta: R) -> Pair<R> {
    let gap = entry.score - entry.target;
    let slope = delta * gap.sigmoid();
    Pair {
        value: delta * gap.softplus(),
        score_slope: slope,
        target_slope: -slope,
    }
}

/// ℓ = R.
#[inline(always)]
pub(super) fn sum<R: Real>(row: Row<R>) -> RowLoss<R> {
    RowLoss {
        value: row.sum,
        sum_slope: R::ONE,
        target_slope: R::ZERO,
    }
}

impl Loss for LambdaRank {
    fn spec(&self) -> Spec {
        ranked("lambda_rank", self.score, self.score_scale)
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("lambda_rank", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/lambda_rank.wgsl")
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> Target<R> {
        with_rank(positive)
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        let own = inverse_log2(R::ONE + entry.row_constant);
        let other = inverse_log2(R::ONE + entry.constant);
        weighed(entry, (own - other).abs())
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        sum(row)
    }
}
