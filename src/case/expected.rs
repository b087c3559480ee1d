//! The results that a case file gives, and how far others are from them.

use super::{Case, document::Document, table::Table};
use crate::{Output, Real, Result};
use std::path::Path;

/// The results that a case file gives.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Expected {
    /// The loss.
    pub value: Option<f64>,
    /// The loss of each pair.
    pub row_values: Option<Vec<f64>>,
    /// The gradient of the queries, U × D.
    pub grad_queries: Option<Vec<f64>>,
    /// The gradient of the candidates, N × D.
    pub grad_candidates: Option<Vec<f64>>,
    /// The gradient of the bias.
    pub grad_bias: Option<f64>,
    /// The gradient of the adversary's queries.
    pub grad_adv_queries: Option<Vec<f64>>,
    /// The gradient of the adversary's candidates.
    pub grad_adv_candidates: Option<Vec<f64>>,
}

/// How far one result is from what was expected.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// The result's name in case files.
    pub name: &'static str,
    /// The largest absolute difference.
    pub absolute: f64,
    /// The same, relative to the largest expected entry (absolute where that is 0). Infinite for
    /// a NaN or a result that is missing.
    pub relative: f64,
}

impl Expected {
    pub(super) fn read(
        document: &mut Document<'_>,
        folder: &Path,
        [queries, candidates]: [&Table; 2],
        second: Option<&(Table, Table)>,
        pairs: usize,
    ) -> Result<Expected> {
        let row_values: Option<Vec<f64>> = document.read("row_values")?;
        if let Some(rows) = row_values.as_ref().filter(|rows| rows.len() != pairs) {
            let message = format!("expected {pairs} numbers, got {}", rows.len());
            return Err(document.error("row_values", message));
        }
        let adversary = |document: &mut Document<'_>, name, of: Option<&Table>| match of {
            Some(of) => gradient(document, folder, name, of),
            None => Ok(None),
        };
        let [adv_queries, adv_candidates] = [
            second.map(|second| &second.0),
            second.map(|second| &second.1),
        ];
        Ok(Expected {
            value: document.read("value")?,
            row_values,
            grad_queries: gradient(document, folder, "grad_queries", queries)?,
            grad_candidates: gradient(document, folder, "grad_candidates", candidates)?,
            grad_bias: document.read("grad_bias")?,
            grad_adv_queries: adversary(document, "grad_adv_queries", adv_queries)?,
            grad_adv_candidates: adversary(document, "grad_adv_candidates", adv_candidates)?,
        })
    }
}

fn gradient(
    document: &mut Document<'_>,
    folder: &Path,
    name: &str,
    of: &Table,
) -> Result<Option<Vec<f64>>> {
    let Some(raw) = document.take(name) else {
        return Ok(None);
    };
    let table = Table::read(document, folder, name, raw)?;
    if (table.rows, table.dim) != (of.rows, of.dim) {
        let message = format!(
            "expected {} × {} numbers, got {} × {}",
            of.rows, of.dim, table.rows, table.dim
        );
        return Err(document.error(name, message));
    }
    Ok(Some(table.to_f64()))
}

impl Case {
    /// How far `output` is from what the case expects, for everything it gives.
    #[must_use]
    pub fn differences<R: Real>(&self, output: &Output<R>) -> Vec<Difference> {
        let expected = &self.expected;
        let one = |x: &Option<f64>| x.map(|x| vec![x]);
        let theta = Some(output.grad_theta.as_slice());
        let pairs = [
            ("value", one(&expected.value), Some(&[output.value][..])),
            (
                "row_values",
                expected.row_values.clone(),
                Some(&output.row_losses[..]),
            ),
            (
                "grad_queries",
                expected.grad_queries.clone(),
                output.grad_queries.as_deref(),
            ),
            (
                "grad_candidates",
                expected.grad_candidates.clone(),
                output.grad_candidates.as_deref(),
            ),
            (
                "grad_adv_queries",
                expected.grad_adv_queries.clone(),
                output.grad_second_queries.as_deref(),
            ),
            (
                "grad_adv_candidates",
                expected.grad_adv_candidates.clone(),
                output.grad_second_candidates.as_deref(),
            ),
            ("grad_bias", one(&expected.grad_bias), theta),
        ];
        pairs
            .into_iter()
            .filter_map(|(name, expected, actual)| {
                Some(difference(name, &expected?, actual.unwrap_or(&[])))
            })
            .collect()
    }
}

fn difference<R: Real>(name: &'static str, expected: &[f64], actual: &[R]) -> Difference {
    let mut absolute = if expected.len() == actual.len() {
        0.0
    } else {
        f64::INFINITY
    };
    for (expected, actual) in expected.iter().zip(actual) {
        let error = (actual.to_f64() - expected).abs();
        // `max` would drop a NaN.
        absolute = absolute.max(if error.is_nan() { f64::INFINITY } else { error });
    }
    let largest = expected.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
    let relative = absolute / if largest > 0.0 { largest } else { 1.0 };
    Difference {
        name,
        absolute,
        relative,
    }
}
