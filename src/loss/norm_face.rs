//! NormFace: softmax over cosines.

use super::{About, Described, Margin, MarginSoftmax, Parameter};
use crate::Result;
use serde::{Deserialize, Serialize};

/// NormFace, the normalised softmax: `ℓ = softplus(LSE_{j≠y}(s·cos θ_j) − s·cos θ_y)` in nats;
/// also called cosine softmax, with temperature 1/s. Both gradient modes are the same.
///
/// With `filter`, see [`MarginSoftmax::filter`]. Domain: s > 0. Defaults: the paper learns s from
/// 10 on (a learnt scale: `scaled_info_nce` without margin); pytorch-metric-learning's
/// `NormalizedSoftmaxLoss` has s = 20, insightface 64.
/// Source: Wang et al., "NormFace: L2 hypersphere embedding for face verification" (ACM MM 2017).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NormFace {
    /// Scale s.
    pub scale: f64,
    /// Cosine beyond which another class counts as one at 0.
    pub filter: Option<f64>,
}

impl Default for NormFace {
    fn default() -> Self {
        NormFace {
            scale: 64.0,
            filter: None,
        }
    }
}

impl Described for NormFace {
    const ABOUT: About = About {
        title: "NormFace, softmax over cosines",
        formula: "softplus(LSE_{j≠y}(s·cos θ_j) − s·cos θ_y)",
        parameters: &[Parameter::SCALE, Parameter::FILTER],
        source: "Wang et al., NormFace: L2 hypersphere embedding for face verification (ACM MM 2017)",
    };
}

impl MarginSoftmax for NormFace {
    fn name(&self) -> &'static str {
        "norm_face"
    }

    fn scale(&self) -> f64 {
        self.scale
    }

    fn margin(&self) -> Margin {
        Margin::NONE
    }

    fn filter(&self) -> Option<f64> {
        self.filter
    }

    fn check_margin(&self) -> Result<()> {
        Ok(())
    }
}
