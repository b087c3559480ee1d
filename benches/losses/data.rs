//! What the losses are timed on, and what their results are compared with.

use crate::Case;
use wgloss::{Batch, Matrix, Output, Positives, cpu};

/// Score elements up to which results are compared as a whole.
const COMPARED_WHOLE: usize = 1 << 24;

/// Rows compared beyond that.
const COMPARED_ROWS: usize = 4;

/// The largest error, as a share of the largest entry: temperatures of 0.1 magnify the rounding of
/// an f32 score tenfold, and this leaves room for a hundred roundings.
const TOLERANCE: f64 = 1e-4;

/// Random tables and positives, the same every time.
pub struct Data {
    dim: usize,
    queries: Vec<f32>,
    candidates: Vec<f32>,
    positives: Vec<u32>,
}

impl Data {
    pub fn new([b, n, d]: [usize; 3]) -> Data {
        let mut state = 1_u64;
        // A linear congruential generator; its upper bits are good enough here.
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state >> 40
        };
        let mut numbers = |count: usize| -> Vec<f32> {
            (0..count)
                .map(|_| next() as f32 / (1 << 23) as f32 - 1.0)
                .collect()
        };
        let (queries, candidates) = (numbers(b * d), numbers(n * d));
        let positives = (0..b).map(|_| (next() % n as u64) as u32).collect();
        Data {
            dim: d,
            queries,
            candidates,
            positives,
        }
    }

    pub fn batch(&self) -> Batch<'_> {
        self.first_rows(self.positives.len())
    }

    fn first_rows(&self, rows: usize) -> Batch<'_> {
        let queries = Matrix::new("queries", &self.queries[..rows * self.dim], self.dim);
        let candidates = Matrix::new("candidates", &self.candidates, self.dim);
        let positives = Positives::One(&self.positives[..rows]);
        let batch = Batch::new(
            queries.expect("a table"),
            candidates.expect("a table"),
            positives,
        );
        batch.expect("a batch")
    }

    /// Compares with the f64 reference on the first rows, or on all of them.
    pub fn compare(&self, case: &Case<'_>, output: &Output<f32>) {
        let [b, n, d] = case.size;
        let rows = if b * n <= COMPARED_WHOLE {
            b
        } else {
            COMPARED_ROWS
        };
        let expected = cpu::evaluate::<f64>(case.loss, &self.first_rows(rows), case.want)
            .expect("the reference takes what its f32 twin took");
        compare(
            "row losses",
            1.0,
            &expected.row_losses,
            &output.row_losses[..rows],
        );
        // The mean over fewer rows divides by fewer.
        let share = rows as f64 / b as f64;
        if let (Some(expected), Some(actual)) = (&expected.grad_queries, &output.grad_queries) {
            compare("grad_queries", share, expected, &actual[..rows * d]);
        }
        if rows < b {
            return;
        }
        compare("value", 1.0, &[expected.value], &[output.value]);
        if let (Some(expected), Some(actual)) = (&expected.grad_candidates, &output.grad_candidates)
        {
            compare("grad_candidates", share, expected, actual);
        }
    }
}

fn compare(what: &str, factor: f64, expected: &[f64], actual: &[f32]) {
    assert_eq!(expected.len(), actual.len(), "{what}");
    let largest = expected
        .iter()
        .fold(0.0, |max: f64, x| max.max((factor * x).abs()));
    for (expected, actual) in expected.iter().zip(actual) {
        let error = (factor * expected - f64::from(*actual)).abs();
        // Written so that a NaN fails.
        let good = error <= TOLERANCE * largest;
        assert!(good, "{what}: {actual} instead of {}", factor * expected);
    }
}
