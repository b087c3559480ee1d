//! MagFace: a margin that grows with the feature's norm, and a penalty on short features.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, PositiveScore, Row, RowLoss, Score,
    Spec, Target, TargetForm, Variant, angular::softmax_row, domain, positive,
};
use crate::{Error, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// MagFace: `ℓ = softplus(LSE_{j≠y}(s·cos θ_j) − s·cos(θ_y + m(a))) + λ_g(a/u_a² + 1/a)` in nats, a the
/// feature's norm clipped to `[l_a, u_a]`, `m(a) = l_m + (u_m − l_m)(a − l_a)/(u_a − l_a)` radians, and
/// beyond the switch what `variant` says. The gradient is exact and has the norm's part, 0
/// where the norm is clipped. The authors' code is `easy`; its run script has `λ_g` = 35, its argument
/// parser 20, which is below the bound `s·k·u_a²l_a²/(u_a² − l_a²)`, k the margin's slope, that keeps
/// norms from the lower end.
///
/// Domain: s > 0, 0 < `l_a` < `u_a`, 0 ≤ `l_m` ≤ `u_m` < π, `λ_g` ≥ 0. Source: Meng et al., "MagFace: a
/// universal representation for face recognition and quality assessment" (CVPR 2021), eq. 3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MagFace {
    /// Scale s.
    pub scale: f64,
    /// `l_a`, the least norm.
    pub least_norm: f64,
    /// `u_a`, the largest norm.
    pub largest_norm: f64,
    /// `l_m`, the margin at the least norm, radians.
    pub least_margin: f64,
    /// `u_m`, the margin at the largest norm, radians.
    pub largest_margin: f64,
    /// `λ_g`, weight of the penalty on norms.
    pub norm_weight: f64,
    /// What happens beyond the switch.
    pub variant: Variant,
}

impl Default for MagFace {
    fn default() -> Self {
        MagFace {
            scale: 64.0,
            least_norm: 10.0,
            largest_norm: 110.0,
            least_margin: 0.45,
            largest_margin: 0.8,
            norm_weight: 35.0,
            variant: Variant::Easy,
        }
    }
}

impl Described for MagFace {
    const ABOUT: About = About {
        title: "MagFace, margin and penalty by feature norm",
        formula: "softplus(LSE_{j≠y}(s·cos θ_j) − s·cos(θ_y + m(a))) + λ_g(a/u_a² + 1/a), a = clip(‖x‖, l_a, u_a)",
        parameters: &[
            Parameter::SCALE,
            Parameter {
                name: "least_norm",
                domain: "> 0",
                meaning: "l_a, norms are clipped to it from below",
            },
            Parameter {
                name: "largest_norm",
                domain: "> least_norm",
                meaning: "u_a, norms are clipped to it from above",
            },
            Parameter {
                name: "least_margin",
                domain: "≥ 0",
                meaning: "l_m, the margin at l_a, radians",
            },
            Parameter {
                name: "largest_margin",
                domain: "least_margin ≤ largest_margin < π",
                meaning: "u_m, the margin at u_a, radians",
            },
            Parameter {
                name: "norm_weight",
                domain: "≥ 0",
                meaning: "λ_g, weight of the penalty on norms",
            },
            Parameter::VARIANT,
        ],
        source: "Meng et al., MagFace: a universal representation for face recognition and quality assessment (CVPR 2021)",
    };

    fn variants() -> Vec<Self> {
        let of = |variant| MagFace {
            scale: 16.0,
            least_norm: 0.5,
            largest_norm: 2.0,
            least_margin: 0.3,
            largest_margin: 1.5,
            norm_weight: 3.0,
            variant,
        };
        vec![
            MagFace::default(),
            of(Variant::Easy),
            of(Variant::HardThreshold),
            of(Variant::Clamped),
            of(Variant::Plain),
        ]
    }
}

impl MagFace {
    /// The slope of the margin.
    fn margin_slope(&self) -> f64 {
        (self.largest_margin - self.least_margin) / (self.largest_norm - self.least_norm)
    }
}

/// A norm within its bounds, and 1 or, where it is clipped, 0.
#[inline(always)]
fn clipped<R: Real>(norm: R, p: &Parameters<R>) -> (R, R) {
    let [_, least, most, ..] = p.constants;
    let moves = norm > least && norm < most;
    (
        norm.max(least).min(most),
        if moves { R::ONE } else { R::ZERO },
    )
}

impl Loss for MagFace {
    fn spec(&self) -> Spec {
        Spec {
            target: TargetForm::Tangent,
            norm_slope: true,
            ..Spec::log_sum_exp("mag_face", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        let variant = match self.variant {
            Variant::Plain => 0.0,
            Variant::HardThreshold => 1.0,
            Variant::Easy => 2.0,
            Variant::Clamped => 3.0,
        };
        vec![
            self.scale,
            self.least_norm,
            self.largest_norm,
            self.least_margin,
            self.margin_slope(),
            self.norm_weight,
            variant,
        ]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("mag_face", "scale", self.scale)?;
        positive("mag_face", "least_norm", self.least_norm)?;
        positive("mag_face", "largest_norm", self.largest_norm)?;
        domain::angle("mag_face", "least_margin", self.least_margin)?;
        domain::angle("mag_face", "largest_margin", self.largest_margin)?;
        domain::within("mag_face", "norm_weight", self.norm_weight, 0.0..=1e9)?;
        for (parameter, value, above, bound) in [
            (
                "largest_norm",
                self.largest_norm,
                self.largest_norm > self.least_norm,
                self.least_norm,
            ),
            (
                "largest_margin",
                self.largest_margin,
                self.largest_margin >= self.least_margin,
                self.least_margin,
            ),
        ] {
            if !above {
                return Err(Error::Domain {
                    loss: "mag_face",
                    parameter,
                    value: value.to_string(),
                    domain: format!("expected more than the least one, {bound}"),
                });
            }
        }
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/mag_face.wgsl")
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        let [
            scale,
            least,
            most,
            least_margin,
            margin_slope,
            weight,
            variant,
            ..,
        ] = p.constants;
        let (norm, moves) = clipped(positive.query_norm, p);
        let m = least_margin + margin_slope * (norm - least);
        let cosine = R::from_f64(0.5) * (positive.one_plus_cos - positive.one_minus_cos);
        let sine = (positive.one_minus_cos * positive.one_plus_cos).sqrt();
        let (cos_m, sin_m) = (m.cos(), m.sin());
        let across = sine * cos_m + cosine * sin_m;
        // T, dT/dθ, dT/dm: with the margin, and beyond the switch.
        let inside = [cosine * cos_m - sine * sin_m, -across, -across];
        let (switch, beyond) = if variant == R::ONE {
            (-cos_m, [cosine - m * sin_m, -sine, -(sin_m + m * cos_m)])
        } else if variant == R::from_f64(2.0) {
            (R::ZERO, [cosine, -sine, R::ZERO])
        } else if variant == R::from_f64(3.0) {
            (-cos_m, [-R::ONE, R::ZERO, R::ZERO])
        } else {
            (R::from_f64(-2.0), inside)
        };
        let [value, slope, by_margin] = if cosine > switch { inside } else { beyond };
        Target {
            value: scale * value,
            slope: scale * slope,
            norm_slope: scale * (moves * margin_slope * by_margin),
            row_constant: weight * (norm / (most * most) + R::ONE / norm),
        }
    }

    #[inline(always)]
    fn norm_slope<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> R {
        let [_, _, most, _, _, weight, ..] = p.constants;
        let (norm, moves) = clipped(positive.query_norm, p);
        moves * weight * (R::ONE / (most * most) - R::ONE / (norm * norm))
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: entry.score * p.constants[0],
            score_slope: p.constants[0],
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        let softmax = softmax_row(row);
        RowLoss {
            value: softmax.value + row.row_constant,
            ..softmax
        }
    }
}
