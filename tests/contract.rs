//! The width of the contract, by losses from outside the crate: numbers per row, per candidate and
//! per entry, statistics over the batch, gradients of column parameters, self-exclusion, norms of
//! queries alone.

#[path = "contract/added.rs"]
mod added;
#[path = "contract/bad_input.rs"]
mod bad_input;
#[path = "contract/bad_shapes.rs"]
mod bad_shapes;
#[path = "contract/centres.rs"]
mod centres;
#[path = "contract/compact.rs"]
mod compact;
#[path = "contract/device.rs"]
mod device;
#[path = "contract/kept.rs"]
mod kept;
#[path = "contract/limits.rs"]
mod limits;
#[path = "contract/losses.rs"]
mod losses;
#[path = "contract/margins.rs"]
mod margins;
#[path = "contract/memory.rs"]
mod memory;
#[path = "contract/numbers.rs"]
mod numbers;
#[path = "contract/odd.rs"]
mod odd;
#[path = "contract/odd_losses.rs"]
mod odd_losses;
#[path = "contract/state.rs"]
mod state;
#[path = "contract/state_losses.rs"]
mod state_losses;
#[path = "contract/theta_state.rs"]
mod theta_state;

use losses::{Anchored, NormMargin, Wide};
use state_losses::Squared;
use std::sync::LazyLock;
use wgloss::{
    Batch, Device, DynLoss, Elements, Engine, EngineOptions, GivenScores, Matrix, Output, Want,
    check::{Problem, check},
    cpu,
    loss::{Activation, Psl, Score, Sl},
};

/// One device for all tests of this file.
static GPU: LazyLock<Engine> = LazyLock::new(|| {
    Engine::with_options(&EngineOptions::default().device(Device::Gpu)).expect("an adapter")
});

/// Every loss that a test of this file runs.
fn losses() -> Vec<Box<dyn DynLoss>> {
    let projected = Sl {
        score: Score::Projection,
        ..Sl::new(0.5)
    };
    let mut all: Vec<Box<dyn DynLoss>> = vec![
        Box::new(Psl::new(Activation::Tanh, 0.2)),
        Box::new(NormMargin),
        Box::new(Anchored),
        Box::new(projected),
        Box::new(Squared(0.75)),
    ];
    for loss in Wide::ALL {
        all.push(Box::new(loss));
    }
    all
}

#[test]
fn the_gpu_agrees_with_the_reference() {
    let mut judged = 0;
    for loss in losses() {
        for problem in Problem::all() {
            let verdicts = check(&GPU, &*loss, &problem).expect("it evaluates");
            for verdict in verdicts.into_iter().flatten() {
                let name = problem.name();
                assert!(verdict.passed(), "{loss:?} on {name}: {verdict:?}");
                judged += 1;
            }
        }
    }
    assert!(judged >= 6 * 30, "{judged} results");
}

fn reference(loss: &dyn DynLoss, batch: &Batch<'_>) -> Output<f64> {
    cpu::evaluate::<f64>(loss, batch, Want::BOTH).expect("it evaluates")
}

/// Steps are powers of two, so that they are exact in f32.
const STEP: f32 = 1.0 / 512.0;

/// The slope of the value by a number of a list, from the list's neighbours.
fn slope(value: &dyn Fn(&[f32]) -> f64, numbers: &[f32], at: usize) -> f64 {
    let moved = |steps: f32| {
        let mut numbers = numbers.to_vec();
        numbers[at] += steps * STEP;
        value(&numbers)
    };
    let (near, far) = (moved(1.0) - moved(-1.0), moved(2.0) - moved(-2.0));
    (8.0 * near - far) / (12.0 * f64::from(STEP))
}

/// Compares a gradient with the slopes of the value by every number of a list.
fn derives(what: &str, value: &dyn Fn(&[f32]) -> f64, numbers: &[f32], gradient: &[f64]) {
    assert_eq!(gradient.len(), numbers.len(), "{what}");
    for (at, actual) in gradient.iter().enumerate() {
        let expected = slope(value, numbers, at);
        let error = (actual - expected).abs();
        assert!(error < 1e-6, "{what}, {at}: {actual}, not {expected}");
    }
}

/// Calls `test` with what each loss makes of each problem that it takes.
fn each(mut test: impl FnMut(&str, &dyn DynLoss, &Batch<'_>)) {
    for loss in losses() {
        let mut taken = 0;
        for problem in Problem::all() {
            let spec = loss.spec();
            if !problem.suits(&spec) {
                continue;
            }
            let problem = problem.fitted(&*loss);
            let batch = problem.batch(&spec).expect("a batch");
            let shape = batch.shape().expect("a shape");
            if loss.check(&shape).is_ok() && spec.check(&shape).is_ok() {
                test(&format!("{loss:?} on {}", problem.name()), &*loss, &batch);
                taken += 1;
            }
        }
        assert!(taken > 0, "{loss:?}");
    }
}

#[test]
fn gradients_of_column_parameters_are_derivatives() {
    each(|what, loss, batch| {
        let Some(given) = batch.all_column_parameters() else {
            return;
        };
        let value = |numbers: &[f32]| {
            let batch = batch.clone().column_parameters(numbers);
            reference(loss, &batch.expect("as many")).value
        };
        let gradient = reference(loss, batch).grad_column_parameters;
        derives(what, &value, given, &gradient.expect("it is wanted"));
    });
}

/// The numbers of a dense table in f32.
fn numbers<'a>(matrix: &Matrix<'a>) -> &'a [f32] {
    match matrix.elements() {
        Elements::F32(numbers) => numbers,
        _ => panic!("problems are in f32"),
    }
}

#[test]
fn gradients_of_tables_are_derivatives() {
    let mut tried = 0;
    each(|what, loss, batch| {
        // Statistics that move with the embeddings are constants by contract; zero vectors have
        // no derivative; angles of 0 and π are corners, and so is where sub-centres change places.
        let moves = loss.spec().batch_statistics && !what.contains("LogSum");
        let corners = ["zeros", "one-number", "sub-centres", "parallel"];
        if batch.given_scores().is_some() {
            return;
        }
        if moves || corners.iter().any(|corner| what.contains(corner)) {
            return;
        }
        let (queries, candidates) = (batch.query_table(), batch.candidate_table());
        let dim = queries.dim();
        let output = reference(loss, batch);
        let value = |queries: &[f32], candidates: &[f32]| {
            let queries = Matrix::new("queries", queries, dim).expect("as many");
            let candidates = Matrix::new("candidates", candidates, dim).expect("as many");
            let batch = batch.clone().tables(queries, candidates);
            reference(loss, &batch.expect("as many")).value
        };
        let (q, c) = (numbers(&queries), numbers(&candidates));
        let of = |gradient: Option<Vec<f64>>| gradient.expect("it is wanted");
        derives(what, &|moved| value(moved, c), q, &of(output.grad_queries));
        derives(
            what,
            &|moved| value(q, moved),
            c,
            &of(output.grad_candidates),
        );
        tried += 1;
    });
    assert!(tried > 15, "{tried} cases");
}

#[test]
fn gradients_of_given_scores_are_derivatives() {
    let mut tried = 0;
    each(|what, loss, batch| {
        let Some(given) = batch.given_scores() else {
            return;
        };
        let value = |positives: &[f32], columns: &[f32]| {
            let moved = Batch::from_scores(GivenScores {
                positives,
                columns,
                ..given
            });
            reference(loss, &moved.expect("as many")).value
        };
        let output = reference(loss, batch);
        let of = |gradient: Option<Vec<f64>>| gradient.expect("it is wanted");
        let (positives, columns) = (given.positives, given.columns);
        let by_positives = of(output.grad_positive_scores);
        derives(
            what,
            &|moved| value(moved, columns),
            positives,
            &by_positives,
        );
        let by_columns = of(output.grad_column_scores);
        derives(what, &|moved| value(positives, moved), columns, &by_columns);
        tried += 1;
    });
    assert!(tried > 1, "{tried} losses");
}

#[test]
fn gradients_of_theta_are_derivatives() {
    let mut tried = 0;
    each(|what, loss, batch| {
        let given: Vec<f32> = batch.thetas().iter().map(|x| *x as f32).collect();
        let value = |theta: &[f32]| {
            let theta: Vec<f64> = theta.iter().map(|x| f64::from(*x)).collect();
            let batch = batch.clone().theta(&theta);
            reference(loss, &batch.expect("as many")).value
        };
        let gradient = reference(loss, batch).grad_theta;
        derives(what, &value, &given, &gradient);
        tried += given.len();
    });
    assert!(tried > 5, "{tried} scalars");
}
