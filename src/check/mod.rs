//! Is a device right? A loss is evaluated on small ragged batches, and the results are compared
//! with the f64 reference under one rule.
//!
//! **The rule.** ε is f32's distance from 1 to the next number, κ how much the loss magnifies
//! scores: its factor on them (1/τ, or a scale), times the largest ‖q‖·‖c‖ where scores are dot
//! products. f32 cannot know a score better than ε, hence z no better than κε, and so every
//! weight to a relative κε. A result is right if its largest error is at most
//!
//! ```text
//! min(4 · error of plain f32 arithmetic on the same input + 2·(1 + κ)·ε·m,  16·(1 + κ)·ε·m)
//! ```
//!
//! where plain f32 arithmetic is the CPU path's, and m is the size of the result: its largest
//! entry, but no less than what its terms are before they cancel. The second bound keeps the rule
//! meaningful where the yardstick itself is what is judged.

mod differences;
mod magnitude;
mod problem;

pub use differences::differences;
pub use problem::Problem;

use crate::{Batch, DynLoss, Engine, Output, Real, Result, Want, cpu, loss::UNSET};
use magnitude::Magnitudes;

/// How often the error of plain f32 arithmetic is forgiven.
const PLAIN_FACTOR: f64 = 4.0;
/// The floor, in units of (1 + κ)·ε·m.
const FLOOR: f64 = 2.0;
/// The bound whatever plain f32 arithmetic does, in the same units.
const CEILING: f64 = 16.0;

/// One result of one evaluation, judged.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// The result: `value`, `row_values`, or a gradient by its name in [`Output`].
    pub name: &'static str,
    /// Its largest absolute error; infinite for a NaN or a missing result.
    pub error: f64,
    /// The largest error that passes.
    pub limit: f64,
}

impl Verdict {
    /// Whether the error is within the limit.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.error <= self.limit
    }
}

/// Evaluates `loss` on `problem` with `engine` and judges the results; `None` where the loss does
/// not take such a batch.
///
/// # Errors
/// The evaluation fails.
pub fn check(
    engine: &Engine,
    loss: &dyn DynLoss,
    problem: &Problem,
) -> Result<Option<Vec<Verdict>>> {
    let Some(problem) = problem.taken_by(loss)? else {
        return Ok(None);
    };
    let batch = problem.batch(&loss.spec())?;
    let actual = engine.evaluate_f64(loss, &batch, Want::BOTH)?;
    judge(loss, &batch, &actual).map(Some)
}

/// Judges results that something computed for `loss` and `batch` in f32.
///
/// All gradients that the batch has are judged; a missing one is infinitely wrong, so leave nothing
/// frozen.
///
/// # Errors
/// The reference cannot be evaluated.
pub fn judge(loss: &dyn DynLoss, batch: &Batch<'_>, actual: &Output<f64>) -> Result<Vec<Verdict>> {
    let reference = cpu::evaluate::<f64>(loss, batch, Want::BOTH)?;
    let plain = cpu::evaluate::<f32>(loss, batch, Want::BOTH)?;
    let magnitudes = Magnitudes::of(
        &loss.spec(),
        &loss.constants(),
        batch,
        &reference.row_losses,
    );
    let plain = results(&plain);
    let actual = results(actual);
    Ok(results(&reference)
        .into_iter()
        .zip(plain)
        .zip(actual)
        .map(|(((name, reference), (_, plain)), (_, actual))| {
            let size = largest(&reference).max(magnitudes.least(name));
            let unit = (1.0 + magnitudes.sharpness) * f64::from(f32::EPSILON) * size;
            let yardstick = PLAIN_FACTOR * distance(&reference, &plain) + FLOOR * unit;
            Verdict {
                name,
                error: distance(&reference, &actual),
                limit: yardstick.min(CEILING * unit),
            }
        })
        .collect())
}

/// The results by name, in f64.
fn results<R: Real>(output: &Output<R>) -> [(&'static str, Vec<f64>); 12] {
    let wide = |numbers: &[R]| numbers.iter().map(|x| x.to_f64()).collect::<Vec<f64>>();
    let gradient = |numbers: &Option<Vec<R>>| wide(numbers.as_deref().unwrap_or(&[]));
    [
        ("value", wide(&[output.value])),
        ("row_values", wide(&output.row_losses)),
        ("grad_queries", gradient(&output.grad_queries)),
        ("grad_candidates", gradient(&output.grad_candidates)),
        ("grad_second_queries", gradient(&output.grad_second_queries)),
        (
            "grad_second_candidates",
            gradient(&output.grad_second_candidates),
        ),
        (
            "grad_column_parameters",
            gradient(&output.grad_column_parameters),
        ),
        (
            "grad_positive_scores",
            gradient(&output.grad_positive_scores),
        ),
        ("grad_column_scores", gradient(&output.grad_column_scores)),
        ("grad_theta", wide(&output.grad_theta)),
        ("row_parameters_after", state(output)),
        ("theta_after", gradient(&output.theta_after)),
    ]
}

/// The row parameters after an evaluation; −∞ for those that are still unset.
fn state<R: Real>(output: &Output<R>) -> Vec<f64> {
    let after = output.row_parameters_after.as_deref().unwrap_or(&[]);
    let known = |x: &R| match x.to_f64() {
        x if x <= 0.5 * UNSET => f64::NEG_INFINITY,
        x => x,
    };
    after.iter().map(known).collect()
}

fn largest(numbers: &[f64]) -> f64 {
    let finite = numbers.iter().filter(|x| x.is_finite());
    finite.fold(0.0, |max: f64, x| max.max(x.abs()))
}

/// The largest difference; infinite where one is no number or the lengths differ.
fn distance(expected: &[f64], actual: &[f64]) -> f64 {
    if expected.len() != actual.len() {
        return f64::INFINITY;
    }
    let error = |(expected, actual): (&f64, &f64)| {
        let unset = expected.is_infinite() && expected.to_bits() == actual.to_bits();
        let error = if unset {
            0.0
        } else {
            (expected - actual).abs()
        };
        if error.is_nan() { f64::INFINITY } else { error }
    };
    expected.iter().zip(actual).map(error).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_and_a_missing_result_are_infinitely_far() {
        assert_eq!(distance(&[1.0, 2.0], &[1.0, f64::NAN]), f64::INFINITY);
        assert_eq!(distance(&[f64::NAN, 0.0], &[1.0, 0.0]), f64::INFINITY);
        assert_eq!(distance(&[1.0], &[]), f64::INFINITY);
        assert_eq!(distance(&[1.0, -2.0], &[1.5, -2.0]), 0.5);
    }
}
