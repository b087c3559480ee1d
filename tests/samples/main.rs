//! Losses that compare samples with each other, with proxies or with thresholds, against their published formulas
//! written down pair by pair: values, and gradients as slopes of the formula.

mod pairs;
mod thresholds;
mod thresholds_of;
mod towers;

use std::sync::LazyLock;
use wgloss::{
    Batch, Device, DynLoss, Engine, EngineOptions, Error, Matrix, Want, check::judge, cpu,
};

/// One device for all tests of this file.
static GPU: LazyLock<Engine> = LazyLock::new(|| engine(Device::Gpu));

fn engine(device: Device) -> Engine {
    let options = EngineOptions::default().device(device);
    Engine::with_options(&options).unwrap_or_else(|error| panic!("{device}: {error}"))
}

/// Rows of three numbers.
type Rows = Vec<[f64; 3]>;

/// Rows in many directions, exact in f32; the same ones every time.
fn rows(count: usize, seed: u32) -> Rows {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 20) / 2048.0 - 1.0
    };
    (0..count).map(|_| [(); 3].map(|()| next())).collect()
}

fn flat(rows: &Rows) -> Vec<f64> {
    rows.concat()
}

fn cosine(x: [f64; 3], y: [f64; 3]) -> f64 {
    let dot = |x: [f64; 3], y: [f64; 3]| (0..3).map(|at| x[at] * y[at]).sum::<f64>();
    dot(x, y) / (dot(x, x) * dot(y, y)).sqrt()
}

/// ln Σ e^x; −∞ of nothing.
fn log_sum_exp(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(f64::exp).sum::<f64>().ln()
}

fn softplus(x: f64) -> f64 {
    x.exp().ln_1p()
}

/// The slopes of `value` by every number of `rows`: the five-point formula.
fn slopes(rows: &Rows, value: impl Fn(&Rows) -> f64) -> Vec<f64> {
    const STEP: f64 = 1e-3;
    let slope = |at: usize| {
        let moved = |steps: f64| {
            let mut rows = rows.clone();
            rows[at / 3][at % 3] += steps * STEP;
            value(&rows)
        };
        let (near, far) = (moved(1.0) - moved(-1.0), moved(2.0) - moved(-2.0));
        (8.0 * near - far) / (12.0 * STEP)
    };
    (0..3 * rows.len()).map(slope).collect()
}

fn close(what: &str, actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1.0, |max: f64, x| max.max(x.abs()));
    for (at, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let error = (actual - expected).abs();
        let told = format!("{what}, {at}: {actual}, not {expected}");
        assert!(error <= tolerance * largest, "{told}");
    }
}

/// The sum of the gradients of queries and candidates, which are one table.
fn summed(queries: Option<Vec<f64>>, candidates: Option<Vec<f64>>) -> Vec<f64> {
    let (queries, candidates) = (queries.expect("wanted"), candidates.expect("wanted"));
    queries
        .iter()
        .zip(&candidates)
        .map(|(q, c)| q + c)
        .collect()
}

/// The f32 numbers of a table.
fn narrow(rows: &Rows) -> Vec<f32> {
    flat(rows).iter().map(|x| *x as f32).collect()
}

fn matrix<'a>(name: &'static str, numbers: &'a [f64]) -> Matrix<'a> {
    Matrix::new(name, numbers, 3).expect("rows of three")
}

/// Whether both f32 engines are as right as `wgloss check` wants them on the batch, whose numbers f32
/// holds.
fn devices_agree(loss: &dyn DynLoss, batch: &Batch<'_>) {
    for engine in [&*GPU, &engine(Device::Cpu)] {
        let output = engine.evaluate_f64(loss, batch, Want::BOTH);
        let output = output.unwrap_or_else(|error| panic!("{loss:?}: {error}"));
        for verdict in judge(loss, batch, &output).expect("the reference evaluates") {
            let device = engine.device();
            assert!(verdict.passed(), "{loss:?} on {device}: {verdict:?}");
        }
    }
}

/// The message of the refusal of a batch.
fn refusal(loss: &dyn DynLoss, batch: &Batch<'_>) -> String {
    let output = cpu::evaluate::<f64>(loss, batch, Want::NOTHING);
    let error: Error = output.expect_err("a refusal");
    error.to_string()
}
