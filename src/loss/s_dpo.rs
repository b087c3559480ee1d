//! Softmax direct preference optimisation (S-DPO).

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, PositiveScore, Row, RowLoss, Score,
    SecondTile, Spec, Target, positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// Where S-DPO's reference model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SDpoReference {
    /// In the given scores, which come less those of the reference
    /// ([`GivenScores::reference`](crate::GivenScores::reference)); embeddings then have none, and
    /// the loss is reference-free.
    Given,
    /// In second tables, frozen: those of a model that was trained before, beside the embeddings.
    Tables,
}

/// S-DPO: `ℓ = softplus(LSE_j β((s_j − s⁺) − (r_j − r⁺)))` in nats, s the scores under the policy and
/// r those under the reference. The positive is in the sum; one rejected column makes it DPO.
///
/// With given scores ([`Batch::from_scores`](crate::Batch::from_scores)) these are summed
/// log-probabilities of a language model. With embeddings s are the logits of a softmax over the
/// catalogue: its normaliser cancels between a row's columns and positive.
///
/// Domain: β > 0. Official code (chenyuxin1999/S-DPO, `softmax_dpo_trainer`) exponentiates gaps
/// naively: it overflows from β·gap = 88.7 on in f32, and where every gap is below −104 its loss is
/// 0 with a gradient that is not a number; both are exact here. Its `reference_free` is read and
/// ignored; leaving the reference out does it here.
/// Source: Chen et al., "On softmax direct preference optimization for recommendation" (NeurIPS 2024).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SDpo {
    /// β, factor on differences of scores.
    pub beta: f64,
    /// Where the reference model is.
    pub reference: SDpoReference,
    /// What embeddings are compared by, also those of the reference.
    pub score: Score,
}

impl Default for SDpo {
    fn default() -> Self {
        SDpo {
            beta: 1.0,
            reference: SDpoReference::Given,
            score: Score::Dot,
        }
    }
}

impl Described for SDpo {
    const ABOUT: About = About {
        title: "softmax direct preference optimisation",
        formula: "softplus(LSE_j β((s_j − s⁺) − (r_j − r⁺)))",
        parameters: &[
            Parameter {
                name: "beta",
                domain: "> 0",
                meaning: "factor on differences of scores",
            },
            Parameter {
                name: "reference",
                domain: "given, tables",
                meaning: "where the reference's scores r are: with given scores, or in second tables",
            },
            Parameter::SCORE,
        ],
        source: "Chen et al., On softmax direct preference optimization for recommendation (NeurIPS 2024)",
    };

    fn variants() -> Vec<Self> {
        let tables = SDpo {
            beta: 0.5,
            reference: SDpoReference::Tables,
            ..SDpo::default()
        };
        vec![SDpo::default(), tables]
    }
}

impl Loss for SDpo {
    fn spec(&self) -> Spec {
        let tables = SecondTile {
            score: self.score,
            log_sum: false,
            frozen: true,
        };
        Spec {
            second: (self.reference == SDpoReference::Tables).then_some(tables),
            ..Spec::log_sum_exp("s_dpo", self.score, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![self.beta]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("s_dpo", "beta", self.beta)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/s_dpo.wgsl")
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> Target<R> {
        Target {
            value: positive.score - positive.second,
            slope: R::ONE,
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let beta = p.constants[0];
        Pair {
            value: beta * (entry.score - entry.second),
            score_slope: beta,
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let beta = p.constants[0];
        let gap = row.sum - (row.target * beta + row.positive_offset);
        let share = gap.sigmoid();
        RowLoss {
            value: gap.softplus(),
            sum_slope: share,
            target_slope: -(share * beta),
        }
    }
}
