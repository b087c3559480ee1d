//! What losses are timed on, and what their results are compared with.

use crate::{
    Batch, Columns, DynLoss, Error, Matrix, Output, Positives, Result, Want, cpu, gpu::Storage,
    loss::Spec,
};

/// Score elements up to which results are compared as a whole.
const COMPARED_WHOLE: usize = 1 << 24;

/// Rows compared beyond that.
const COMPARED_ROWS: usize = 4;

/// The largest error, as a share of the largest entry. A factor of 10 on scores magnifies their
/// rounding tenfold, and this leaves room for a hundred roundings.
const TOLERANCE: f64 = 1e-4;

/// The same for larger factors, per unit.
const TOLERANCE_PER_UNIT: f64 = 64.0 * f32::EPSILON as f64;

/// Sampled columns of a row, for losses that rank.
const SAMPLED: usize = 4;

/// Random tables, positives and what else a loss reads: the same every time.
///
/// Row b's positive is any candidate. Losses that rank have four sampled columns per row, all others
/// every candidate; losses of pairs of samples compare the first B of N samples with all N.
#[derive(Clone, Debug)]
pub struct Inputs {
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

/// A linear congruential generator; its upper bits are good enough here.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.0 >> 40
    }

    /// Numbers in [−1, 1).
    fn numbers(&mut self, rows: usize, width: usize) -> Result<Vec<f32>> {
        let mut numbers = room(rows, width)?;
        numbers.extend((0..rows * width).map(|_| self.next() as f32 / (1 << 23) as f32 - 1.0));
        Ok(numbers)
    }

    /// Ids below `count`.
    fn ids(&mut self, rows: usize, width: usize, count: usize) -> Result<Vec<u32>> {
        let mut ids = room(rows, width)?;
        ids.extend((0..rows * width).map(|_| (self.next() % count as u64) as u32));
        Ok(ids)
    }
}

/// Room for as many numbers, or the error that there is none.
fn room<T>(rows: usize, width: usize) -> Result<Vec<T>> {
    let mut numbers = Vec::new();
    let count = rows.checked_mul(width);
    let reserved = count.is_some_and(|count| numbers.try_reserve_exact(count).is_ok());
    match reserved {
        true => Ok(numbers),
        false => Err(Error::OutOfMemory(format!(
            "a table of {rows} × {width} numbers"
        ))),
    }
}

fn check_size([b, n, d]: [usize; 3]) -> Result<()> {
    for (argument, size) in [("rows", b), ("candidates", n), ("dim", d)] {
        if size == 0 {
            return Err(Error::Shape {
                argument,
                expected: "at least 1".into(),
                actual: "0".into(),
            });
        }
    }
    Ok(())
}

impl Inputs {
    /// For B rows, N candidates and tables D wide.
    ///
    /// # Errors
    /// A size of 0, too wide tables, too little memory, or parameters outside the loss's domain.
    pub fn new(loss: &dyn DynLoss, [b, n, d]: [usize; 3]) -> Result<Self> {
        check_size([b, n, d])?;
        let spec = loss.spec();
        let mut random = Random(1);
        let samples = ["sup_con", "nt_xent"].contains(&spec.name);
        let samples = samples.then(|| (0..).take(b).collect::<Vec<u32>>());
        let (queries, candidates) = (random.numbers(b, d)?, random.numbers(n, d)?);
        let second = match spec.second {
            Some(_) => Some((random.numbers(b, d)?, random.numbers(n, d)?)),
            None => None,
        };
        let row_parameters = random.numbers(b, spec.row_parameters)?;
        let mut positives = random.ids(b, 1, n)?;
        if samples.is_some() {
            // No sample is its own positive.
            for (row, id) in (0..).zip(&mut positives) {
                *id = (*id + u32::from(*id == row)) % n as u32;
            }
        }
        let sampled = match spec.ranks {
            true => Some(random.ids(b, SAMPLED, n)?),
            false => None,
        };
        let inputs = Inputs {
            dim: d,
            queries,
            candidates,
            positives,
            second,
            sampled,
            row_parameters: row_parameters.into_iter().map(f64::from).collect(),
            per_row: spec.row_parameters,
            column_parameters: vec![0.0; if spec.column_parameters { n } else { 0 }],
            theta: (loss.scalars().iter())
                .map(|scalar| scalar.initial)
                .collect(),
            samples,
            positives_in_columns: spec.name == "sup_con",
        };
        loss.check(&inputs.batch()?.shape()?)?;
        Ok(inputs)
    }

    /// The batch.
    ///
    /// # Errors
    /// Tables that are too wide.
    pub fn batch(&self) -> Result<Batch<'_>> {
        self.first_rows(self.positives.len())
    }

    /// Bytes of the inputs, and of the gradients of both tables.
    #[must_use]
    pub fn bytes(&self) -> [u64; 2] {
        let second = (self.second.as_ref()).map_or(0, |(one, other)| one.len() + other.len());
        let ids = self.positives.len() + self.sampled.as_ref().map_or(0, Vec::len);
        let tables = self.queries.len() + self.candidates.len();
        let beside = self.column_parameters.len() + 2 * self.row_parameters.len();
        [tables + second + ids + beside, tables].map(|numbers| numbers as u64 * 4)
    }

    fn first_rows(&self, rows: usize) -> Result<Batch<'_>> {
        let queries = match self.samples {
            Some(_) => &self.candidates[..],
            None => &self.queries[..rows * self.dim],
        };
        let queries = Matrix::new("queries", queries, self.dim)?;
        let candidates = Matrix::new("candidates", &self.candidates, self.dim)?;
        let positives = Positives::One(&self.positives[..rows]);
        let mut batch = Batch::new(queries, candidates, positives)?;
        if let Some(samples) = &self.samples {
            batch = batch.rows(&samples[..rows])?.exclude_self()?;
        }
        if self.positives_in_columns {
            batch = batch.positives_in_columns()?;
        }
        if let Some((queries, candidates)) = &self.second {
            let queries = Matrix::new("adv_queries", &queries[..rows * self.dim], self.dim)?;
            let candidates = Matrix::new("adv_candidates", candidates, self.dim)?;
            batch = batch.second(queries, candidates)?;
        }
        if let Some(ids) = &self.sampled {
            let ids = &ids[..rows * SAMPLED];
            let per_row = SAMPLED;
            batch = batch.columns(Columns::Sampled { ids, per_row })?;
        }
        if self.per_row > 0 {
            let numbers = &self.row_parameters[..rows * self.per_row];
            batch = batch.row_parameters(numbers, self.per_row)?;
        }
        if !self.column_parameters.is_empty() {
            batch = batch.column_parameters(&self.column_parameters)?;
        }
        batch.theta(&self.theta)
    }

    /// Compares a result with the f64 reference: as a whole, or where that is too much, row losses
    /// and query gradients of the first rows. What is wrong, if anything is.
    ///
    /// # Errors
    /// The reference cannot be evaluated.
    pub fn objection(
        &self,
        loss: &dyn DynLoss,
        want: Want,
        output: &Output<f32>,
    ) -> Result<Option<String>> {
        self.objection_of(loss, want, output, Storage::F32)
    }

    /// As [`Inputs::objection`], to a result from rows that were stored so: of halves, scores are off
    /// by 2⁻⁹ at most, and z by as much for every unit of what scores are multiplied with.
    ///
    /// # Errors
    /// As there.
    pub fn objection_of(
        &self,
        loss: &dyn DynLoss,
        want: Want,
        output: &Output<f32>,
        storage: Storage,
    ) -> Result<Option<String>> {
        let (b, n) = (self.positives.len(), self.candidates.len() / self.dim);
        let rows = match b.saturating_mul(n) <= COMPARED_WHOLE {
            true => b,
            false => COMPARED_ROWS.min(b),
        };
        let expected = cpu::evaluate::<f64>(loss, &self.first_rows(rows)?, want)?;
        // The mean over fewer rows divides by fewer.
        let share = rows as f64 / b as f64;
        let mut compared = vec![(
            "row losses",
            1.0,
            &expected.row_losses,
            &output.row_losses[..],
        )];
        if let (Some(expected), Some(actual)) = (&expected.grad_queries, &output.grad_queries) {
            compared.push(("grad_queries", share, expected, actual));
        }
        let value = vec![expected.value];
        if rows == b {
            compared.push(("value", 1.0, &value, std::slice::from_ref(&output.value)));
            let candidates = (&expected.grad_candidates, &output.grad_candidates);
            if let (Some(expected), Some(actual)) = candidates {
                compared.push(("grad_candidates", share, expected, actual));
            }
        }
        let tolerance = tolerance(&loss.spec(), &loss.constants(), storage);
        Ok(compared
            .into_iter()
            .find_map(|(what, factor, expected, actual)| {
                let actual = actual.get(..expected.len()).unwrap_or_default();
                difference(factor, expected, actual, tolerance).map(|it| format!("{what}: {it}"))
            }))
    }
}

fn tolerance(spec: &Spec, constants: &[f64], storage: Storage) -> f64 {
    let factor = constants.first().map_or(1.0, |x| x.abs()) * spec.score_scale.abs();
    let per_unit = match storage {
        Storage::F32 => TOLERANCE_PER_UNIT,
        // Of the column's score and of the positive's.
        Storage::F16 => 2.0 / 512.0,
    };
    TOLERANCE.max(per_unit * factor)
}

/// The first number that is too far off.
fn difference(factor: f64, expected: &[f64], actual: &[f32], tolerance: f64) -> Option<String> {
    if expected.len() != actual.len() {
        return Some(format!("{} numbers are missing", expected.len()));
    }
    let largest = (expected.iter()).fold(0.0, |max: f64, x| max.max((factor * x).abs()));
    let pairs = expected.iter().zip(actual);
    let mut pairs = pairs.map(|(expected, actual)| (factor * expected, *actual));
    // Written so that a NaN is found.
    let good = |(expected, actual): &(f64, f32)| {
        (expected - f64::from(*actual)).abs() <= tolerance * largest
    };
    let (expected, actual) = pairs.find(|pair| !good(pair))?;
    Some(format!("{actual} instead of {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_and_missing_numbers_are_found() {
        let of = |actual: &[f32]| difference(2.0, &[1.0, -3.0], actual, TOLERANCE);
        assert_eq!(of(&[2.0, -6.0003]), None);
        for wrong in [&[2.0, -6.01][..], &[f32::NAN, -6.0], &[2.0], &[]] {
            assert!(of(wrong).is_some(), "{wrong:?}");
        }
    }
}
