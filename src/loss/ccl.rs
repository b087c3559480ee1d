//! The cosine contrastive loss (CCL) of SimpleX.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Row, RowLoss, RowReduction, Score,
    Spec, bce::column_weight, domain::finite, positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// Cosine contrastive loss: `ℓ = (1 − s⁺) + (w/n) Σ_j max(0, s_j − m)`, n the row's columns that
/// are not masked. Negatives below the margin m are left alone. Not in nats: there is no logarithm.
///
/// The slope at the kink `s_j = m` is 0. A row whose columns are all masked keeps 1 − s⁺.
///
/// Domain: w > 0, m finite (for cosines it matters from −1 to 1). Official code (SimpleX,
/// `cosine_contrastive_loss`) clips the positive's term at 0, where cosines never get, and sums
/// without a weight where none is given: that is `neg_weight` n.
/// Source: Mao et al., "SimpleX: a simple and strong baseline for collaborative filtering" (CIKM
/// 2021).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ccl {
    /// Margin m, in units of the score.
    pub margin: f64,
    /// w, weight of the negatives' mean.
    pub neg_weight: f64,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for Ccl {
    fn default() -> Self {
        Ccl {
            margin: 0.4,
            neg_weight: 150.0,
            score: Score::Cosine,
            score_scale: 1.0,
        }
    }
}

impl Described for Ccl {
    const ABOUT: About = About {
        title: "cosine contrastive loss of SimpleX",
        formula: "1 − s⁺ + (w/n) Σ_j max(0, s_j − m)",
        parameters: &[
            Parameter {
                name: "margin",
                domain: "finite",
                meaning: "m, below which negatives are left alone",
            },
            Parameter::NEG_WEIGHT,
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Mao et al., SimpleX: a simple and strong baseline for collaborative filtering (CIKM 2021)",
    };

    fn variants() -> Vec<Self> {
        let wide = Ccl {
            margin: -0.3,
            neg_weight: 2.0,
            ..Ccl::default()
        };
        vec![Ccl::default(), wide]
    }
}

impl Loss for Ccl {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            ..Spec::log_sum_exp("ccl", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0, self.neg_weight, self.margin]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        finite("ccl", "margin", self.margin)?;
        positive("ccl", "neg_weight", self.neg_weight)?;
        positive("ccl", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/ccl.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let above = entry.score - p.constants[2];
        Pair {
            value: above.max(R::ZERO),
            score_slope: if above > R::ZERO { R::ONE } else { R::ZERO },
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let weight = column_weight(p.constants[1], row.count, R::ONE);
        RowLoss {
            value: weight * row.sum + (R::ONE - row.target),
            sum_slope: weight,
            target_slope: -R::ONE,
        }
    }
}
