//! What the losses are timed on, and what their results are compared with.

use crate::Case;
use wgloss::{Batch, Columns, Matrix, Output, Positives, cpu};

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
    /// What the loss reads beside.
    second: Option<(Vec<f32>, Vec<f32>)>,
    sampled: Option<Vec<u32>>,
    row_parameters: Vec<f64>,
    per_row: usize,
    column_parameters: Vec<f32>,
    theta: Vec<f64>,
    /// The first samples, where candidates are the queries.
    samples: Option<Vec<u32>>,
    /// Whether positives are columns of their rows too.
    positives_in_columns: bool,
}

/// Sampled columns of a row.
const SAMPLED: usize = 4;

impl Data {
    pub fn new(case: &Case<'_>) -> Data {
        let [b, n, d] = case.size;
        let spec = case.loss.spec();
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
        let second = (spec.second.is_some()).then(|| (numbers(b * d), numbers(n * d)));
        let row_parameters = numbers(b * spec.row_parameters);
        let mut ids =
            |count: usize| -> Vec<u32> { (0..count).map(|_| (next() % n as u64) as u32).collect() };
        let mut positives = ids(b);
        let name = spec.name;
        let samples = ["sup_con", "nt_xent"].contains(&name);
        let samples = samples.then(|| (0..b as u32).collect::<Vec<u32>>());
        if samples.is_some() {
            // No sample is its own positive.
            for (row, id) in (0..).zip(&mut positives) {
                *id = (*id + u32::from(*id == row)) % n as u32;
            }
        }
        let sampled = spec.ranks.then(|| ids(b * SAMPLED));
        let scalars = case.loss.scalars();
        Data {
            dim: d,
            queries,
            candidates,
            positives,
            second,
            sampled,
            row_parameters: row_parameters.into_iter().map(f64::from).collect(),
            per_row: spec.row_parameters,
            column_parameters: vec![0.0; if spec.column_parameters { n } else { 0 }],
            theta: scalars.iter().map(|scalar| scalar.initial).collect(),
            samples,
            positives_in_columns: name == "sup_con",
        }
    }

    pub fn batch(&self) -> Batch<'_> {
        self.first_rows(self.positives.len())
    }

    fn first_rows(&self, rows: usize) -> Batch<'_> {
        let queries = match self.samples {
            Some(_) => &self.candidates[..],
            None => &self.queries[..rows * self.dim],
        };
        let queries = Matrix::new("queries", queries, self.dim);
        let candidates = Matrix::new("candidates", &self.candidates, self.dim);
        let positives = Positives::One(&self.positives[..rows]);
        let mut batch = Batch::new(
            queries.expect("a table"),
            candidates.expect("a table"),
            positives,
        );
        if let Some(samples) = &self.samples {
            batch = (batch.and_then(|batch| batch.rows(&samples[..rows])))
                .and_then(Batch::exclude_self);
        }
        if self.positives_in_columns {
            batch = batch.and_then(Batch::positives_in_columns);
        }
        if let Some((queries, candidates)) = &self.second {
            let queries = Matrix::new("adv_queries", &queries[..rows * self.dim], self.dim);
            let candidates = Matrix::new("adv_candidates", candidates, self.dim);
            let tables = (queries.expect("a table"), candidates.expect("a table"));
            batch = batch.and_then(|batch| batch.second(tables.0, tables.1));
        }
        if let Some(ids) = &self.sampled {
            let columns = Columns::Sampled {
                ids: &ids[..rows * SAMPLED],
                per_row: SAMPLED,
            };
            batch = batch.and_then(|batch| batch.columns(columns));
        }
        if self.per_row > 0 {
            let numbers = &self.row_parameters[..rows * self.per_row];
            batch = batch.and_then(|batch| batch.row_parameters(numbers, self.per_row));
        }
        if !self.column_parameters.is_empty() {
            batch = batch.and_then(|batch| batch.column_parameters(&self.column_parameters));
        }
        let batch = batch.and_then(|batch| batch.theta(&self.theta));
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
            let (expected, actual) = (&expected[..rows * d], &actual[..rows * d]);
            compare("grad_queries", share, expected, actual);
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
