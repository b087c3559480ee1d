//! CurricularFace: easy classes first, hard ones later.

use super::{
    About, BatchStatistics, Described, Entry, Gradient, Held, Loss, Margin, Pair, Parameter,
    Parameters, PositiveScore, Row, RowLoss, Scalar, Score, Spec, Target, TargetForm, Variant,
    angular::{MARGIN_CONSTANTS, margin_of, softmax_row},
    domain,
    held::held_theta,
    positive,
};
use crate::{Batch, Output, Real, Result, Shape, shape::MAX_THETA};
use serde::{Deserialize, Serialize};

/// CurricularFace: `ℓ = softplus(LSE_{j≠y} s·N(cos θ_j) − s·T(θ_y))` in nats, T ArcFace's with a hard
/// threshold, `N(c) = c` where `c ≤ cos(θ_y + m)` and `c·(t + c)` beyond. t is a moving average of the
/// mean target cosine, θ₀, begins at 0, and every evaluation renews it before it uses it
/// ([`Output::theta_after`](crate::Output::theta_after)); t, and which classes are hard, are constants to the
/// gradients, which are exact otherwise.
///
/// The authors' code has γ = 0.01; the paper writes momentum 0.99. m in radians. Domain: s > 0,
/// 0 ≤ m < π, 0 < γ ≤ 1. Source: Huang et al., "CurricularFace: adaptive curriculum learning loss for
/// deep face recognition" (CVPR 2020), eq. 5 to 8.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CurricularFace {
    /// Scale s.
    pub scale: f64,
    /// Margin m, radians.
    pub margin: f64,
    /// γ, weight of a batch in the moving average.
    pub gamma: f64,
}

impl Default for CurricularFace {
    fn default() -> Self {
        CurricularFace {
            scale: 64.0,
            margin: 0.5,
            gamma: 0.01,
        }
    }
}

/// Where the margin's constants begin.
const MARGIN_AT: usize = 2;

impl Described for CurricularFace {
    const ABOUT: About = About {
        title: "CurricularFace",
        formula: "softplus(LSE_{j≠y}(s·N(cos θ_j)) − s·cos(θ_y + m)), N(c) = c, or c·(t + c) where c > cos(θ_y + m)",
        parameters: &[
            Parameter::SCALE,
            Parameter {
                name: "margin",
                domain: "0 ≤ margin < π",
                meaning: "m, added to the angle, radians",
            },
            Parameter::GAMMA,
        ],
        source: "Huang et al., CurricularFace: adaptive curriculum learning loss for deep face recognition (CVPR 2020)",
    };
}

impl Loss for CurricularFace {
    fn spec(&self) -> Spec {
        Spec {
            separable: false,
            target: TargetForm::Tangent,
            thetas: 1,
            theta_state: true,
            batch_statistics: true,
            ..Spec::log_sum_exp("curricular_face", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        let margin = Margin::Affine {
            m1: 1.0,
            m2: self.margin,
            m3: 0.0,
            variant: Variant::HardThreshold,
        };
        let mut constants = vec![self.scale, self.gamma];
        constants.extend(margin.constants(Gradient::Exact));
        constants.extend([self.margin.cos(), self.margin.sin()]);
        constants
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("curricular_face", "scale", self.scale)?;
        domain::angle("curricular_face", "margin", self.margin)?;
        domain::share("curricular_face", "gamma", self.gamma)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/curricular_face.wgsl")
    }

    fn scalars(&self) -> Vec<Scalar> {
        vec![Scalar {
            name: "mean_cosine",
            initial: 0.0,
            rate: 0.0,
        }]
    }

    fn theta_state<R: Real>(&self, seen: BatchStatistics<R>, p: &Parameters<R>) -> [R; MAX_THETA] {
        let mut theta = p.theta;
        theta[0] += p.constants[1] * (seen.mean - theta[0]);
        theta
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        let (minus, plus) = (positive.one_minus_cos, positive.one_plus_cos);
        let margin = &p.constants[MARGIN_AT..][..MARGIN_CONSTANTS];
        let mapped = margin_of(margin, R::ZERO, minus, plus);
        let cosine = R::from_f64(0.5) * (plus - minus);
        let [cos_m, sin_m] = [10, 11].map(|at| p.constants[at]);
        let scale = p.constants[0];
        Target {
            value: scale * mapped.value,
            slope: scale * mapped.slope,
            norm_slope: R::ZERO,
            row_constant: cosine * cos_m - (minus * plus).sqrt() * sin_m,
        }
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let (scale, stage) = (p.constants[0], p.theta[0]);
        let hard = entry.score > entry.row_constant;
        let (value, slope) = if hard {
            (
                entry.score * (stage + entry.score),
                stage + entry.score + entry.score,
            )
        } else {
            (entry.score, R::ONE)
        };
        Pair {
            value: scale * value,
            score_slope: scale * slope,
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        softmax_row(row)
    }

    fn held(&self, _batch: &Batch<'_>, output: &Output<f64>) -> Option<Held> {
        held_theta(self, output)
    }
}
