//! ArcFace: a margin on the target's angle.

use super::{About, Described, Gradient, Margin, MarginSoftmax, Parameter, Variant, domain};
use crate::Result;
use serde::{Deserialize, Serialize};

/// ArcFace: `ℓ = softplus(LSE_{j≠y}(s·cos θ_j) − s·cos(θ_y + m))` in nats, and beyond `θ_y = π − m`
/// what [`Variant`] says.
///
/// | code | variant, gradient |
/// |---|---|
/// | paper, insightface's `MXNet` code | plain, exact |
/// | insightface `arcface_torch` since December 2022, ExpFace's baseline | plain, detached |
/// | `arcface_torch` before, CurricularFace, pytorch-metric-learning | `hard_threshold`, exact |
/// | MagFace's repository | easy, exact |
/// | opensphere | clamped, detached |
///
/// On a batch with several candidates per class it is sub-centre ArcFace
/// ([`Batch::columns_per_class`](crate::Batch::columns_per_class), K = 3 in the paper): a class's
/// cosine is its best sub-centre's, the lowest on ties, and the gradient goes there alone.
///
/// With `filter`, see [`MarginSoftmax::filter`]. m in radians. Domain: s > 0, 0 ≤ m < π.
/// Sources: Deng et al., "ArcFace: additive angular margin loss" (CVPR 2019), eq. 3; Deng et al.,
/// "Sub-center ArcFace" (ECCV 2020).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArcFace {
    /// Scale s.
    pub scale: f64,
    /// Margin m, radians.
    pub margin: f64,
    /// What happens beyond π − m.
    pub variant: Variant,
    /// Gradient mode.
    pub gradient: Gradient,
    /// Cosine beyond which another class counts as one at 0.
    pub filter: Option<f64>,
}

impl Default for ArcFace {
    fn default() -> Self {
        ArcFace {
            scale: 64.0,
            margin: 0.5,
            variant: Variant::Plain,
            gradient: Gradient::Exact,
            filter: None,
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
            Parameter::VARIANT,
            Parameter::GRADIENT,
            Parameter::FILTER,
        ],
        source: "Deng et al., ArcFace: additive angular margin loss for deep face recognition (CVPR 2019)",
    };

    fn variants() -> Vec<Self> {
        let of = |variant, gradient, filter| ArcFace {
            variant,
            gradient,
            filter,
            ..ArcFace::default()
        };
        vec![
            ArcFace::default(),
            of(Variant::Plain, Gradient::Detached, Some(0.4)),
            of(Variant::HardThreshold, Gradient::Exact, None),
            of(Variant::Easy, Gradient::Exact, None),
            of(Variant::Clamped, Gradient::Exact, None),
        ]
    }
}

impl MarginSoftmax for ArcFace {
    fn name(&self) -> &'static str {
        "arc_face"
    }

    fn scale(&self) -> f64 {
        self.scale
    }

    fn margin(&self) -> Margin {
        Margin::Affine {
            m1: 1.0,
            m2: self.margin,
            m3: 0.0,
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
        domain::angle("arc_face", "margin", self.margin)
    }
}
