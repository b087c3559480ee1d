//! `f32`: own elementary functions, written to be vectorised.
//!
//! Every function is one straight line: no branch, no table, no call. Both sides of a condition
//! are computed and one is selected. Products and sums are separate on purpose: a fused
//! multiply-add would be a slow call on processors without one, and the reductions below are
//! arranged so that the errors stay small without it.
//!
//! The polynomials are minimax fits made for this crate: Remez exchange in 200-bit arithmetic on
//! the relative error of the finished function, then coefficients rounded to `f32` one by one from
//! the lowest, the remaining ones refitted each time. `shaders/shared/math.wgsl` uses the same.

mod sines;

use super::Real;
use sines::sin_cos;
#[cfg(not(debug_assertions))]
use {pulp::Arch, std::sync::LazyLock};

/// log₂ e.
const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln 2 to 16 bits: its product with any exponent is exact.
const LN_2_HIGH: f32 = 0.693_145_75;
/// ln 2 − `LN_2_HIGH`.
const LN_2_LOW: f32 = 1.428_606_8e-6;
/// 1.5 · 2²³: adding it to a number below 2²² rounds that number to an integer, which then sits in
/// the low bits of the sum.
const ROUNDER: f32 = 12_582_912.0;
/// The bits of the `f32` next to √½: where the mantissa's interval [√½, √2) begins.
const SQRT_HALF_BITS: i32 = 0x3f35_04f3;
/// How far the nearest `f32` lies above π/2 (and above π), relative to it.
const PI_EXCESS: f32 = 2.782_753_6e-8;

/// 2^`exponent`, for exponents in −126..=127.
#[inline(always)]
fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits((exponent.wrapping_add(127) << 23) as u32)
}

/// Splits `x = k ln 2 + r`, |r| ≤ ½ ln 2, and gives `eʳ − 1` (relative error below 1.3 ulp) and k.
#[inline(always)]
fn exp_m1_reduced(x: f32) -> (f32, i32) {
    let rounded = x * LOG2_E + ROUNDER;
    let k = rounded - ROUNDER;
    let exponent = (rounded.to_bits() as i32).wrapping_sub(ROUNDER.to_bits() as i32);
    // `high` is exact. The low part enters the polynomial only through r, and the sum through the
    // small tail: so the rounding of r itself never shows.
    let high = x - k * LN_2_HIGH;
    let low = k * LN_2_LOW;
    let r = high - low;
    // (eʳ − 1 − r) / r² on |r| ≤ 0.34665; error 2^-28.1 of eʳ.
    let q = 0.001_393_576_3_f32;
    let q = q * r + 0.008_369_231;
    let q = q * r + 0.041_666_456;
    let q = q * r + 0.166_665_15;
    let q = q * r + 0.5;
    (high + (r * r * q - low), exponent)
}

#[inline(always)]
fn exp(x: f32) -> f32 {
    // Beyond these the result is 0 or +∞ anyway, and the exponent still fits.
    let clamped = x.at_least(-104.0).at_most(89.0);
    let (p, k) = exp_m1_reduced(clamped);
    // Two factors: 2^k alone leaves the range of normal numbers at both ends.
    let half = k >> 1;
    (1.0 + p) * power_of_two(half) * power_of_two(k.wrapping_sub(half))
}

#[inline(always)]
fn exp_near(x: f32) -> f32 {
    let (p, k) = exp_m1_reduced(x);
    (1.0 + p) * power_of_two(k)
}

#[inline(always)]
fn exp_m1(x: f32) -> f32 {
    let clamped = x.at_least(-40.0).at_most(89.0);
    let (p, k) = exp_m1_reduced(clamped);
    // Half the result first: 2^128 is not an f32, 2^127 is.
    let scale = power_of_two(k.wrapping_sub(1));
    let half = p * scale + (scale - 0.5);
    if k == 0 { p } else { half + half }
}

/// `ln(1 + f) + k ln 2` for f in [√½ − 1, √2 − 1].
#[inline(always)]
fn ln_reduced(f: f32, k: f32) -> f32 {
    // With s = f / (2 + f): ln(1 + f) = 2 artanh s = f − s (f − R), R = s² (2/3 + 2/5 s² + …).
    // f is exact and leads; the division's rounding only touches the small correction.
    let s = f / (2.0 + f);
    let z = s * s;
    // (2 artanh(s) / s − 2) / s² on s² ≤ 0.02945; error 2^-30.2 of the result.
    let q = 0.298_708_4_f32;
    let q = q * z + 0.399_775_83;
    let q = q * z + 0.666_667_76;
    let correction = s * (f - z * q);
    k * LN_2_HIGH + (f - (correction - k * LN_2_LOW))
}

/// The exponent k and the mantissa in [√½, √2) of a positive normal number.
#[inline(always)]
fn split(x: f32) -> (i32, f32) {
    let offset = (x.to_bits() as i32).wrapping_sub(SQRT_HALF_BITS);
    let mantissa = (offset & 0x007f_ffff).wrapping_add(SQRT_HALF_BITS);
    (offset >> 23, f32::from_bits(mantissa as u32))
}

/// `value`, the logarithm of `x`, or what it is where there is none: at 0, below, +∞ and NaN.
#[inline(always)]
fn ln_edges(x: f32, value: f32) -> f32 {
    let outside = if x > 0.0 { x } else { f32::NAN };
    let outside = if x == 0.0 { f32::NEG_INFINITY } else { outside };
    if (x > 0.0) & (x < f32::INFINITY) {
        value
    } else {
        outside
    }
}

#[inline(always)]
fn ln(x: f32) -> f32 {
    let subnormal = x < f32::MIN_POSITIVE;
    let scaled = if subnormal { x * 8_388_608.0 } else { x };
    let shift = if subnormal { 23.0 } else { 0.0 };
    let (k, m) = split(scaled);
    ln_edges(x, ln_reduced(m - 1.0, k as f32 - shift))
}

#[inline(always)]
fn ln_1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let (k, m) = split(u);
    // f = (1 + x) / 2^k − 1, from x rather than from the rounded 1 + x: exact for k = 0, one
    // rounding otherwise. Where 1 is lost in x anyway (and 2^-k need not exist), from u.
    let scale = power_of_two(k.wrapping_neg());
    let f = x * scale + (scale - 1.0);
    let f = if u > 67_108_864.0 { m - 1.0 } else { f };
    ln_edges(u, ln_reduced(f, k as f32))
}

/// `ln(1 + t)` for t in [0, 1]: there one polynomial needs no splitting.
#[inline(always)]
fn ln_1p_unit(t: f32) -> f32 {
    let s = t / (2.0 + t);
    let z = s * s;
    // (2 artanh(s) / s − 2) / s² on s² ≤ 1/9; error 2^-33 of the result.
    let q = 0.242_384_6_f32;
    let q = q * z + 0.214_455_23;
    let q = q * z + 0.286_150_87;
    let q = q * z + 0.399_989_52;
    let q = q * z + 0.666_666_75;
    t - s * (t - z * q)
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    // tanh a = −t / (2 + t) with t = e^(−2a) − 1; t in (−1, 0], so nothing overflows or cancels.
    let (p, k) = exp_m1_reduced((-2.0 * x.abs()).at_least(-40.0));
    let scale = power_of_two(k);
    let t = p * scale + (scale - 1.0);
    (-t / (2.0 + t)).copysign(x)
}

/// The inverse tangent on [0, 1].
#[inline(always)]
fn atan_unit(t: f32) -> f32 {
    let z = t * t;
    // (atan(t) / t − 1) / t² on t² ≤ 1; error 2^-28.4 of the result.
    let q = -0.001_766_193_1_f32;
    let q = q * z + 0.010_794_459;
    let q = q * z - 0.030_960_355;
    let q = q * z + 0.057_747_893;
    let q = q * z - 0.083_918_974;
    let q = q * z + 0.109_485_74;
    let q = q * z - 0.142_636_5;
    let q = q * z + 0.199_985_07;
    let q = q * z - 0.333_333;
    t + t * (z * q)
}

/// `base ± angle` for a base of 0, π/2 or π, rounded once from a base of double precision.
#[inline(always)]
fn turn(base: f32, angle: f32, subtract: bool) -> f32 {
    let signed = if subtract { -angle } else { angle };
    base + (signed - base * PI_EXCESS)
}

#[inline(always)]
fn atan(x: f32) -> f32 {
    let a = x.abs();
    let steep = a > 1.0;
    let t = a.at_most(1.0) / if steep { a } else { 1.0 };
    let base = if steep {
        std::f32::consts::FRAC_PI_2
    } else {
        0.0
    };
    turn(base, atan_unit(t), steep).copysign(x)
}

#[inline(always)]
fn atan2(y: f32, x: f32) -> f32 {
    let (a, b) = (x.abs(), y.abs());
    let steep = b > a;
    let (small, large) = if steep { (a, b) } else { (b, a) };
    // 0/0 and ∞/∞ have an answer here; `small` may still be NaN.
    let t = if small == large { 1.0 } else { small / large };
    let t = if large == 0.0 { small } else { t };
    let left = x.is_sign_negative();
    let flat_base = if left { std::f32::consts::PI } else { 0.0 };
    let base = if steep {
        std::f32::consts::FRAC_PI_2
    } else {
        flat_base
    };
    turn(base, atan_unit(t), steep != left).copysign(y)
}

/// One-instruction clamps that leave NaN as it is.
trait Clamp {
    fn at_least(self, low: Self) -> Self;
    fn at_most(self, high: Self) -> Self;
}

impl Clamp for f32 {
    #[inline(always)]
    fn at_least(self, low: f32) -> f32 {
        if self < low { low } else { self }
    }

    #[inline(always)]
    fn at_most(self, high: f32) -> f32 {
        if self > high { high } else { self }
    }
}

/// Forwards each named method to the given function.
macro_rules! forward {
    ($($name:ident => $function:path),* $(,)?) => {$(
        #[inline(always)]
        fn $name(self) -> f32 {
            $function(self)
        }
    )*};
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const INFINITY: f32 = f32::INFINITY;
    const NEG_INFINITY: f32 = f32::NEG_INFINITY;
    const MAX: f32 = f32::MAX;
    const EPSILON: f32 = f32::EPSILON;

    #[inline(always)]
    fn from_f64(value: f64) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn from_f32(value: f32) -> f32 {
        value
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }

    #[inline(always)]
    fn atan2(self, x: f32) -> f32 {
        atan2(self, x)
    }

    /// Debug builds leave vectors out, for their compilation takes minutes: the operations and their
    /// order are the same, and so are the bits.
    #[cfg(not(debug_assertions))]
    #[inline(always)]
    fn vectorized<T>(work: impl FnOnce() -> T) -> T {
        static ARCH: LazyLock<Arch> = LazyLock::new(Arch::new);
        ARCH.dispatch(work)
    }

    #[inline(always)]
    fn softplus(self) -> f32 {
        Real::max(self, 0.0) + ln_1p_unit(exp(-self.abs()))
    }

    #[inline(always)]
    fn sin(self) -> f32 {
        sin_cos(self).0
    }

    #[inline(always)]
    fn cos(self) -> f32 {
        sin_cos(self).1
    }

    #[inline(always)]
    fn floor(self) -> f32 {
        // Up to 2²², which no angle here reaches; `f32::floor` may be a call.
        let rounded = (self + ROUNDER) - ROUNDER;
        if rounded > self {
            rounded - 1.0
        } else {
            rounded
        }
    }

    forward!(
        abs => f32::abs,
        sqrt => f32::sqrt,
        acos => f32::acos,
        exp => exp,
        exp_near => exp_near,
        exp_m1 => exp_m1,
        ln => ln,
        ln_1p => ln_1p,
        tanh => tanh,
        atan => atan,
    );
}
