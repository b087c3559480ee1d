//! Generalised binary cross-entropy (gBCE) of gSASRec.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Row, RowLoss, RowReduction, Score,
    Spec, domain::share, positive,
};
use crate::{Error, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// Generalised binary cross-entropy: `ℓ = (β·softplus(−s⁺) + Σ_j softplus(s_j)) / (n + 1)` in nats,
/// with `β = α(t(1 − 1/α) + 1/α) = 1 − t(1 − α)`; n the row's columns that are not masked.
///
/// α is the share of all negatives that is sampled (n over the catalogue's size less one) and is
/// given, because a batch does not know how its columns were drawn; t calibrates: 0 leaves
/// binary cross-entropy, 1 undoes the overconfidence of sampling altogether.
///
/// Domain: 0 ≤ t ≤ 1, 0 < α ≤ 1. Official code: asash/gSASRec-pytorch, `gBCE`, has this form (its α
/// divides by one candidate less); the TensorFlow version transforms the positive's logit instead,
/// which is equal but for rounding.
/// Source: Petrov and Macdonald, "gSASRec: reducing overconfidence in sequential recommendation
/// trained with negative sampling" (RecSys 2023).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gbce {
    /// t, from 0 (no calibration) to 1 (full).
    pub calibration: f64,
    /// α, the share of all negatives that is sampled.
    pub sampling_rate: f64,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for Gbce {
    fn default() -> Self {
        Gbce {
            calibration: 0.75,
            sampling_rate: 0.1,
            score: Score::Dot,
            score_scale: 1.0,
        }
    }
}

impl Gbce {
    /// β, the exponent on the positive's probability.
    fn exponent(&self) -> f64 {
        1.0 - self.calibration * (1.0 - self.sampling_rate)
    }
}

impl Described for Gbce {
    const ABOUT: About = About {
        title: "generalised binary cross-entropy of gSASRec",
        formula: "(β·softplus(−s⁺) + Σ_j softplus(s_j)) / (n + 1), β = 1 − t(1 − α)",
        parameters: &[
            Parameter {
                name: "calibration",
                domain: "0 to 1",
                meaning: "t, 0 for binary cross-entropy",
            },
            Parameter {
                name: "sampling_rate",
                domain: "> 0, ≤ 1",
                meaning: "α, the share of all negatives that is sampled",
            },
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Petrov and Macdonald, gSASRec: reducing overconfidence in sequential recommendation trained with negative sampling (RecSys 2023)",
    };
}

impl Loss for Gbce {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            ..Spec::log_sum_exp("gbce", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0, self.exponent()]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        if !(0.0..=1.0).contains(&self.calibration) {
            return Err(Error::Domain {
                loss: "gbce",
                parameter: "calibration",
                value: self.calibration.to_string(),
                domain: "expected a number from 0 to 1".into(),
            });
        }
        share("gbce", "sampling_rate", self.sampling_rate)?;
        positive("gbce", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/gbce.wgsl")
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
        let weight = R::ONE / (row.count + R::ONE);
        let exponent = p.constants[1];
        RowLoss {
            value: weight * (row.sum + exponent * (-row.target).softplus()),
            sum_slope: weight,
            target_slope: -(weight * exponent * (-row.target).sigmoid()),
        }
    }
}
