//! CosFace: a margin on the target's cosine.

use super::{About, Described, Margin, MarginSoftmax, Parameter, Variant, domain};
use crate::Result;
use serde::{Deserialize, Serialize};

/// CosFace, AM-Softmax: `ℓ = softplus(LSE_{j≠y}(s·cos θ_j) − s·(cos θ_y − m))` in nats. Both
/// gradient modes are the same. With frozen candidates that are stored samples it is the `soft`
/// loss of UniTSFace (eq. 11).
///
/// With `filter`, see [`MarginSoftmax::filter`]. Domain: s > 0, m finite. Defaults: CosFace's s = 64
/// and m = 0.35; AM-Softmax 30 and 0.35; insightface and UniTSFace 64 and 0.4.
/// Source: Wang et al., "CosFace: large margin cosine loss for deep face recognition" (CVPR 2018),
/// eq. 4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CosFace {
    /// Scale s.
    pub scale: f64,
    /// Margin m, subtracted from the cosine.
    pub margin: f64,
    /// Cosine beyond which another class counts as one at 0.
    pub filter: Option<f64>,
}

impl Default for CosFace {
    fn default() -> Self {
        CosFace {
            scale: 64.0,
            margin: 0.35,
            filter: None,
        }
    }
}

impl Described for CosFace {
    const ABOUT: About = About {
        title: "CosFace, AM-Softmax, additive cosine margin",
        formula: "softplus(LSE_{j≠y}(s·cos θ_j) − s·(cos θ_y − m))",
        parameters: &[
            Parameter::SCALE,
            Parameter {
                name: "margin",
                domain: "finite",
                meaning: "m, taken off the target's cosine",
            },
            Parameter::FILTER,
        ],
        source: "Wang et al., CosFace: large margin cosine loss for deep face recognition (CVPR 2018)",
    };

    fn variants() -> Vec<Self> {
        let filtered = CosFace {
            filter: Some(0.4),
            ..CosFace::default()
        };
        vec![CosFace::default(), filtered]
    }
}

impl MarginSoftmax for CosFace {
    fn name(&self) -> &'static str {
        "cos_face"
    }

    fn scale(&self) -> f64 {
        self.scale
    }

    fn margin(&self) -> Margin {
        Margin::Affine {
            m1: 1.0,
            m2: 0.0,
            m3: self.margin,
            variant: Variant::Plain,
        }
    }

    fn filter(&self) -> Option<f64> {
        self.filter
    }

    fn check_margin(&self) -> Result<()> {
        domain::finite("cos_face", "margin", self.margin)
    }
}
