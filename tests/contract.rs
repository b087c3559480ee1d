//! The width of the contract, by losses from outside the crate: numbers per row, per candidate and
//! per entry, statistics over the batch, gradients of column parameters, self-exclusion.

#[path = "contract/losses.rs"]
mod losses;

use losses::Wide;
use std::sync::LazyLock;
use wgloss::{
    Batch, Device, Engine, EngineOptions, Loss, Output, Want,
    check::{Problem, check},
    cpu,
};

/// One device for all tests of this file.
static GPU: LazyLock<Engine> = LazyLock::new(|| {
    Engine::with_options(&EngineOptions::default().device(Device::Gpu)).expect("an adapter")
});

#[test]
fn the_gpu_agrees_with_the_reference() {
    let mut judged = 0;
    for loss in Wide::ALL {
        for problem in Problem::all() {
            let verdicts = check(&GPU, &loss, &problem).expect("it evaluates");
            for verdict in verdicts.into_iter().flatten() {
                let name = problem.name();
                assert!(verdict.passed(), "{loss:?} on {name}: {verdict:?}");
                judged += 1;
            }
        }
    }
    assert!(judged >= 6 * 15, "{judged} results");
}

fn reference(loss: &Wide, batch: &Batch<'_>) -> Output<f64> {
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

#[test]
fn gradients_of_column_parameters_are_derivatives() {
    for loss in Wide::ALL {
        for problem in Problem::all() {
            let spec = loss.spec();
            let batch = problem.batch(&spec).expect("a batch");
            let shape = batch.shape().expect("a shape");
            if loss.check(&shape).is_err() || spec.check(&shape).is_err() {
                continue;
            }
            let given = batch.all_column_parameters().expect("they are given");
            let value = |numbers: &[f32]| {
                let batch = batch.clone().column_parameters(numbers);
                reference(&loss, &batch.expect("as many")).value
            };
            let gradient = reference(&loss, &batch).grad_column_parameters;
            let gradient = gradient.expect("it is wanted");
            assert_eq!(gradient.len(), given.len());
            for (at, actual) in gradient.iter().enumerate() {
                let expected = slope(&value, given, at);
                let error = (actual - expected).abs();
                let name = problem.name();
                assert!(
                    error < 1e-6,
                    "{loss:?} on {name}, {at}: {actual}, {expected}"
                );
            }
        }
    }
}
