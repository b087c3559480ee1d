//! ExpFace: the target's angle to a power.

use super::{
    About, BatchStatistics, Described, Gradient, Margin, MarginSoftmax, Parameter, Parameters,
    Scalar, Spec, domain,
};
use crate::{Real, Result, shape::MAX_THETA};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Where ExpFace's margin comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DynamicMargin {
    /// It is the parameter.
    #[default]
    Off,
    /// From every batch: the exponent that takes the mean target angle to the angle where target
    /// and other classes weigh the same, `arccos(c̄_n + ln(N − 1)/s)`. The authors' `_d`.
    BreakEven,
    /// From every batch: the one that takes it to the mean angle with other classes,
    /// `arccos c̄_n`. The authors' `_dd`.
    MeanAngle,
}

/// ExpFace: `ℓ = softplus(LSE_{j≠y}(s·cos θ_j) − s·cos(π(θ_y/π)^m))` in nats. A smaller m is a larger
/// margin, 1 is NormFace.
///
/// With `dynamic` every batch sets `m = ln(a/π)/ln(arccos(c̄_p)/π)`, `c̄_p` the mean target cosine, a as
/// [`DynamicMargin`] says with `c̄_n` the mean cosine of rows and other classes; brought into
/// [0.1, 1], and a constant to the gradients. m is then state θ₀, and `margin` what a run
/// begins with ([`Output::theta_after`](crate::Output::theta_after)).
///
/// The authors' code (class `PowerFace`; m = 0.7, 0.6 by its default) trains with the detached
/// gradient; the paper analyses the exact one. With `filter`, see [`MarginSoftmax::filter`]. Domain:
/// s > 0, 0.1 ≤ m ≤ 1. Source: Zheng and Gong, "ExpFace: exponential angular margin loss for deep
/// face recognition" (2025, arXiv 2509.19753), eq. 8.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExpFace {
    /// Scale s.
    pub scale: f64,
    /// The exponent m.
    pub margin: f64,
    /// Where m comes from.
    pub dynamic: DynamicMargin,
    /// Gradient mode.
    pub gradient: Gradient,
    /// Cosine beyond which another class counts as one at 0.
    pub filter: Option<f64>,
}

impl Default for ExpFace {
    fn default() -> Self {
        ExpFace {
            scale: 64.0,
            margin: 0.7,
            dynamic: DynamicMargin::Off,
            gradient: Gradient::Exact,
            filter: None,
        }
    }
}

/// Exponents below are no margins that anyone trains with, and have no bounded gradient.
const LEAST: f64 = 0.1;

impl Described for ExpFace {
    const ABOUT: About = About {
        title: "ExpFace, exponential angular margin",
        formula: "softplus(LSE_{j≠y}(s·cos θ_j) − s·cos(π(θ_y/π)^m))",
        parameters: &[
            Parameter::SCALE,
            Parameter {
                name: "margin",
                domain: "0.1 to 1",
                meaning: "m, the exponent; smaller is more",
            },
            Parameter {
                name: "dynamic",
                domain: "off, break_even, mean_angle",
                meaning: "whether every batch sets m, and by what angle",
            },
            Parameter::GRADIENT,
            Parameter::FILTER,
        ],
        source: "Zheng and Gong, ExpFace: exponential angular margin loss for deep face recognition (2025)",
    };

    fn variants() -> Vec<Self> {
        let of = |dynamic, gradient| ExpFace {
            dynamic,
            gradient,
            ..ExpFace::default()
        };
        vec![
            ExpFace::default(),
            of(DynamicMargin::Off, Gradient::Detached),
            of(DynamicMargin::BreakEven, Gradient::Exact),
            of(DynamicMargin::MeanAngle, Gradient::Detached),
        ]
    }
}

impl MarginSoftmax for ExpFace {
    fn name(&self) -> &'static str {
        "exp_face"
    }

    fn scale(&self) -> f64 {
        self.scale
    }

    fn margin(&self) -> Margin {
        let fixed = self.dynamic == DynamicMargin::Off;
        Margin::Exponential {
            m: fixed.then_some(self.margin),
            break_even: self.dynamic == DynamicMargin::BreakEven,
        }
    }

    fn gradient(&self) -> Gradient {
        self.gradient
    }

    fn filter(&self) -> Option<f64> {
        self.filter
    }

    fn check_margin(&self) -> Result<()> {
        domain::within("exp_face", "margin", self.margin, LEAST..=1.0)
    }

    fn adjusted(&self, spec: Spec) -> Spec {
        let dynamic = self.dynamic != DynamicMargin::Off;
        Spec {
            thetas: usize::from(dynamic),
            batch_statistics: dynamic,
            negative_mean: dynamic,
            theta_state: dynamic,
            ..spec
        }
    }

    fn margin_scalars(&self) -> Vec<Scalar> {
        let margin = Scalar {
            name: "margin",
            initial: self.margin,
            rate: 0.0,
        };
        vec![margin; usize::from(self.dynamic != DynamicMargin::Off)]
    }

    fn margin_state<R: Real>(&self, seen: BatchStatistics<R>, p: &Parameters<R>) -> [R; MAX_THETA] {
        let mut theta = p.theta;
        let scale = p.constants[0];
        let mut aim = seen.negative_mean;
        if self.dynamic == DynamicMargin::BreakEven {
            aim += seen.negatives.ln() / scale;
        }
        let least = R::from_f64(LEAST);
        theta[0] = (log_share(aim) / log_share(seen.mean))
            .max(least)
            .min(R::ONE);
        theta
    }
}

/// `ln(arccos(c)/π)`, finite and below 0.
fn log_share<R: Real>(cosine: R) -> R {
    let cosine = cosine.max(-R::ONE).min(R::ONE);
    let sine = ((R::ONE - cosine) * (R::ONE + cosine)).sqrt();
    let share = sine.atan2(cosine) / R::from_f64(PI);
    share
        .max(R::from_f64(1e-6))
        .min(R::from_f64(1.0 - 1e-6))
        .ln()
}
