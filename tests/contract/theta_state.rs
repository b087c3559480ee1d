//! θ that a batch renews: by its definition, in place on the device, and under any limit.

use super::{
    GPU,
    device::{Run, full},
    numbers::{ids, numbers},
};
use std::f64::consts::PI;
use wgloss::{
    Batch, DynLoss, Error, IGNORED, Matrix, Output, Positives, Want, cpu,
    gpu::PlanOptions,
    loss::{AdaFace, CurricularFace, DynamicMargin, ExpFace, Gradient},
};

const DIM: usize = 7;
const ROWS: usize = 13;
const CLASSES: usize = 41;

struct Data {
    features: Vec<f32>,
    classes: Vec<f32>,
    labels: Vec<u32>,
}

impl Data {
    fn new() -> Self {
        let mut labels = ids(ROWS, CLASSES, 3);
        let classes = numbers(CLASSES * DIM, 2);
        // Features near their classes, as training makes them.
        let mut features = numbers(ROWS * DIM, 1);
        for (row, label) in features.chunks_mut(DIM).zip(&labels) {
            for (x, y) in row.iter_mut().zip(&classes[*label as usize * DIM..]) {
                *x = 0.5 * *x + *y;
            }
        }
        labels[4] = IGNORED;
        Data {
            features,
            classes,
            labels,
        }
    }

    fn batch<'a>(&'a self, theta: &'a [f64]) -> Batch<'a> {
        let features = Matrix::new("features", &self.features, DIM).expect("features");
        let classes = Matrix::new("classes", &self.classes, DIM).expect("classes");
        (Batch::new(features, classes, Positives::One(&self.labels)))
            .and_then(|batch| batch.theta(theta))
            .expect("a batch")
    }

    /// Unit vectors of a table in f64, and its norms.
    fn unit(table: &[f32]) -> Vec<(Vec<f64>, f64)> {
        let rows = table.chunks(DIM).map(|row| {
            let norm = row
                .iter()
                .map(|x| f64::from(*x).powi(2))
                .sum::<f64>()
                .sqrt();
            (row.iter().map(|x| f64::from(*x) / norm).collect(), norm)
        });
        rows.collect()
    }

    /// Mean target cosine, mean cosine with other classes, mean and unbiased deviation of norms, of
    /// the rows that count.
    fn seen(&self) -> [f64; 4] {
        let (features, classes) = (Self::unit(&self.features), Self::unit(&self.classes));
        let live: Vec<usize> = (0..ROWS)
            .filter(|row| self.labels[*row] != IGNORED)
            .collect();
        let cosine = |row: usize, class: usize| -> f64 {
            features[row]
                .0
                .iter()
                .zip(&classes[class].0)
                .map(|(x, y)| x * y)
                .sum()
        };
        let mut sums = [0.0; 2];
        for &row in &live {
            for class in 0..CLASSES {
                sums[usize::from(class != self.labels[row] as usize)] += cosine(row, class);
            }
        }
        let count = live.len() as f64;
        let mean = live.iter().map(|row| features[*row].1).sum::<f64>() / count;
        let squares: f64 = live
            .iter()
            .map(|row| (features[*row].1 - mean).powi(2))
            .sum();
        let [own, others] = sums;
        let others = others / (count * (CLASSES - 1) as f64);
        [own / count, others, mean, (squares / (count - 1.0)).sqrt()]
    }
}

fn after(output: &Output<f64>) -> Vec<f64> {
    assert!(output.grad_theta.is_empty(), "state has no gradient");
    output.theta_after.clone().expect("there is state")
}

fn is(what: &str, loss: &dyn DynLoss, theta: &[f64], expected: &[f64]) {
    let data = Data::new();
    let batch = data.batch(theta);
    let reference = cpu::evaluate::<f64>(loss, &batch, Want::BOTH).expect("it evaluates");
    let device = GPU
        .evaluate_f64(loss, &batch, Want::BOTH)
        .expect("it evaluates");
    for (output, error) in [(reference, 1e-12), (device, 1e-5)] {
        for (actual, expected) in after(&output).iter().zip(expected) {
            let close = (actual - expected).abs() < error * expected.abs().max(1.0);
            assert!(close, "{what}: {actual}, not {expected}");
        }
    }
}

#[test]
fn state_is_what_its_definition_says() {
    let [own, others, mean, deviation] = Data::new().seen();
    let ada_face = AdaFace {
        gamma: 0.25,
        ..AdaFace::default()
    };
    let moved = |before: f64, seen: f64| 0.75 * before + 0.25 * seen;
    let expected = [moved(3.0, mean), moved(0.5, deviation)];
    is("AdaFace", &ada_face, &[3.0, 0.5], &expected);
    let curricular = CurricularFace {
        gamma: 0.25,
        ..CurricularFace::default()
    };
    is("CurricularFace", &curricular, &[0.5], &[moved(0.5, own)]);
    let share = |cosine: f64| (cosine.acos() / PI).ln();
    for (dynamic, ahead) in [
        (DynamicMargin::BreakEven, ((CLASSES - 1) as f64).ln() / 64.0),
        (DynamicMargin::MeanAngle, 0.0),
    ] {
        let loss = ExpFace {
            dynamic,
            ..ExpFace::default()
        };
        let m = (share(others + ahead) / share(own)).clamp(0.1, 1.0);
        is("ExpFace", &loss, &[0.7], &[m]);
    }
}

/// A dynamic margin is the fixed one of the same exponent.
#[test]
fn a_dynamic_margin_is_a_margin() {
    let data = Data::new();
    for gradient in [Gradient::Exact, Gradient::Detached] {
        let dynamic = ExpFace {
            scale: 8.0,
            dynamic: DynamicMargin::BreakEven,
            gradient,
            ..ExpFace::default()
        };
        let found = cpu::evaluate::<f64>(&dynamic, &data.batch(&[0.7]), Want::BOTH);
        let found = found.expect("it evaluates");
        let fixed = ExpFace {
            margin: after(&found)[0],
            dynamic: DynamicMargin::Off,
            ..dynamic
        };
        assert!(fixed.margin > 0.1 && fixed.margin < 1.0, "{fixed:?}");
        let expected = cpu::evaluate::<f64>(&fixed, &data.batch(&[]), Want::BOTH);
        let expected = expected.expect("it evaluates");
        assert_eq!(found.value.to_bits(), expected.value.to_bits());
        assert_eq!(found.grad_queries, expected.grad_queries);
        assert_eq!(found.grad_candidates, expected.grad_candidates);
    }
}

/// Three steps that leave θ where they found it, and three that hand it over.
#[test]
fn state_is_renewed_in_place() {
    let data = Data::new();
    let losses: [(&dyn DynLoss, Vec<f64>); 2] = [
        (&AdaFace::default(), vec![3.0, 0.5]),
        (&CurricularFace::default(), vec![0.25]),
    ];
    for (loss, theta) in losses {
        let batch = data.batch(&theta);
        let mut run = Run::new(full(), loss, &batch, &PlanOptions::default());
        run.buffers.theta_after.clone_from(&run.buffers.theta);
        let mut handed = theta.clone();
        for step in 0..3 {
            let in_place = run.from(f32::NAN).expect("it evaluates");
            let batch = data.batch(&handed);
            let other = Run::new(full(), loss, &batch, &PlanOptions::default());
            let expected = other.from(f32::NAN).expect("it evaluates");
            assert_eq!(in_place, expected, "{loss:?}, step {step}");
            let after = expected.theta_after.expect("there is state");
            handed = after.iter().copied().map(f64::from).collect();
        }
        assert!(
            handed
                .iter()
                .zip(&theta)
                .all(|(after, before)| after != before)
        );
    }
}

/// A batch in which nothing counts renews nothing.
#[test]
fn ignored_rows_leave_state_alone() {
    let mut data = Data::new();
    data.labels.fill(IGNORED);
    let theta = [3.0, 0.5];
    let output = GPU.evaluate(&AdaFace::default(), &data.batch(&theta), Want::BOTH);
    let output = output.expect("it evaluates");
    assert_eq!(output.theta_after, Some(vec![3.0, 0.5]));
    let output = cpu::evaluate::<f64>(&AdaFace::default(), &data.batch(&theta), Want::BOTH);
    assert_eq!(
        output.expect("it evaluates").theta_after,
        Some(theta.into())
    );
}

/// The mean over other classes is that of whole rows.
#[test]
fn a_dynamic_margin_wants_whole_rows() {
    let data = Data::new();
    let loss = ExpFace {
        dynamic: DynamicMargin::MeanAngle,
        ..ExpFace::default()
    };
    let theta = [0.7];
    let some = wgloss::Columns::Shared(&[0, 1, 2]);
    let batch = data.batch(&theta).columns(some).expect("columns");
    let error = GPU
        .evaluate(&loss, &batch, Want::BOTH)
        .expect_err("it is refused");
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("exp_face") && message.contains("all columns"),
        "{message}"
    );
    let missing = data.batch(&[]);
    let error = GPU
        .evaluate(&loss, &missing, Want::BOTH)
        .expect_err("it is refused");
    assert!(error.to_string().contains("theta"), "{error}");
}
