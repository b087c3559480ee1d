//! Six-digit tables of the margins and of one small case, made from the published formulas in f64 by
//! a program that is not this crate, on every device.

use super::engine;
use std::f64::consts::{FRAC_1_SQRT_2, PI};
use wgloss::{
    AnyLoss, Batch, Device, Engine, Matrix, Output, Positives, Want,
    loss::{
        ArcFace, CombinedMargin, CosFace, ExpFace, Gradient, NormFace, SphereFace, SphereFaceR,
        Variant,
    },
};

/// What a table's last digit and f32 may be off by.
const ERROR: f64 = 4e-6;

const ANGLES: [f64; 9] = [0.0, 10.0, 30.0, 60.0, 90.0, 120.0, 150.0, 170.0, 180.0];

const SCALE: f64 = 8.0;

fn arc_face(variant: Variant, gradient: Gradient) -> AnyLoss {
    AnyLoss::ArcFace(ArcFace {
        scale: SCALE,
        margin: 0.5,
        variant,
        gradient,
        filter: None,
    })
}

fn combined() -> AnyLoss {
    AnyLoss::CombinedMargin(CombinedMargin {
        scale: SCALE,
        m1: 0.9,
        m2: 0.4,
        m3: 0.15,
        ..CombinedMargin::default()
    })
}

fn cos_face() -> AnyLoss {
    AnyLoss::CosFace(CosFace {
        scale: SCALE,
        margin: 0.35,
        filter: None,
    })
}

fn sphere_face(margin: f64) -> AnyLoss {
    AnyLoss::SphereFace(SphereFace {
        scale: SCALE,
        margin,
        ..SphereFace::default()
    })
}

fn sphere_face_r() -> AnyLoss {
    AnyLoss::SphereFaceR(SphereFaceR {
        scale: SCALE,
        ..SphereFaceR::default()
    })
}

fn exp_face(gradient: Gradient) -> AnyLoss {
    AnyLoss::ExpFace(ExpFace {
        scale: SCALE,
        gradient,
        ..ExpFace::default()
    })
}

fn devices() -> [Engine; 3] {
    [Device::Reference, Device::Cpu, Device::Gpu].map(engine)
}

fn evaluate(
    engine: &Engine,
    loss: &AnyLoss,
    dim: usize,
    tables: [&[f32]; 2],
    positives: &[u32],
) -> Output<f64> {
    let [queries, candidates] = tables.map(|table| Matrix::new("table", table, dim));
    let batch = Batch::new(
        queries.expect("a table"),
        candidates.expect("a table"),
        Positives::One(positives),
    );
    (engine.evaluate_f64(loss.as_dyn(), &batch.expect("a batch"), Want::BOTH))
        .unwrap_or_else(|error| panic!("{loss:?}: {error}"))
}

/// T and T' at an angle: a row in the plane of its target, and another class orthogonal to both. T' is
/// NaN where the tangent has no direction.
fn mapped(engine: &Engine, loss: &AnyLoss, degrees: f64) -> [f64; 2] {
    let angle = degrees * PI / 180.0;
    let query = [angle.cos() as f32, angle.sin() as f32, 0.0];
    let classes = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    let output = evaluate(engine, loss, 3, [&query, &classes], &[0]);
    let share = -(-output.value).exp_m1();
    let gradient = output.grad_queries.expect("it is wanted");
    assert!(
        gradient.iter().all(|x| x.is_finite()),
        "{loss:?} at {degrees}°"
    );
    // Along the unit tangent that points to the target.
    let along = gradient[0] * angle.sin() - gradient[1] * angle.cos();
    let slope = match degrees {
        0.0 | 180.0 => f64::NAN,
        _ => -along / (SCALE * share * angle.sin()),
    };
    [output.statistics[0].target / SCALE, slope]
}

#[test]
fn margins_are_those_of_the_table() {
    let exact = Gradient::Exact;
    let table: [(AnyLoss, [f64; 9]); 9] = [
        (
            cos_face(),
            [
                0.65, 0.634808, 0.516025, 0.15, -0.35, -0.85, -1.216025, -1.334808, -1.35,
            ],
        ),
        (
            arc_face(Variant::Plain, exact),
            [
                0.877583, 0.780999, 0.520296, 0.023597, -0.479426, -0.853986, -0.999722, -0.947501,
                -0.877583,
            ],
        ),
        (
            arc_face(Variant::HardThreshold, exact),
            [
                0.877583, 0.780999, 0.520296, 0.023597, -0.479426, -0.853986, -0.999722, -1.224521,
                -1.239713,
            ],
        ),
        (
            arc_face(Variant::Easy, exact),
            [
                0.877583, 0.780999, 0.520296, 0.023597, 0.0, -0.5, -0.866025, -0.984808, -1.0,
            ],
        ),
        (
            combined(),
            [
                0.771061, 0.698803, 0.493879, 0.076340, -0.390538, -0.804982, -1.076649, -1.147464,
                -1.146318,
            ],
        ),
        (
            sphere_face(4.0),
            [1.0, 0.766044, -0.5, -1.5, -3.0, -4.5, -5.5, -6.766044, -7.0],
        ),
        (
            sphere_face(1.7),
            [
                1.0, 0.956305, 0.629320, -0.207912, -0.891007, -1.086455, -1.741181, -2.325568,
                -2.587785,
            ],
        ),
        (
            sphere_face_r(),
            [
                1.0,
                0.965926,
                FRAC_1_SQRT_2,
                0.0,
                -FRAC_1_SQRT_2,
                -1.0,
                -1.0,
                -1.0,
                -1.0,
            ],
        ),
        (
            exp_face(exact),
            [
                1.0, 0.914958, 0.624519, 0.114532, -0.355156, -0.713515, -0.929988, -0.992418, -1.0,
            ],
        ),
    ];
    for engine in devices() {
        for (loss, expected) in &table {
            for (degrees, expected) in ANGLES.into_iter().zip(expected) {
                // At 90° the easy margin's two sides differ by half, and rounding chooses one.
                let easy = matches!(loss, AnyLoss::ArcFace(arc) if arc.variant == Variant::Easy);
                if easy && degrees == 90.0 {
                    continue;
                }
                let [actual, _] = mapped(&engine, loss, degrees);
                let error = (actual - expected).abs();
                assert!(
                    error < ERROR,
                    "{loss:?} at {degrees}°: {actual}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn slopes_are_those_of_the_table() {
    const NONE: f64 = f64::NAN;
    let exact = Gradient::Exact;
    let table: [(AnyLoss, [f64; 9]); 9] = [
        (
            arc_face(Variant::Plain, exact),
            [
                NONE, 3.596540, 1.707972, 1.154379, 0.877583, 0.600786, 0.047193, -1.841375, NONE,
            ],
        ),
        (
            arc_face(Variant::HardThreshold, exact),
            [
                NONE, 3.596540, 1.707972, 1.154379, 0.877583, 0.600786, 0.047193, 1.0, NONE,
            ],
        ),
        (
            combined(),
            [
                NONE, 2.740246, 1.377229, 1.012261, 0.873576, 0.785288, 0.676671, 0.368911, NONE,
            ],
        ),
        (
            sphere_face(4.0),
            [
                NONE, 14.806665, 6.928203, 4.0, 0.0, 4.0, 6.928203, 14.806665, NONE,
            ],
        ),
        (
            sphere_face(1.7),
            [
                NONE, 2.862293, 2.642296, 1.920095, 0.771784, 0.798420, 3.284148, 9.256542, NONE,
            ],
        ),
        (
            // At 120° mθ is π.
            sphere_face_r(),
            [
                NONE, 2.235719, 2.121320, 1.732051, 1.060660, NONE, 0.0, 0.0, NONE,
            ],
        ),
        (
            exp_face(exact),
            [
                NONE, 3.871742, 1.871672, 1.116443, 0.805618, 0.639572, 0.543557, 0.504016, NONE,
            ],
        ),
        (arc_face(Variant::Plain, Gradient::Detached), [1.0; 9]),
        (exp_face(Gradient::Detached), [1.0; 9]),
    ];
    for engine in devices() {
        for (loss, expected) in &table {
            for (degrees, expected) in ANGLES.into_iter().zip(expected) {
                let [_, actual] = mapped(&engine, loss, degrees);
                if actual.is_nan() || expected.is_nan() {
                    continue;
                }
                let error = (actual - expected).abs() / expected.abs().max(1.0);
                assert!(
                    error < 5.0 * ERROR,
                    "{loss:?} at {degrees}°: {actual}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn one_case_has_the_published_gradients() {
    let norm_face = AnyLoss::NormFace(NormFace {
        scale: SCALE,
        filter: None,
    });
    let (exact, detached) = (Gradient::Exact, Gradient::Detached);
    // Value; rows of the features' gradient; rows of the classes'.
    let table: [(AnyLoss, f64, [f64; 4], [f64; 6]); 10] = [
        (
            norm_face,
            0.010329871,
            [-0.050620, 0.025310, -0.000024, -0.000048],
            [0.009804, -0.019607, -0.000048, 0.0, 0.038772, 0.038772],
        ),
        (
            cos_face(),
            0.147591744,
            [-0.632772, 0.316386, -0.000397, -0.000794],
            [0.122539, -0.245078, -0.000803, 0.0, 0.484712, 0.484712],
        ),
        (
            arc_face(Variant::Plain, exact),
            0.187902590,
            [-0.931297, 0.465648, -0.000309, -0.000619],
            [0.227978, -0.455956, -0.000396, 0.0, 0.594365, 0.594365],
        ),
        (
            arc_face(Variant::HardThreshold, exact),
            0.187902590,
            [-0.931297, 0.465648, -0.000309, -0.000619],
            [0.227978, -0.455956, -0.000396, 0.0, 0.594365, 0.594365],
        ),
        (
            arc_face(Variant::Easy, detached),
            0.187902590,
            [-0.775926, 0.387963, -0.000206, -0.000411],
            [0.150293, -0.300585, -0.000396, 0.0, 0.594235, 0.594235],
        ),
        (
            combined(),
            0.196476387,
            [-0.881098, 0.440549, -0.000434, -0.000867],
            [0.194052, -0.388104, -0.000656, 0.0, 0.616457, 0.616457],
        ),
        (
            sphere_face(4.0),
            4.639710577,
            [-4.957930, 2.478965, -0.026690, -0.053380],
            [1.719600, -3.439201, -0.010490, 0.0, 1.926530, 1.926530],
        ),
        (
            sphere_face(1.7),
            0.138532044,
            [-0.951969, 0.475984, -0.000087, -0.000174],
            [0.292357, -0.584715, -0.000081, 0.0, 0.459136, 0.459136],
        ),
        (
            sphere_face_r(),
            0.062075660,
            [-0.407496, 0.203748, -0.000058, -0.000117],
            [0.115162, -0.230324, -0.000071, 0.0, 0.221502, 0.221502],
        ),
        (
            exp_face(detached),
            0.096160522,
            [-0.433384, 0.216692, -0.000077, -0.000154],
            [0.083948, -0.167896, -0.000142, 0.0, 0.331884, 0.331884],
        ),
    ];
    let features = [1.0, 2.0, -1.0, 0.5];
    let classes = [2.0, 1.0, 0.0, -1.0, -1.0, 1.0];
    for engine in devices() {
        for (loss, value, by_features, by_classes) in &table {
            let output = evaluate(&engine, loss, 2, [&features, &classes], &[0, 2]);
            let [queries, candidates] = [output.grad_queries, output.grad_candidates];
            let parts = [
                (vec![output.value], vec![*value]),
                (queries.expect("it is wanted"), by_features.to_vec()),
                (candidates.expect("it is wanted"), by_classes.to_vec()),
            ];
            for (actual, expected) in parts {
                for (actual, expected) in actual.iter().zip(&expected) {
                    let error = (actual - expected).abs() / expected.abs().max(1.0);
                    assert!(error < ERROR, "{loss:?}: {actual}, not {expected}");
                }
            }
        }
    }
}
