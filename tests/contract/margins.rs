//! What the margins refuse, by name; and what the filter for classes that are the same person does.

use super::{GPU, numbers::numbers};
use wgloss::{
    AnyLoss, Batch, Error, Matrix, Positives, Want, cpu,
    loss::{ArcFace, CosFace},
};

const DIM: usize = 5;

fn matrix<'a>(name: &'static str, table: &'a [f32]) -> Matrix<'a> {
    Matrix::new(name, table, DIM).expect("a table")
}

/// The loss's own JSON, a parameter outside its domain, and what the message names.
const BAD: [(&str, &str); 25] = [
    (r#"{"loss": "norm_face", "scale": 0.0}"#, "scale"),
    (r#"{"loss": "norm_face", "filter": 1.5}"#, "filter"),
    (r#"{"loss": "cos_face", "scale": -64.0}"#, "scale"),
    (r#"{"loss": "cos_face", "margin": 1e300}"#, "margin"),
    (r#"{"loss": "arc_face", "margin": 3.2}"#, "margin"),
    (r#"{"loss": "arc_face", "margin": -0.1}"#, "margin"),
    (r#"{"loss": "combined_margin", "m1": 0.0}"#, "m1"),
    (r#"{"loss": "combined_margin", "m2": 4.0}"#, "m2"),
    (r#"{"loss": "combined_margin", "m3": 1e300}"#, "m3"),
    (r#"{"loss": "sphere_face", "margin": 0.5}"#, "margin"),
    (r#"{"loss": "sphere_face", "lambda": -1.0}"#, "lambda"),
    (
        r#"{"loss": "sphere_face", "feature_scale": "norm", "filter": 0.4}"#,
        "filter",
    ),
    (r#"{"loss": "sphere_face_r", "version": 3}"#, "version"),
    (r#"{"loss": "sphere_face_r", "margin": 20.0}"#, "margin"),
    (r#"{"loss": "exp_face", "margin": 0.0}"#, "margin"),
    (r#"{"loss": "exp_face", "margin": 1.1}"#, "margin"),
    (r#"{"loss": "ada_face", "gamma": 0.0}"#, "gamma"),
    (
        r#"{"loss": "ada_face", "concentration": 0.0}"#,
        "concentration",
    ),
    (r#"{"loss": "ada_face", "margin": 3.5}"#, "margin"),
    (
        r#"{"loss": "mag_face", "largest_norm": 5.0}"#,
        "largest_norm",
    ),
    (
        r#"{"loss": "mag_face", "largest_margin": 0.1}"#,
        "largest_margin",
    ),
    (
        r#"{"loss": "mag_face", "norm_weight": -1.0}"#,
        "norm_weight",
    ),
    (r#"{"loss": "mag_face", "least_norm": 0.0}"#, "least_norm"),
    (r#"{"loss": "curricular_face", "gamma": 2.0}"#, "gamma"),
    (r#"{"loss": "curricular_face", "scale": 0.0}"#, "scale"),
];

#[test]
fn parameters_outside_their_domain_are_named() {
    let (features, classes) = (numbers(3 * DIM, 1), numbers(7 * DIM, 2));
    let batch = Batch::new(
        matrix("features", &features),
        matrix("classes", &classes),
        Positives::One(&[0, 3, 6]),
    );
    let batch = batch.expect("a batch");
    for (json, parameter) in BAD {
        let loss: AnyLoss = serde_json::from_str(json).expect("a loss");
        let theta = vec![0.5; loss.as_dyn().spec().thetas];
        let batch = batch.clone().theta(&theta).expect("numbers");
        let errors = [
            GPU.evaluate(loss.as_dyn(), &batch, Want::BOTH).err(),
            cpu::evaluate::<f64>(loss.as_dyn(), &batch, Want::BOTH).err(),
        ];
        for error in errors {
            let error = error.unwrap_or_else(|| panic!("{json} was taken"));
            let message = error.to_string();
            assert!(message.contains(parameter), "{json}: {message}");
            assert!(
                message.contains(loss.as_dyn().spec().name),
                "{json}: {message}"
            );
        }
    }
}

#[test]
fn labels_out_of_range_are_named() {
    let (features, classes) = (numbers(2 * DIM, 1), numbers(7 * DIM, 2));
    let error = Batch::new(
        matrix("features", &features),
        matrix("classes", &classes),
        Positives::One(&[0, 7]),
    );
    let error = error.expect_err("it is refused");
    assert!(matches!(error, Error::Id { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("positives") && message.contains('7'),
        "{message}"
    );
}

/// A class beyond the filter counts as one at cosine 0, and has no gradient.
#[test]
fn filtered_classes_stay_in_the_sum() {
    // Cosines with the feature: the target's 0.6, others' 0.8 and 0.28.
    let feature = [1.0, 0.0, 0.0, 0.0, 0.0];
    let mut classes = [0.0; 3 * DIM];
    for (class, [x, y]) in [[3.0, 4.0], [4.0, 3.0], [7.0, 24.0]]
        .into_iter()
        .enumerate()
    {
        (classes[class * DIM], classes[class * DIM + 1 + class]) = (x, y);
    }
    let batch = Batch::new(
        matrix("features", &feature),
        matrix("classes", &classes),
        Positives::One(&[0]),
    );
    let batch = batch.expect("a batch");
    let loss = CosFace {
        scale: 4.0,
        margin: 0.1,
        filter: Some(0.4),
    };
    let target = (4.0 * (0.6 - 0.1f64)).exp();
    let expected = -(target / (target + 1.0 + (4.0 * 0.28f64).exp())).ln();
    for output in [
        cpu::evaluate::<f64>(&loss, &batch, Want::BOTH),
        GPU.evaluate_f64(&loss, &batch, Want::BOTH),
    ] {
        let output = output.expect("it evaluates");
        assert!((output.value - expected).abs() < 1e-6, "{}", output.value);
        let gradient = output.grad_candidates.expect("it is wanted");
        let [own, filtered, other] = [0, 1, 2].map(|class| &gradient[class * DIM..][..DIM]);
        assert!(filtered.iter().all(|x| *x == 0.0), "{filtered:?}");
        assert!(own.iter().chain(other).any(|x| *x != 0.0));
    }
    // Without it that class is the hardest.
    let plain = ArcFace {
        margin: 0.0,
        ..ArcFace::default()
    };
    let output = cpu::evaluate::<f64>(&plain, &batch, Want::BOTH).expect("it evaluates");
    let gradient = output.grad_candidates.expect("it is wanted");
    assert!(gradient[DIM..2 * DIM].iter().any(|x| *x != 0.0));
}
