//! The results that a case file gives, and how far others are from them.

use super::{Case, Inputs, document::Document, scores::by_slot, state, table::Table};
use crate::{DynLoss, Output, Real, Result};
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
    /// The gradient of the bias, the one scalar of a loss.
    pub grad_bias: Option<f64>,
    /// The gradients of several scalars, in the order of [`Loss::scalars`](crate::Loss::scalars).
    pub grad_state: Option<Vec<f64>>,
    /// θ after the evaluation, in the same order, where the loss renews it.
    pub state_after: Option<Vec<f64>>,
    /// The gradient of the column parameters, N.
    pub grad_column_parameters: Option<Vec<f64>>,
    /// The gradient of the adversary's queries.
    pub grad_adv_queries: Option<Vec<f64>>,
    /// The gradient of the adversary's candidates.
    pub grad_adv_candidates: Option<Vec<f64>>,
    /// The gradient of given scores of the positives, B.
    pub grad_policy_chosen: Option<Vec<f64>>,
    /// The gradient of given scores of the columns, slot by slot, M × B.
    pub grad_policy_rejected: Option<Vec<f64>>,
    /// State of rows after the evaluation, by name, as case files hold it: B numbers each.
    pub rows_after: Vec<(&'static str, Vec<f64>)>,
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
        loss: &dyn DynLoss,
        inputs: &Inputs,
    ) -> Result<Expected> {
        let value = document.read("value")?;
        let row_values = list(document, "row_values", inputs.pairs())?;
        let mut expected = match inputs {
            Inputs::Embeddings(tables) => {
                let grad_column_parameters = match loss.spec().column_parameters {
                    true => list(document, "grad_column_parameters", tables.candidates.rows)?,
                    false => None,
                };
                let mut of = |name: &str, table: Option<&Table>| match table {
                    Some(table) => gradient(document, folder, name, table),
                    None => Ok(None),
                };
                let second = tables.second.as_ref();
                let second = second.filter(|_| loss.spec().second.is_some_and(|tile| !tile.frozen));
                Expected {
                    grad_column_parameters,
                    grad_queries: of("grad_queries", Some(&tables.queries))?,
                    grad_candidates: of("grad_candidates", Some(&tables.candidates))?,
                    grad_adv_queries: of("grad_adv_queries", second.map(|second| &second[0]))?,
                    grad_adv_candidates: of(
                        "grad_adv_candidates",
                        second.map(|second| &second[1]),
                    )?,
                    ..Expected::default()
                }
            }
            Inputs::Scores(scores) => Expected {
                grad_policy_chosen: list(document, "grad_policy_chosen", scores.rows())?,
                grad_policy_rejected: slots(document, scores.per_row(), scores.rows())?,
                ..Expected::default()
            },
        };
        (expected.value, expected.row_values) = (value, row_values);
        expected.read_state(document, loss, inputs.rows())?;
        Ok(expected)
    }

    /// Gradients of θ and state after the evaluation.
    fn read_state(
        &mut self,
        document: &mut Document<'_>,
        loss: &dyn DynLoss,
        rows: usize,
    ) -> Result<()> {
        let names = state::Names::of(loss);
        if names.bias {
            self.grad_bias = document.read("grad_bias")?;
        } else if loss.spec().theta_state {
            self.state_after = state::numbers(document, "state_after", &names.all)?;
        } else if names.state() {
            self.grad_state = state::numbers(document, "grad_state", &names.all)?;
        }
        for name in loss.row_parameters().iter().filter_map(|one| one.after) {
            if let Some(numbers) = list(document, name, rows)? {
                self.rows_after.push((name, numbers));
            }
        }
        Ok(())
    }
}

fn list(document: &mut Document<'_>, name: &str, length: usize) -> Result<Option<Vec<f64>>> {
    let numbers: Option<Vec<f64>> = document.read(name)?;
    if let Some(numbers) = numbers.as_ref().filter(|list| list.len() != length) {
        let message = format!("expected {length} numbers, got {}", numbers.len());
        return Err(document.error(name, message));
    }
    Ok(numbers)
}

/// Gradients of given scores of columns.
fn slots(document: &mut Document<'_>, count: usize, rows: usize) -> Result<Option<Vec<f64>>> {
    let name = "grad_policy_rejected";
    let slots: Option<Vec<Vec<f64>>> = document.read(name)?;
    let fits =
        |slots: &Vec<Vec<f64>>| slots.len() == count && slots.iter().all(|slot| slot.len() == rows);
    if !slots.as_ref().is_none_or(fits) {
        let message = format!("expected {count} lists of {rows} numbers");
        return Err(document.error(name, message));
    }
    Ok(slots.map(|slots| slots.concat()))
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
        let slots = output.grad_column_scores.as_deref();
        let slots = slots.map(|numbers| by_slot(numbers, self.per_row()).concat());
        let theta = Some(output.grad_theta.as_slice());
        let pairs = [
            ("value", &one(&expected.value), Some(&[output.value][..])),
            (
                "row_values",
                &expected.row_values,
                Some(&output.row_losses[..]),
            ),
            (
                "grad_queries",
                &expected.grad_queries,
                output.grad_queries.as_deref(),
            ),
            (
                "grad_candidates",
                &expected.grad_candidates,
                output.grad_candidates.as_deref(),
            ),
            (
                "grad_adv_queries",
                &expected.grad_adv_queries,
                output.grad_second_queries.as_deref(),
            ),
            (
                "grad_adv_candidates",
                &expected.grad_adv_candidates,
                output.grad_second_candidates.as_deref(),
            ),
            (
                "grad_policy_chosen",
                &expected.grad_policy_chosen,
                output.grad_positive_scores.as_deref(),
            ),
            (
                "grad_policy_rejected",
                &expected.grad_policy_rejected,
                slots.as_deref(),
            ),
            ("grad_bias", &one(&expected.grad_bias), theta),
            ("grad_state", &expected.grad_state, theta),
            (
                "state_after",
                &expected.state_after,
                output.theta_after.as_deref(),
            ),
            (
                "grad_column_parameters",
                &expected.grad_column_parameters,
                output.grad_column_parameters.as_deref(),
            ),
        ];
        let compared = pairs.into_iter().filter_map(|(name, expected, actual)| {
            Some(difference(name, expected.as_ref()?, actual.unwrap_or(&[])))
        });
        compared.chain(self.differences_after(output)).collect()
    }

    /// How far the state of rows is from what the case expects.
    fn differences_after<R: Real>(&self, output: &Output<R>) -> Vec<Difference> {
        let parameters = self.loss.as_dyn().row_parameters();
        let after = output.row_parameters_after.as_deref().unwrap_or(&[]);
        let actual = state::after(&parameters, after);
        let compare = |(name, expected): &(&'static str, Vec<f64>)| {
            let found = actual.iter().find(|(other, _)| other == name);
            difference(name, expected, found.map_or(&[], |(_, numbers)| numbers))
        };
        self.expected.rows_after.iter().map(compare).collect()
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
