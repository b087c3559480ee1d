//! GuidedRec: the cross-entropy that its model minimises beside a surrogate network.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Row, RowLoss, RowReduction, Score,
    Spec, positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// GuidedRec's cross-entropy: `ℓ = n·softplus(−s⁺) + Σ_j softplus(s_j)` in nats, n the row's
/// columns that are not masked, so that the positive weighs as much as all of them.
///
/// **This is the first of its three steps.** The second and third train and follow a small network
/// that predicts DCG from a row's n + 1 scores; a network is no loss function, and they are not
/// here. Official code (IR-Benchmark, `optim_GuidedRec`): cosine, 9 negatives per row.
///
/// Domain: none beside the score's scale. Source: Rashed et al., "A guided learning approach for item
/// recommendation via surrogate loss learning" (SIGIR 2021), as IR-Benchmark implements it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuidedRec {
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for GuidedRec {
    fn default() -> Self {
        GuidedRec {
            score: Score::Cosine,
            score_scale: 1.0,
        }
    }
}

impl Described for GuidedRec {
    const ABOUT: About = About {
        title: "GuidedRec's cross-entropy, without its surrogate network",
        formula: "n·softplus(−s⁺) + Σ_j softplus(s_j)",
        parameters: &[Parameter::SCORE, Parameter::SCORE_SCALE],
        source: "Rashed et al., A guided learning approach for item recommendation via surrogate loss learning (SIGIR 2021)",
    };
}

impl Loss for GuidedRec {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            ..Spec::log_sum_exp("guided_rec", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("guided_rec", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/guided_rec.wgsl")
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
    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        RowLoss {
            value: row.sum + row.count * (-row.target).softplus(),
            sum_slope: R::ONE,
            target_slope: -(row.count * (-row.target).sigmoid()),
        }
    }
}
