//! ArcFace, plain variant, exact gradient.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, PositiveScore, Row, RowLoss, Score,
    Spec, Target, TargetForm, positive,
};
use crate::{Error, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// Which derivative the target term gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gradient {
    /// The derivative of the stated loss, in tangent form.
    Exact,
}

/// What happens beyond θ + m = π.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// cos(θ + m) everywhere.
    Plain,
}

/// ArcFace: `ℓ = softplus(LSE_{j≠y}(s·cos θ_j) − s·cos(θ_y + m))` in nats.
///
/// m in radians. Domain: s > 0, 0 ≤ m < π.
/// Source: Deng et al., "ArcFace: additive angular margin loss" (CVPR 2019), eq. 3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArcFace {
    /// Scale s.
    pub scale: f64,
    /// Margin m, radians.
    pub margin: f64,
    /// Branch rule.
    pub variant: Variant,
    /// Gradient mode.
    pub gradient: Gradient,
}

impl Default for ArcFace {
    fn default() -> Self {
        ArcFace {
            scale: 64.0,
            margin: 0.5,
            variant: Variant::Plain,
            gradient: Gradient::Exact,
        }
    }
}

impl Described for ArcFace {
    const ABOUT: About = About {
        title: "ArcFace, additive angular margin",
        formula: "softplus(LSE_{j≠y}(s·cos θ_j) − s·cos(θ_y + m))",
        parameters: &[
            Parameter::SCALE,
            Parameter {
                name: "margin",
                domain: "0 ≤ margin < π",
                meaning: "m, added to the angle, radians",
            },
            Parameter {
                name: "variant",
                domain: "plain",
                meaning: "what happens beyond θ + m = π",
            },
            Parameter {
                name: "gradient",
                domain: "exact",
                meaning: "which derivative the target gets",
            },
        ],
        source: "Deng et al., ArcFace: additive angular margin loss for deep face recognition (CVPR 2019)",
    };
}

impl Loss for ArcFace {
    fn spec(&self) -> Spec {
        Spec {
            target: TargetForm::Tangent,
            ..Spec::log_sum_exp("arc_face", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![self.scale, self.margin.cos(), self.margin.sin()]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("arc_face", "scale", self.scale)?;
        if (0.0..std::f64::consts::PI).contains(&self.margin) {
            return Ok(());
        }
        Err(Error::Domain {
            loss: "arc_face",
            parameter: "margin",
            value: self.margin.to_string(),
            domain: "expected an angle in radians, 0 ≤ margin < π".into(),
        })
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/arc_face.wgsl")
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        let [scale, cos_m, sin_m, ..] = p.constants;
        let sin = (positive.one_minus_cos * positive.one_plus_cos).sqrt();
        let cos = positive.score;
        Target {
            value: scale * (cos * cos_m - sin * sin_m),
            slope: -(scale * (sin * cos_m + cos * sin_m)),
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let scale = p.constants[0];
        Pair {
            value: entry.score * scale,
            score_slope: scale,
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        let gap = row.sum - row.target - row.positive_offset;
        let share = gap.sigmoid();
        RowLoss {
            value: gap.softplus(),
            sum_slope: share,
            target_slope: -share,
        }
    }
}
