//! How a margin maps the target's angle; the WGSL twin is `shaders/shared/angular_margin.wgsl`.

use super::{Gradient, Variant};
use crate::Real;
use std::f64::consts::PI;

/// Numbers that a margin is for the scalar functions.
pub(crate) const MARGIN_CONSTANTS: usize = 8;

/// T, the map of the target's angle θ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Margin {
    /// `cos(m₁θ + m₂) − m₃`, and something else beyond a switch.
    Affine {
        /// Factor m₁ on the angle.
        m1: f64,
        /// m₂, added to it, radians.
        m2: f64,
        /// m₃, taken off the cosine.
        m3: f64,
        /// What happens beyond the switch.
        variant: Variant,
    },
    /// `(λ cos θ + ψ(θ))/(1 + λ)` with `ψ = (−1)^k cos(mθ) − 2k`, `k = ⌊mθ/π⌋`.
    Unfolded {
        /// Factor m on the angle.
        m: f64,
        /// λ, the weight of the plain cosine.
        blend: f64,
    },
    /// `cos(π(θ/π)^m)`.
    Exponential {
        /// The exponent m; `None` for θ₀, which the batch sets.
        m: Option<f64>,
        /// Whether it sets it by the angle where target and other classes weigh the same.
        break_even: bool,
    },
}

impl Margin {
    /// No margin: cos θ.
    pub const NONE: Margin = Margin::Affine {
        m1: 1.0,
        m2: 0.0,
        m3: 0.0,
        variant: Variant::Plain,
    };

    /// The numbers that [`margin_of`] reads.
    pub(crate) fn constants(self, gradient: Gradient) -> [f64; MARGIN_CONSTANTS] {
        let detached = f64::from(u8::from(gradient == Gradient::Detached));
        match self {
            Margin::Affine {
                m1,
                m2,
                m3,
                variant,
            } => {
                let [switch, kept, offset] = variant.beyond(m1, m2);
                [0.0, m1, m2, m3, switch, kept, offset, detached]
            }
            Margin::Unfolded { m, blend } => [1.0, m, blend, 0.0, 0.0, 0.0, 0.0, detached],
            Margin::Exponential { m, break_even } => {
                let break_even = f64::from(u8::from(break_even));
                let m = m.unwrap_or(0.0);
                [2.0, m, break_even, 0.0, 0.0, 0.0, 0.0, detached]
            }
        }
    }
}

impl Variant {
    /// The cosine of the switch, and beyond it the factor on the cosine and what is taken off it.
    fn beyond(self, m1: f64, m2: f64) -> [f64; 3] {
        // Where m₁θ + m₂ = π; no angle is beyond a switch at −2.
        let angle = (PI - m2) / m1;
        let switch = if angle < PI { angle.cos() } else { -2.0 };
        match self {
            Variant::Plain => [-2.0, 0.0, 0.0],
            // Official code has m₁ = 1. For another the logit must not rise either.
            Variant::HardThreshold if m1 == 1.0 => [switch, 1.0, m2 * m2.sin()],
            Variant::HardThreshold => {
                let continuous = 1.0 + angle.min(PI).cos();
                [switch, 1.0, continuous.max(m2 * m2.sin())]
            }
            Variant::Easy => [0.0, 1.0, 0.0],
            Variant::Clamped => [switch, 0.0, 1.0],
        }
    }
}

/// T of a pair, and its slope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mapped<R> {
    /// T.
    pub(crate) value: R,
    /// dT/dθ, or −sin θ where the map is detached.
    pub(crate) slope: R,
}

/// The margin of these constants at the angle of these chords; an exponent of 0 stands for `theta`.
#[inline(always)]
pub(crate) fn margin_of<R: Real>(
    constants: &[R],
    theta: R,
    one_minus_cos: R,
    one_plus_cos: R,
) -> Mapped<R> {
    let two = R::from_f64(2.0);
    let (minus, plus) = (one_minus_cos.sqrt(), one_plus_cos.sqrt());
    let sine = minus * plus;
    let cosine = R::from_f64(0.5) * (one_plus_cos - one_minus_cos);
    let angle = two * minus.atan2(plus);
    let mut mapped = if constants[0] == R::ZERO {
        affine(constants, angle, cosine, sine)
    } else if constants[0] == R::ONE {
        unfolded(constants[1], constants[2], angle, cosine, sine)
    } else {
        let m = if constants[1] == R::ZERO {
            theta
        } else {
            constants[1]
        };
        exponential(m, angle, two * plus.atan2(minus), cosine < R::ZERO)
    };
    if constants[7] != R::ZERO {
        mapped.slope = -sine;
    }
    mapped
}

#[inline(always)]
fn affine<R: Real>(constants: &[R], angle: R, cosine: R, sine: R) -> Mapped<R> {
    let turned = constants[1] * angle + constants[2];
    let (value, slope) = if cosine > constants[4] {
        (turned.cos(), -constants[1] * turned.sin())
    } else {
        let kept = constants[5];
        (kept * cosine - constants[6], -kept * sine)
    };
    Mapped {
        value: value - constants[3],
        slope,
    }
}

#[inline(always)]
fn unfolded<R: Real>(m: R, blend: R, angle: R, cosine: R, sine: R) -> Mapped<R> {
    let pi = R::from_f64(PI);
    let turned = m * angle;
    let folds = (turned / pi).floor();
    let rest = turned - folds * pi;
    let value = rest.cos() - R::from_f64(2.0) * folds;
    let slope = -m * rest.sin().abs();
    let total = R::ONE + blend;
    Mapped {
        value: (blend * cosine + value) / total,
        slope: (slope - blend * sine) / total,
    }
}

/// Beyond a right angle from what is left to π, where nothing cancels.
#[inline(always)]
fn exponential<R: Real>(m: R, angle: R, rest: R, obtuse: bool) -> Mapped<R> {
    let pi = R::from_f64(PI);
    let log_share = if obtuse {
        (-rest / pi).ln_1p()
    } else {
        (angle / pi).max(R::from_f64(1e-7)).ln()
    };
    let (value, sine) = if obtuse {
        let left = -pi * (m * log_share).exp_m1();
        (-left.cos(), left.sin())
    } else {
        let turned = pi * (m * log_share).exp();
        (turned.cos(), turned.sin())
    };
    Mapped {
        value,
        slope: -m * ((m - R::ONE) * log_share).exp() * sine,
    }
}
