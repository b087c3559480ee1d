//! Binary cross-entropy (BCE): positives against 1, columns against 0.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Row, RowLoss, RowReduction, Score,
    Spec, positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// Binary cross-entropy: `ℓ = softplus(−s⁺) + w Σ_j softplus(s_j)` over the row's negatives, in
/// nats; with `column_mean` the sum becomes a mean (w/n, n the columns that are not masked).
///
/// Pointwise: score and target are not compared, so nothing is invariant to a shift of all scores. A
/// row whose columns are all masked keeps the positive's term.
///
/// Domain: w > 0. The implicit-feedback form of He et al., "Neural collaborative filtering" (WWW
/// 2017), eq. 7, with a weight; IR-Benchmark has it inside GuidedRec alone
/// ([`GuidedRec`](super::GuidedRec)). Code that writes log σ(s) and log(1 − σ(s)) overflows from
/// |s| = 17 on in f32; softplus does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bce {
    /// w, weight of the negatives.
    pub neg_weight: f64,
    /// Whether a row's columns are averaged, not summed.
    pub column_mean: bool,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for Bce {
    fn default() -> Self {
        Bce {
            neg_weight: 1.0,
            column_mean: false,
            score: Score::Dot,
            score_scale: 1.0,
        }
    }
}

impl Described for Bce {
    const ABOUT: About = About {
        title: "binary cross-entropy",
        formula: "softplus(−s⁺) + w Σ_j softplus(s_j)",
        parameters: &[
            Parameter::NEG_WEIGHT,
            Parameter::COLUMN_MEAN,
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "He et al., Neural collaborative filtering (WWW 2017)",
    };

    fn variants() -> Vec<Self> {
        let mean = Bce {
            neg_weight: 3.0,
            column_mean: true,
            ..Bce::default()
        };
        vec![Bce::default(), mean]
    }
}

impl Loss for Bce {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            ..Spec::log_sum_exp("bce", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0, self.neg_weight, f64::from(u8::from(self.column_mean))]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("bce", "neg_weight", self.neg_weight)?;
        positive("bce", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/bce.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: entry.score.softplus(),
            score_slope: entry.score.sigmoid(),
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let [_, weight, mean, ..] = p.constants;
        let weight = column_weight(weight, row.count, mean);
        RowLoss {
            value: weight * row.sum + (-row.target).softplus(),
            sum_slope: weight,
            target_slope: -(-row.target).sigmoid(),
        }
    }
}

/// The weight of each of `count` columns: w, or w/n where a mean is wanted (0 of none: then the sum
/// is 0, or what rounding left of it).
#[inline(always)]
pub(super) fn column_weight<R: Real>(weight: R, count: R, mean: R) -> R {
    if mean == R::ZERO {
        weight
    } else if count > R::ZERO {
        weight / count
    } else {
        R::ZERO
    }
}
