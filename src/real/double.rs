//! `f64`: the standard library's functions.

use super::Real;

/// Forwards each named method to the inherent one of the same name.
macro_rules! forward {
    ($($name:ident),*) => {$(
        #[inline(always)]
        fn $name(self) -> f64 {
            f64::$name(self)
        }
    )*};
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const INFINITY: f64 = f64::INFINITY;
    const NEG_INFINITY: f64 = f64::NEG_INFINITY;
    const MAX: f64 = f64::MAX;
    const EPSILON: f64 = f64::EPSILON;

    #[inline(always)]
    fn from_f64(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn from_f32(value: f32) -> f64 {
        f64::from(value)
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self as f32
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }

    #[inline(always)]
    fn atan2(self, x: f64) -> f64 {
        f64::atan2(self, x)
    }

    forward!(
        abs, sqrt, exp, exp_m1, ln, ln_1p, tanh, atan, sin, cos, floor, acos
    );
}
