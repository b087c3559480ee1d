//! InfoNCE with a learnable scale: one direction of two-tower contrastive training.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Row, RowLoss, Scalar, Score, Spec,
    positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// InfoNCE with a learnable scale: `ℓ = −log e^{e^κ·s⁺} / (e^{e^κ·s⁺} + Σ_j e^{e^κ·s_j})` in nats, s
/// cosines; θ₀ = κ, the logarithm of the scale, is learnt. In training it stays at most ln 100, as
/// in CLIP ([`Loss::theta_bounds`]); an evaluation takes it as it is.
///
/// This is one direction; [`SymmetricInfoNce`](crate::SymmetricInfoNce) is the mean of both.
///
/// Domain: τ > 0. Source: Radford et al., "Learning transferable visual models from natural language
/// supervision" (ICML 2021): κ begins at ln(1/0.07).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScaledInfoNce {
    /// The temperature that training begins with: κ begins at −ln τ.
    pub tau: f64,
}

impl Default for ScaledInfoNce {
    fn default() -> Self {
        ScaledInfoNce { tau: 0.07 }
    }
}

/// Largest κ in training.
const MOST: f64 = 4.605_170_185_988_092;

impl Described for ScaledInfoNce {
    const ABOUT: About = About {
        title: "InfoNCE with a learnable scale, one direction of two towers",
        formula: "−log e^{e^κ·s⁺} / (e^{e^κ·s⁺} + Σ_j e^{e^κ·s_j})",
        parameters: &[Parameter {
            name: "tau",
            domain: "> 0",
            meaning: "temperature that training begins with: κ begins at −ln τ",
        }],
        source: "Radford et al., Learning transferable visual models from natural language supervision (ICML 2021)",
    };
}

impl Loss for ScaledInfoNce {
    fn spec(&self) -> Spec {
        Spec {
            thetas: 1,
            ..Spec::log_sum_exp("scaled_info_nce", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0 / self.tau]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("scaled_info_nce", "tau", self.tau)
    }

    fn scalars(&self) -> Vec<Scalar> {
        vec![Scalar {
            name: "log_scale",
            initial: -self.tau.ln(),
            rate: 1.0,
        }]
    }

    fn theta_bounds<R: Real>(&self, _k: usize, _p: &Parameters<R>) -> [R; 2] {
        [-1e30, MOST].map(R::from_f64)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/scaled_info_nce.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let scale = p.theta[0].exp();
        Pair {
            value: entry.score * scale,
            score_slope: scale,
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn pair_theta<R: Real>(&self, _k: usize, entry: Entry<R>, p: &Parameters<R>) -> R {
        entry.score * p.theta[0].exp()
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let scale = p.theta[0].exp();
        let gap = row.sum - (row.target * scale + row.positive_offset);
        let share = gap.sigmoid();
        RowLoss {
            value: gap.softplus(),
            sum_slope: share,
            target_slope: -(share * scale),
        }
    }

    #[inline(always)]
    fn row_theta<R: Real>(&self, _k: usize, row: Row<R>, p: &Parameters<R>) -> R {
        self.row(row, p).target_slope * row.target
    }
}
