//! SphereFace-R: a multiplicative margin on the target's angle, or on those of all other classes.

use super::{
    About, Described, Entry, FeatureScale, Gradient, Held, Loss, Margin, Pair, Parameter,
    Parameters, PositiveScore, Row, RowLoss, Score, Spec, Target, TargetForm, Variant,
    angular::{
        entry_cosines, held_margin, softmax_constants, softmax_pair, softmax_row, softmax_target,
    },
    domain, positive,
};
use crate::{Batch, Output, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// SphereFace-R with features of constant norm s: `ℓ = softplus(LSE_{j≠y} s·N(θ_j) − s·T(θ_y))` in
/// nats. Version 1 has `T = cos(min(mθ, π))` and N the cosine; version 2 T the cosine and
/// `N = cos(θ/m)`, on every column, with cosines clamped to ±(1 − 10⁻⁵) and slope 0 beyond, as the
/// official code clamps them.
///
/// opensphere's code is detached, and multiplies the loss by 50/s
/// ([`Batch::factor`](crate::Batch::factor)); ExpFace's baseline is version 2 without that factor.
/// Version 0 is [`SphereFace`](super::SphereFace) with a constant feature scale. Domain: s > 0,
/// 1 ≤ m ≤ 16. Source: Liu et al., "SphereFace revived: unifying hyperspherical face recognition"
/// (TPAMI 2022).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SphereFaceR {
    /// 1 or 2.
    pub version: u32,
    /// Scale s.
    pub scale: f64,
    /// Factor m on the target's angle, or divisor of the others'.
    pub margin: f64,
    /// Gradient mode.
    pub gradient: Gradient,
}

impl Default for SphereFaceR {
    fn default() -> Self {
        SphereFaceR {
            version: 1,
            scale: 30.0,
            margin: 1.5,
            gradient: Gradient::Exact,
        }
    }
}

/// The largest cosine of version 2 with a slope.
const MOST: f64 = 0.999_99;

impl Described for SphereFaceR {
    const ABOUT: About = About {
        title: "SphereFace-R, versions 1 and 2",
        formula: "1: softplus(LSE_{j≠y}(s·cos θ_j) − s·cos(min(mθ_y, π))); 2: softplus(LSE_{j≠y}(s·cos(θ_j/m)) − s·cos θ_y)",
        parameters: &[
            Parameter {
                name: "version",
                domain: "1, 2",
                meaning: "whether the margin is on the target or on the other classes",
            },
            Parameter::SCALE,
            Parameter {
                name: "margin",
                domain: "1 to 16",
                meaning: "m, factor on the target's angle or divisor of the others'",
            },
            Parameter::GRADIENT,
        ],
        source: "Liu et al., SphereFace revived: unifying hyperspherical face recognition (TPAMI 2022)",
    };

    fn variants() -> Vec<Self> {
        let of = |version, gradient| SphereFaceR {
            version,
            gradient,
            ..SphereFaceR::default()
        };
        vec![
            SphereFaceR::default(),
            of(1, Gradient::Detached),
            of(2, Gradient::Exact),
            of(2, Gradient::Detached),
        ]
    }
}

impl SphereFaceR {
    fn on_target(&self) -> bool {
        self.version == 1
    }

    fn detached(&self) -> bool {
        self.gradient == Gradient::Detached
    }
}

impl Loss for SphereFaceR {
    fn spec(&self) -> Spec {
        Spec {
            target: match self.on_target() {
                true => TargetForm::Tangent,
                false => TargetForm::Score,
            },
            ..Spec::log_sum_exp("sphere_face_r", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        if !self.on_target() {
            let detached = f64::from(u8::from(self.detached()));
            return vec![self.scale, self.margin, detached];
        }
        let margin = Margin::Affine {
            m1: self.margin,
            m2: 0.0,
            m3: 0.0,
            variant: Variant::Clamped,
        };
        let margin = margin.constants(self.gradient);
        softmax_constants(self.scale, FeatureScale::Constant, None, margin)
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("sphere_face_r", "scale", self.scale)?;
        let version = f64::from(self.version);
        domain::within("sphere_face_r", "version", version, 1.0..=2.0)?;
        domain::within("sphere_face_r", "margin", self.margin, 1.0..=16.0)
    }

    fn wgsl(&self) -> &'static str {
        match self.on_target() {
            true => include_str!("../../shaders/losses/margin_softmax.wgsl"),
            false => include_str!("../../shaders/losses/sphere_face_r.wgsl"),
        }
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        if self.on_target() {
            return softmax_target(positive, p);
        }
        Target {
            value: p.constants[0] * positive.score,
            slope: p.constants[0],
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        if self.on_target() {
            return softmax_pair(entry, p);
        }
        let [scale, m, detached, ..] = p.constants;
        let most = R::from_f64(MOST);
        let cosine = entry.score.max(-most).min(most);
        let sine = ((R::ONE - cosine) * (R::ONE + cosine)).sqrt();
        let turned = sine.atan2(cosine) / m;
        let inside = entry.score.abs() <= most;
        let slope = if inside {
            turned.sin() / (m * sine)
        } else {
            R::ZERO
        };
        Pair {
            value: scale * turned.cos(),
            score_slope: if detached == R::ZERO {
                scale * slope
            } else {
                scale
            },
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        softmax_row(row)
    }

    fn specialized<T>(&self, work: impl FnOnce(&Self) -> T) -> T {
        match self.on_target() {
            true => work(&SphereFaceR {
                version: 1,
                ..self.clone()
            }),
            false => work(&SphereFaceR {
                version: 2,
                ..self.clone()
            }),
        }
    }

    fn holds_entries(&self) -> bool {
        self.detached() && !self.on_target()
    }

    fn held(&self, batch: &Batch<'_>, output: &Output<f64>) -> Option<Held> {
        if !self.detached() {
            return None;
        }
        if self.on_target() {
            return Some(held_margin(self, batch, output));
        }
        let offset = |cosine: f64| (cosine.clamp(-MOST, MOST).acos() / self.margin).cos() - cosine;
        let offsets = entry_cosines(batch).into_iter().map(offset);
        let loss = HeldEntries {
            spec: Spec {
                entry_constants: true,
                ..self.spec()
            },
            scale: self.scale,
        };
        Some(Held {
            entry_constants: offsets.map(|x| x as f32).collect(),
            ..Held::rows(loss, Vec::new())
        })
    }
}

/// Version 2 with z = s·(cos θ + h), h a number per entry.
#[derive(Clone, Debug)]
struct HeldEntries {
    spec: Spec,
    scale: f64,
}

impl Loss for HeldEntries {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn constants(&self) -> Vec<f64> {
        vec![self.scale]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        ""
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        Target {
            value: p.constants[0] * positive.score,
            slope: p.constants[0],
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: p.constants[0] * (entry.score + entry.constant),
            score_slope: p.constants[0],
            target_slope: R::ZERO,
        }
    }

    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        softmax_row(row)
    }
}
