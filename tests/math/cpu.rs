//! `Real` for `f32` and `f64`.

use super::{Case, Worst, angles, case, exact, sweep};
use wgloss::Real;

const INF: f32 = f32::INFINITY;

/// The function, where and against what it is tested, and the bound in ulp its documentation states.
type Row = (Case, fn(f32) -> f32, f64);

#[test]
fn single_precision_is_within_its_bounds() {
    let max = f32::MAX;
    let rows: [Row; 13] = [
        (case("exp", -max, max, f64::exp), Real::exp, 1.5),
        (case("exp_near", -80.0, 80.0, f64::exp), Real::exp_near, 1.5),
        (case("exp_m1", -max, max, f64::exp_m1), Real::exp_m1, 2.0),
        (case("ln", 0.0, max, f64::ln), Real::ln, 1.5),
        (case("ln_1p", -1.0, max, f64::ln_1p), Real::ln_1p, 2.0),
        (case("tanh", -max, max, f64::tanh), Real::tanh, 2.5),
        (case("atan", -max, max, f64::atan), Real::atan, 2.0),
        (
            case("softplus", -max, max, exact::softplus),
            Real::softplus,
            2.5,
        ),
        (
            case("sigmoid", -max, max, exact::sigmoid),
            Real::sigmoid,
            2.5,
        ),
        (
            case("log_sigmoid", -max, max, exact::log_sigmoid),
            Real::log_sigmoid,
            2.5,
        ),
        (case("sin", -0.785, 0.785, f64::sin), Real::sin, 1.5),
        (case("cos", -0.785, 0.785, f64::cos), Real::cos, 1.5),
        (case("acos", -1.0, 1.0, f64::acos), Real::acos, 1.5),
    ];
    for (case, function, bound) in rows {
        let mut worst = Worst::new();
        for x in sweep(case.low, case.high, 1009) {
            worst.record(x, function(x), (case.exact)(f64::from(x)));
        }
        worst.check(case.name, bound);
    }
}

#[test]
fn single_precision_angles_are_within_their_bound() {
    let mut worst = Worst::new();
    for y in [1.0_f32, -0.3, 2.7, 1e-3, -1e-20, 1e30] {
        for x in sweep(-1e35, 1e35, 5003) {
            worst.record(x, Real::atan2(y, x), f64::from(y).atan2(f64::from(x)));
        }
    }
    worst.check("atan2", 2.5);
}

/// Away from 0 the error that counts is absolute.
#[test]
fn single_precision_sines_are_within_their_bound() {
    for x in angles() {
        let wide = f64::from(x);
        let errors = [
            f64::from(Real::sin(x)) - wide.sin(),
            f64::from(Real::cos(x)) - wide.cos(),
        ];
        assert!(errors.iter().all(|e| e.abs() <= 1e-7), "{x}: {errors:?}");
        assert_eq!(Real::floor(x), x.floor(), "floor({x})");
    }
}

#[test]
fn exp_reaches_into_the_subnormal_numbers() {
    for i in 0..2000 {
        let x = -87.4 - i as f32 * 0.01;
        let error = f64::from(Real::exp(x)) - f64::from(x).exp();
        assert!(
            error.abs() <= 1.5 * 2f64.powi(-149),
            "exp({x}) is off by {error:e}"
        );
    }
    let tiny = 1e-40_f32;
    assert!((f64::from(Real::ln(tiny)) - f64::from(tiny).ln()).abs() < 1e-5);
    assert_eq!(
        [Real::ln_1p(tiny), Real::exp_m1(tiny), Real::tanh(tiny)],
        [tiny; 3]
    );
}

#[test]
fn single_precision_edges_are_those_of_the_standard_library() {
    let edges = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        -1.5,
        88.72,
        88.73,
        -104.0,
        f32::MAX,
        -f32::MAX,
        INF,
        -INF,
    ];
    type Pair = (&'static str, fn(f32) -> f32, fn(f32) -> f32);
    let pairs: [Pair; 6] = [
        ("exp", Real::exp, f32::exp),
        ("exp_m1", Real::exp_m1, f32::exp_m1),
        ("ln", Real::ln, f32::ln),
        ("ln_1p", Real::ln_1p, f32::ln_1p),
        ("tanh", Real::tanh, f32::tanh),
        ("atan", Real::atan, f32::atan),
    ];
    for (name, ours, theirs) in pairs {
        assert!(ours(f32::NAN).is_nan(), "{name}(NaN)");
        for x in edges {
            assert_same(&format!("{name}({x})"), ours(x), theirs(x));
        }
    }
    for y in edges {
        assert!(Real::atan2(y, f32::NAN).is_nan() && Real::atan2(f32::NAN, y).is_nan());
        for x in edges {
            assert_same(&format!("atan2({y}, {x})"), Real::atan2(y, x), y.atan2(x));
        }
    }
}

/// Equal, or within a few ulp where both are finite.
fn assert_same(what: &str, ours: f32, theirs: f32) {
    let same = ours == theirs || (ours.is_nan() && theirs.is_nan());
    let close = (ours - theirs).abs() <= 3e-7 * theirs.abs();
    assert!(
        same || close,
        "{what} is {ours}, the standard library says {theirs}"
    );
}

#[test]
fn combined_functions_keep_their_limits() {
    for (x, softplus, sigmoid) in [(-INF, 0.0, 0.0), (INF, INF, 1.0), (-f32::MAX, 0.0, 0.0)] {
        assert_eq!((Real::softplus(x), Real::sigmoid(x)), (softplus, sigmoid));
        assert_eq!(Real::log_sigmoid(-x), -softplus);
        let x = f64::from(x);
        let wide = (f64::from(softplus), f64::from(sigmoid));
        assert_eq!((Real::softplus(x), Real::sigmoid(x)), wide);
    }
    assert!(Real::softplus(f32::NAN).is_nan() && Real::sigmoid(f32::NAN).is_nan());
    assert!(Real::max(f32::NAN, 1.0).is_nan() && Real::min(f32::NAN, 1.0).is_nan());
    assert_eq!(
        (Real::max(1.0, f32::NAN), Real::min(1.0, f32::NAN)),
        (1.0, 1.0)
    );
}

#[test]
fn double_precision_satisfies_identities() {
    for i in -4000..=4000 {
        let x = f64::from(i) * 0.01;
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-14 * b.abs().max(1e-300);
        assert!(
            close(Real::softplus(x), exact::softplus(x)),
            "softplus({x})"
        );
        assert!(close(Real::sigmoid(x), exact::sigmoid(x)), "sigmoid({x})");
        assert!(
            close(Real::softplus(x).exp_m1(), Real::exp(x)),
            "softplus({x})"
        );
        assert!(
            (Real::sigmoid(x) + Real::sigmoid(-x) - 1.0).abs() < 1e-15,
            "sigmoid({x})"
        );
        assert!(
            (Real::tanh(x) - (2.0 * Real::sigmoid(2.0 * x) - 1.0)).abs() < 1e-15,
            "tanh({x})"
        );
        assert!(
            (Real::atan2(x.sin(), x.cos()).cos() - x.cos()).abs() < 1e-15,
            "atan2 at {x}"
        );
    }
}

#[test]
fn conversions_are_exact_where_they_can_be() {
    fn through<T: Real>(value: f32) -> (f32, f64) {
        (
            T::from_f32(value).to_f32(),
            T::from_f64(f64::from(value)).to_f64(),
        )
    }
    for value in [0.1_f32, -3.5, f32::MAX, f32::MIN_POSITIVE] {
        assert_eq!(through::<f32>(value), (value, f64::from(value)));
        assert_eq!(through::<f64>(value), (value, f64::from(value)));
    }
    assert_eq!(f32::from_f64(1e300), INF);
    assert_eq!(
        [0.5_f64, 1.5].into_iter().sum::<f64>(),
        Real::mul_add(0.5, 2.0, 1.0)
    );
}
