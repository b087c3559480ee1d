//! The combined margin: three margins at once.

use super::{About, Described, Gradient, Margin, MarginSoftmax, Parameter, Variant, domain};
use crate::Result;
use serde::{Deserialize, Serialize};

/// The combined margin: `ℓ = softplus(LSE_{j≠y}(s·cos θ_j) − s·(cos(m₁θ_y + m₂) − m₃))` in nats, and
/// beyond m₁θ + m₂ = π what [`Variant`] says. (1, 0, 0) is NormFace, (1, 0, m) CosFace, (1, m, 0)
/// ArcFace.
///
/// insightface's `MXNet` code is plain and exact, with (1, 0.3, 0.2). `CombinedMarginLoss` of its
/// `arcface_torch` is another loss: with m₃ > 0 it ignores m₁ and m₂ and is CosFace(m₃).
///
/// With `filter`, see [`MarginSoftmax::filter`]. m₂ in radians. Domain: s > 0, 0.01 ≤ m₁ ≤ 16, 0 ≤ m₂ < π, m₃
/// finite. Source: Deng et al., "ArcFace: additive angular margin loss" (CVPR 2019), eq. 4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CombinedMargin {
    /// Scale s.
    pub scale: f64,
    /// Factor m₁ on the angle.
    pub m1: f64,
    /// m₂, added to the angle, radians.
    pub m2: f64,
    /// m₃, subtracted from the cosine.
    pub m3: f64,
    /// What happens beyond m₁θ + m₂ = π.
    pub variant: Variant,
    /// Gradient mode.
    pub gradient: Gradient,
    /// Cosine beyond which another class counts as one at 0.
    pub filter: Option<f64>,
}

impl Default for CombinedMargin {
    fn default() -> Self {
        CombinedMargin {
            scale: 64.0,
            m1: 1.0,
            m2: 0.3,
            m3: 0.2,
            variant: Variant::Plain,
            gradient: Gradient::Exact,
            filter: None,
        }
    }
}

impl Described for CombinedMargin {
    const ABOUT: About = About {
        title: "combined margin of ArcFace's paper",
        formula: "softplus(LSE_{j≠y}(s·cos θ_j) − s·(cos(m₁θ_y + m₂) − m₃))",
        parameters: &[
            Parameter::SCALE,
            Parameter {
                name: "m1",
                domain: "0.01 to 16",
                meaning: "factor on the angle",
            },
            Parameter {
                name: "m2",
                domain: "0 ≤ m2 < π",
                meaning: "added to the angle, radians",
            },
            Parameter {
                name: "m3",
                domain: "finite",
                meaning: "taken off the cosine",
            },
            Parameter::VARIANT,
            Parameter::GRADIENT,
            Parameter::FILTER,
        ],
        source: "Deng et al., ArcFace: additive angular margin loss for deep face recognition (CVPR 2019)",
    };

    fn variants() -> Vec<Self> {
        let of = |variant, gradient| CombinedMargin {
            m1: 0.9,
            m2: 0.4,
            m3: 0.15,
            variant,
            gradient,
            ..CombinedMargin::default()
        };
        vec![
            CombinedMargin::default(),
            of(Variant::HardThreshold, Gradient::Exact),
            of(Variant::Plain, Gradient::Detached),
        ]
    }
}

impl MarginSoftmax for CombinedMargin {
    fn name(&self) -> &'static str {
        "combined_margin"
    }

    fn scale(&self) -> f64 {
        self.scale
    }

    fn margin(&self) -> Margin {
        Margin::Affine {
            m1: self.m1,
            m2: self.m2,
            m3: self.m3,
            variant: self.variant,
        }
    }

    fn gradient(&self) -> Gradient {
        self.gradient
    }

    fn filter(&self) -> Option<f64> {
        self.filter
    }

    fn check_margin(&self) -> Result<()> {
        domain::within("combined_margin", "m1", self.m1, 0.01..=16.0)?;
        domain::angle("combined_margin", "m2", self.m2)?;
        domain::finite("combined_margin", "m3", self.m3)
    }
}
