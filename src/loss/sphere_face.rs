//! SphereFace: a margin that multiplies the target's angle.

use super::{About, Described, FeatureScale, Gradient, Margin, MarginSoftmax, Parameter, domain};
use crate::Result;
use serde::{Deserialize, Serialize};

/// SphereFace, A-Softmax: `ℓ = softplus(LSE_{j≠y}(a·cos θ_j) − a·ψ_λ(θ_y))` in nats, with
/// `ψ_λ = (λ cos θ + ψ)/(1 + λ)`, `ψ = (−1)^k cos(mθ) − 2k`, `k = ⌊mθ/π⌋`, and a = s, or s·‖x‖ with
/// `feature_scale` norm: the original loss, with s = 1, whose gradient has the norm's part.
///
/// λ shrinks in training: `max(5, 1000/(1 + 0.12·iteration))` in the authors' prototxt. The
/// authors' Caffe layer scales the target's gradient to unit length and is matched by neither mode.
/// pytorch-metric-learning's `SphereFaceLoss` is m = 4, norm, exact; opensphere (s = 30, m = 1.5 or
/// 1.7) and ExpFace's baseline (s = 32, m = 1.7) are constant, detached.
///
/// With `filter` (constant feature scale only), see [`MarginSoftmax::filter`]. Domain: s > 0,
/// 1 ≤ m ≤ 16, λ ≥ 0. Source: Liu et al., "SphereFace: deep hypersphere embedding for face
/// recognition" (CVPR 2017), eq. 7.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SphereFace {
    /// Scale s.
    pub scale: f64,
    /// Factor m on the angle.
    pub margin: f64,
    /// λ, the weight of the plain cosine.
    pub lambda: f64,
    /// What cosines are multiplied by.
    pub feature_scale: FeatureScale,
    /// Gradient mode.
    pub gradient: Gradient,
    /// Cosine beyond which another class counts as one at 0.
    pub filter: Option<f64>,
}

impl Default for SphereFace {
    fn default() -> Self {
        SphereFace {
            scale: 32.0,
            margin: 1.7,
            lambda: 0.0,
            feature_scale: FeatureScale::Constant,
            gradient: Gradient::Exact,
            filter: None,
        }
    }
}

impl Described for SphereFace {
    const ABOUT: About = About {
        title: "SphereFace, A-Softmax, multiplicative angular margin",
        formula: "softplus(LSE_{j≠y}(s·cos θ_j) − s·(λ cos θ_y + ψ(θ_y))/(1 + λ)), ψ = (−1)^k cos(mθ) − 2k, k = ⌊mθ/π⌋",
        parameters: &[
            Parameter::SCALE,
            Parameter {
                name: "margin",
                domain: "1 to 16",
                meaning: "m, factor on the angle",
            },
            Parameter {
                name: "lambda",
                domain: "≥ 0",
                meaning: "λ, weight of the plain cosine",
            },
            Parameter::FEATURE_SCALE,
            Parameter::GRADIENT,
            Parameter::FILTER,
        ],
        source: "Liu et al., SphereFace: deep hypersphere embedding for face recognition (CVPR 2017)",
    };

    fn variants() -> Vec<Self> {
        let of = |margin, lambda, feature_scale, gradient| SphereFace {
            scale: 4.0,
            margin,
            lambda,
            feature_scale,
            gradient,
            filter: None,
        };
        vec![
            SphereFace::default(),
            of(4.0, 5.0, FeatureScale::Norm, Gradient::Exact),
            of(4.0, 0.0, FeatureScale::Norm, Gradient::Detached),
            of(1.5, 0.5, FeatureScale::Constant, Gradient::Detached),
        ]
    }
}

impl MarginSoftmax for SphereFace {
    fn name(&self) -> &'static str {
        "sphere_face"
    }

    fn scale(&self) -> f64 {
        self.scale
    }

    fn margin(&self) -> Margin {
        Margin::Unfolded {
            m: self.margin,
            blend: self.lambda,
        }
    }

    fn gradient(&self) -> Gradient {
        self.gradient
    }

    fn feature_scale(&self) -> FeatureScale {
        self.feature_scale
    }

    fn filter(&self) -> Option<f64> {
        self.filter
    }

    fn check_margin(&self) -> Result<()> {
        domain::within("sphere_face", "margin", self.margin, 1.0..=16.0)?;
        domain::within("sphere_face", "lambda", self.lambda, 0.0..=1e9)?;
        if self.filter.is_some() && self.feature_scale == FeatureScale::Norm {
            let message =
                "sphere_face: `filter` compares cosines and goes with feature_scale constant";
            return Err(crate::Error::Unsupported(message.into()));
        }
        Ok(())
    }
}
