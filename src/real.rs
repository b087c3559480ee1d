//! Scalars: the trait the CPU implementation is generic over, for `f64` (the reference) and `f32`.
//!
//! `f64` takes its functions from the standard library. `f32` has its own: straight-line code of
//! additions, multiplications, one division at most, and selects, so that a loop over a slice
//! becomes vector instructions once it is inlined into a function compiled for them (for example
//! under `pulp::Arch::dispatch`). The standard library's `f32` functions are calls, which no
//! compiler vectorises.

mod double;
mod single;

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A floating-point scalar: `f32` or `f64`.
///
/// Accuracies below are for `f32`, relative to the result, in units of its last place (ulp), and
/// hold for every argument in the domain whose result is a normal number. `f64` is within 1 ulp
/// except where a function's own text says otherwise. NaN in gives NaN out everywhere.
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// +∞.
    const INFINITY: Self;
    /// −∞.
    const NEG_INFINITY: Self;
    /// The largest finite number.
    const MAX: Self;
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;

    /// The nearest number to `value`; beyond the largest finite one, ±∞.
    fn from_f64(value: f64) -> Self;
    /// `value`, exactly.
    fn from_f32(value: f32) -> Self;
    /// The number as `f64`, exactly.
    fn to_f64(self) -> f64;
    /// The nearest `f32`.
    fn to_f32(self) -> f32;

    /// `self · factor + addend`, rounded after the product and again after the sum.
    ///
    /// Not fused: a fused product is a slow call on processors without the instruction, and would
    /// make results depend on the processor.
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        self * factor + addend
    }

    /// The larger of the two; `self` if either is NaN, so a NaN in `self` survives.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if other > self { other } else { self }
    }

    /// The smaller of the two; `self` if either is NaN, so a NaN in `self` survives.
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if other < self { other } else { self }
    }

    /// Runs `work` compiled for the vectors that this processor has, where they serve: `f64`, the
    /// reference, has its functions from the standard library, which no compiler vectorises.
    #[doc(hidden)]
    #[inline(always)]
    fn vectorized<T>(work: impl FnOnce() -> T) -> T {
        work()
    }

    /// `|x|`, exact.
    fn abs(self) -> Self;
    /// `√x`, correctly rounded; NaN below 0.
    fn sqrt(self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;

    /// `eˣ` for every `x`, within 1.5 ulp; 0 at −∞, +∞ from `ln MAX` on.
    fn exp(self) -> Self;
    /// `eˣ` for |x| ≤ 80, within 1.5 ulp; anything beyond. Shorter than [`Real::exp`].
    #[inline(always)]
    fn exp_near(self) -> Self {
        self.exp()
    }
    /// `eˣ − 1` for every `x`, within 2 ulp, also near 0.
    fn exp_m1(self) -> Self;
    /// The natural logarithm for `x ≥ 0`, within 1.5 ulp, also near 1; −∞ at 0, NaN below.
    fn ln(self) -> Self;
    /// `ln(1 + x)` for `x ≥ −1`, within 2 ulp, also near 0; −∞ at −1, NaN below.
    fn ln_1p(self) -> Self;
    /// The hyperbolic tangent for every `x`, within 2.5 ulp, also near 0.
    fn tanh(self) -> Self;
    /// The inverse tangent for every `x`, in [−π/2, π/2], within 2 ulp, also near 0.
    fn atan(self) -> Self;
    /// The angle of the point (`x`, `self`) in [−π, π], within 2.5 ulp; 0 or π at the origin, by
    /// the sign of `x`, as in the standard library.
    fn atan2(self, x: Self) -> Self;
    /// The sine for |x| ≤ 64, within 10⁻⁷, and within 1.5 ulp for |x| ≤ π/4; less exact beyond.
    fn sin(self) -> Self;
    /// The cosine for |x| ≤ 64, within 10⁻⁷; less exact beyond.
    fn cos(self) -> Self;
    /// The largest whole number not above x, for |x| ≤ 2²².
    fn floor(self) -> Self;
    /// The inverse cosine for `x` in [−1, 1]; the standard library's, not vectorised.
    ///
    /// Ill-conditioned near ±1: for an angle between vectors use `atan2` of chord lengths.
    fn acos(self) -> Self;

    /// `ln(1 + eˣ)` for every `x`, within 2.5 ulp (`f64`: 2), also where it vanishes.
    #[inline(always)]
    fn softplus(self) -> Self {
        self.max(Self::ZERO) + (-self.abs()).exp().ln_1p()
    }

    /// `1 / (1 + e⁻ˣ)` for every `x`, within 2.5 ulp (`f64`: 2), also where it vanishes.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        // e^−|x| never overflows, and for negative x it is the factor that vanishes.
        let tail = (-self.abs()).exp();
        let numerator = if self < Self::ZERO { tail } else { Self::ONE };
        numerator / (Self::ONE + tail)
    }

    /// `ln σ(x) = −softplus(−x)`, with `softplus`'s accuracy.
    #[inline(always)]
    fn log_sigmoid(self) -> Self {
        -(-self).softplus()
    }
}
