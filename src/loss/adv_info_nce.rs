//! AdvInfoNCE: InfoNCE with hardness weights from an adversary's embeddings.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Row, RowLoss, Score, SecondTile,
    Spec, positive,
};
use crate::{Error, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// AdvInfoNCE: `ℓ = softplus(log K + log n + LSE_j(r_j + s_j/τ) − LSE_j r_j − s⁺/τ)`
/// in nats, n the row's columns, r the score of the adversary's embeddings (the batch's second
/// tables), by `adv_score`: cosines in IR-Benchmark, which bounds ratios of hardness by e², inner
/// products in the authors' code (LehengTHU/AdvInfoNCE). The model descends along the gradients of the first tables, the adversary ascends along
/// those of the second ones; all are plain derivatives of the value.
///
/// Domain: τ > 0, K > 0. Source: Zhang et al., "Empowering collaborative filtering with
/// principled adversarial contrastive loss" (NeurIPS 2023); IR-Benchmark `optim_AdvInfoNCE`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdvInfoNce {
    /// Temperature τ.
    pub tau: f64,
    /// K, weight of the negatives.
    pub neg_weight: f64,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
    /// What the adversary's embeddings are compared by.
    pub adv_score: Score,
}

impl Default for AdvInfoNce {
    fn default() -> Self {
        AdvInfoNce {
            tau: 0.1,
            neg_weight: 64.0,
            score: Score::Cosine,
            score_scale: 1.0,
            adv_score: Score::Cosine,
        }
    }
}

impl Described for AdvInfoNce {
    const ABOUT: About = About {
        title: "AdvInfoNCE",
        formula: "softplus(log K + log n + LSE_j(r_j + s_j/τ) − LSE_j r_j − s⁺/τ)",
        parameters: &[
            Parameter::TAU,
            Parameter {
                name: "neg_weight",
                domain: "> 0",
                meaning: "K, weight of the negatives",
            },
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
            Parameter {
                name: "adv_score",
                domain: "cosine, dot",
                meaning: "what the adversary's embeddings are compared by",
            },
        ],
        source: "Zhang et al., Empowering collaborative filtering with principled adversarial contrastive loss (NeurIPS 2023)",
    };

    fn variants() -> Vec<Self> {
        let authors = AdvInfoNce {
            tau: 0.2,
            adv_score: Score::Dot,
            ..AdvInfoNce::default()
        };
        vec![AdvInfoNce::default(), authors]
    }
}

impl Loss for AdvInfoNce {
    fn spec(&self) -> Spec {
        Spec {
            second: Some(SecondTile {
                score: self.adv_score,
                log_sum: true,
                frozen: false,
            }),
            ..Spec::log_sum_exp("adv_info_nce", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0 / self.tau, self.neg_weight.ln()]
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        positive("adv_info_nce", "tau", self.tau)?;
        positive("adv_info_nce", "neg_weight", self.neg_weight)?;
        positive("adv_info_nce", "score_scale", self.score_scale)?;
        if shape.second_dim.is_none() {
            return Err(Error::Unsupported(
                "adv_info_nce: the batch needs the adversary's embeddings (adv_queries, adv_candidates)".into(),
            ));
        }
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/adv_info_nce.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let inverse_tau = p.constants[0];
        Pair {
            value: entry.second + entry.score * inverse_tau,
            score_slope: inverse_tau,
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn pair_second<R: Real>(&self, _entry: Entry<R>, _p: &Parameters<R>) -> R {
        R::ONE
    }

    #[inline(always)]
    fn row_second<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> R {
        -self.row(row, p).sum_slope
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let inverse_tau = p.constants[0];
        let negatives = p.constants[1] + row.count.ln() + row.sum - row.second_sum;
        let gap = negatives - row.target * inverse_tau - row.positive_offset;
        let share = gap.sigmoid();
        RowLoss {
            value: gap.softplus(),
            sum_slope: share,
            target_slope: -(share * inverse_tau),
        }
    }
}
