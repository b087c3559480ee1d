//! UCE, USS, the sample-to-sample losses, SphereFace2 and Circle.

use crate::{Rows, close, cosine, devices_agree, flat, matrix, narrow, rows, slopes, softplus};
use std::f64::consts::PI;
use wgloss::{
    Batch, DynLoss, Matrix, Positives, Want, cpu,
    loss::{Circle, Gradient, S2sBce, S2sNaive, SphereFace2, SphereFace2Kind, Uce, Uss},
};

const LABELS: [u32; 5] = [2, 0, 2, 5, 3];

/// Numbers of a loss beside its tables.
#[derive(Clone)]
struct Numbers {
    theta: Vec<f64>,
    thresholds: Vec<f32>,
}

/// The mean over rows of what `row` makes of a row's cosine with its class and of those with others.
fn mean(queries: &Rows, classes: &Rows, row: impl Fn(usize, f64, Vec<(usize, f64)>) -> f64) -> f64 {
    let of = |(at, query): (usize, &[f64; 3])| {
        let own = LABELS[at] as usize;
        let score = |j: usize| cosine(*query, classes[j]);
        let others = (0..classes.len()).filter(|j| *j != own);
        row(at, score(own), others.map(|j| (j, score(j))).collect())
    };
    queries.iter().enumerate().map(of).sum::<f64>() / queries.len() as f64
}

/// Compares with a formula of both tables and of the numbers.
fn agrees(loss: &dyn DynLoss, numbers: &Numbers, formula: impl Fn(&Rows, &Rows, &Numbers) -> f64) {
    let (queries, classes) = (rows(5, 21), rows(7, 22));
    let what = format!("{loss:?}");
    let [q, c] = [flat(&queries), flat(&classes)];
    let batch = batch(matrix("queries", &q), matrix("candidates", &c), numbers);
    let output = cpu::evaluate::<f64>(loss, &batch, Want::BOTH).expect("it evaluates");
    let value = formula(&queries, &classes, numbers);
    close(&what, &[output.value], &[value], 1e-12);
    let by_queries = slopes(&queries, |queries| formula(queries, &classes, numbers));
    close(
        &what,
        &output.grad_queries.expect("wanted"),
        &by_queries,
        2e-8,
    );
    let by_classes = slopes(&classes, |classes| formula(&queries, classes, numbers));
    close(
        &what,
        &output.grad_candidates.expect("wanted"),
        &by_classes,
        2e-8,
    );
    let by_theta = (0..numbers.theta.len()).map(|k| {
        let moved = |by: f64| {
            let mut numbers = numbers.clone();
            numbers.theta[k] += by;
            formula(&queries, &classes, &numbers)
        };
        (moved(1e-4) - moved(-1e-4)) / 2e-4
    });
    close(
        &what,
        &output.grad_theta,
        &by_theta.collect::<Vec<_>>(),
        1e-7,
    );
    if let Some(gradient) = output.grad_column_parameters {
        let by_threshold = (0..classes.len()).map(|j| {
            let moved = |by: f32| {
                let mut numbers = numbers.clone();
                numbers.thresholds[j] += by;
                formula(&queries, &classes, &numbers)
            };
            let step = 1.0 / 4096.0;
            (moved(step) - moved(-step)) / (2.0 * f64::from(step))
        });
        close(&what, &gradient, &by_threshold.collect::<Vec<_>>(), 1e-6);
    }
    let [q, c] = [narrow(&queries), narrow(&classes)];
    let queries = Matrix::new("queries", &q[..], 3).expect("rows of three");
    let classes = Matrix::new("candidates", &c[..], 3).expect("rows of three");
    devices_agree(loss, &self::batch(queries, classes, numbers));
}

fn batch<'a>(queries: Matrix<'a>, classes: Matrix<'a>, numbers: &'a Numbers) -> Batch<'a> {
    let batch = Batch::new(queries, classes, Positives::One(&LABELS)).expect("a batch");
    let batch = batch.theta(&numbers.theta).expect("scalars");
    match numbers.thresholds.is_empty() {
        true => batch,
        false => batch
            .column_parameters(&numbers.thresholds)
            .expect("thresholds"),
    }
}

fn numbers(theta: &[f64]) -> Numbers {
    Numbers {
        theta: theta.into(),
        thresholds: Vec::new(),
    }
}

/// Cosines of both tables' rows as they are before anything moves.
fn before() -> impl Fn(usize, usize) -> f64 {
    let (queries, classes) = (rows(5, 21), rows(7, 22));
    move |row, class| cosine(queries[row], classes[class])
}

/// ℓ of UCE at a target of T.
fn uce(uce: &Uce, target: f64, others: &[(usize, f64)], bias: f64) -> f64 {
    let negatives = others.iter().map(|(_, c)| softplus(uce.scale * c - bias));
    softplus(bias - uce.scale * target) + uce.neg_weight * negatives.sum::<f64>()
}

#[test]
fn uce_is_its_formula() {
    let additive = Uce {
        scale: 8.0,
        neg_weight: 0.5,
        ..Uce::default()
    };
    agrees(&additive, &numbers(&[1.5]), |queries, classes, numbers| {
        mean(queries, classes, |_, own, others| {
            uce(&additive, own - additive.margin, &others, numbers.theta[0])
        })
    });
    let exponential = |c: f64, m: f64| (PI * (c.acos() / PI).powf(m)).cos();
    let exact = Uce {
        scale: 8.0,
        gradient: Gradient::Exact,
        ..Uce::exponential()
    };
    agrees(&exact, &numbers(&[1.5]), |queries, classes, numbers| {
        mean(queries, classes, |_, own, others| {
            uce(
                &exact,
                exponential(own, exact.margin),
                &others,
                numbers.theta[0],
            )
        })
    });
    let detached = Uce {
        scale: 8.0,
        ..Uce::exponential()
    };
    let before = before();
    agrees(&detached, &numbers(&[1.5]), |queries, classes, numbers| {
        mean(queries, classes, |row, own, others| {
            let frozen = before(row, LABELS[row] as usize);
            let target = own + exponential(frozen, detached.margin) - frozen;
            uce(&detached, target, &others, numbers.theta[0])
        })
    });
}

#[test]
fn sample_to_sample_losses_are_their_formulas() {
    let naive = S2sNaive { scale: 8.0 };
    agrees(&naive, &numbers(&[]), |queries, classes, _| {
        mean(queries, classes, |_, own, others| {
            let sum: f64 = others.iter().map(|(_, c)| c).sum();
            8.0 * (sum / others.len() as f64 - own)
        })
    });
    let bce = S2sBce {
        scale: 8.0,
        ..S2sBce::default()
    };
    let thresholds = vec![0.5, -1.0, 2.0, 1.25, 0.0, 3.0, -0.25];
    let with_thresholds = Numbers {
        theta: Vec::new(),
        thresholds,
    };
    agrees(&bce, &with_thresholds, |queries, classes, numbers| {
        let of = |j: usize| f64::from(numbers.thresholds[j]);
        mean(queries, classes, |row, own, others| {
            let own = softplus(of(LABELS[row] as usize) - 8.0 * (own - bce.margin));
            let negatives = others.iter().map(|(j, c)| softplus(8.0 * c - of(*j)));
            own + negatives.sum::<f64>()
        })
    });
}

/// g.
fn transformed(c: f64, t: f64) -> f64 {
    2.0 * (0.5 * (c + 1.0)).powf(t) - 1.0
}

/// P and N of a cosine.
fn both(loss: &SphereFace2, c: f64) -> [f64; 2] {
    let g = |c: f64| transformed(c, loss.t);
    let m = loss.margin;
    match loss.kind {
        SphereFace2Kind::C => [g(c) - m, g(c) + m],
        SphereFace2Kind::A => [g((c.acos() + m).min(PI).cos()), g(c)],
        SphereFace2Kind::M => [g((c.acos() * m).min(PI).cos()), g(c)],
    }
}

#[test]
fn sphere_face2_is_its_formula() {
    let before = before();
    for kind in [SphereFace2Kind::C, SphereFace2Kind::A, SphereFace2Kind::M] {
        for gradient in [Gradient::Exact, Gradient::Detached] {
            let loss = SphereFace2 {
                scale: 8.0,
                loss_weight: 16.0,
                gradient,
                ..SphereFace2::new(kind)
            };
            // P or N of a cosine, as far as its slope goes.
            let seen = |side: usize, c: f64, frozen: f64| match gradient {
                Gradient::Exact => both(&loss, c)[side],
                Gradient::Detached => c + both(&loss, frozen)[side] - frozen,
            };
            agrees(&loss, &numbers(&[-0.75]), |queries, classes, numbers| {
                let bias = numbers.theta[0];
                mean(queries, classes, |row, own, others| {
                    let own = seen(0, own, before(row, LABELS[row] as usize));
                    let negatives = others
                        .iter()
                        .map(|(j, c)| softplus(loss.scale * seen(1, *c, before(row, *j)) + bias));
                    let own = loss.lambda * softplus(-(loss.scale * own + bias));
                    let negatives = (1.0 - loss.lambda) * negatives.sum::<f64>();
                    loss.loss_weight / loss.scale * (own + negatives)
                })
            });
        }
    }
}

#[test]
fn circle_is_its_formula() {
    let loss = Circle {
        scale: 8.0,
        ..Circle::default()
    };
    let before = before();
    let m = loss.margin;
    agrees(&loss, &numbers(&[]), |queries, classes, _| {
        mean(queries, classes, |row, own, others| {
            let weight = (1.0 + m - before(row, LABELS[row] as usize)).max(0.0);
            let own = 8.0 * weight * (own - (1.0 - m));
            let negatives = others.iter().map(|(j, c)| {
                let weight = (before(row, *j) + m).max(0.0);
                (8.0 * weight * (c - m)).exp()
            });
            softplus(negatives.sum::<f64>().ln() - own)
        })
    });
}

/// A small case with results known to nine and six digits.
#[test]
fn thresholds_agree_with_the_specification() {
    let queries = [1.0, 2.0, 0.0, -1.0, 0.5, 0.0];
    let classes = [2.0, 1.0, 0.0, 0.0, -1.0, 0.0, -1.0, 1.0, 0.0];
    let (scale, clamp) = (8.0, false);
    let uce = Uce {
        scale,
        ..Uce::default()
    };
    let uss = Uss {
        scale,
        margin: 0.1,
        clamp,
    };
    let theta = [1.5];
    for (loss, value, by_bias, by_queries) in [
        (
            &uce as &dyn DynLoss,
            0.782_637_485,
            -0.268_971,
            [-1.266_669, 0.633_335, 0.0, -0.033_173, -0.066_345, 0.0],
        ),
        (
            &uss,
            0.682_421_333,
            -0.361_881,
            [-1.134_033, 0.567_017, 0.0, -0.009_060, -0.018_119, 0.0],
        ),
    ] {
        let (q, c) = (matrix("queries", &queries), matrix("candidates", &classes));
        let batch = Batch::new(q, c, Positives::One(&[0, 2])).expect("a batch");
        let batch = batch.theta(&theta).expect("a scalar");
        let output = cpu::evaluate::<f64>(loss, &batch, Want::BOTH).expect("it evaluates");
        close("value", &[output.value], &[value], 6e-10);
        close("bias", &output.grad_theta, &[by_bias], 6e-7);
        close(
            "queries",
            &output.grad_queries.expect("wanted"),
            &by_queries,
            6e-7,
        );
        if loss.spec().name == "uce" {
            let by_classes = [
                0.072_970, -0.145_940, 0.0, -0.021_854, 0.0, 0.0, 1.431_450, 1.431_450, 0.0,
            ];
            close(
                "classes",
                &output.grad_candidates.expect("wanted"),
                &by_classes,
                6e-7,
            );
        }
    }
}
