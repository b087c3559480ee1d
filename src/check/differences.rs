//! Are gradients derivatives? Those of the f64 reference, against central differences of its value.

use super::{Problem, Verdict, distance, largest, magnitude::Magnitudes, results};
use crate::{DynLoss, Output, Result, Want, cpu};

/// A power of two, so that numbers of a problem and their steps are exact; small, so that a step
/// seldom crosses a kink.
const STEP: f64 = 1.0 / 131_072.0;

/// The largest error that passes, in units of (1 + κ)·m.
const LIMIT: f64 = 1e-6;

/// The gradients that are compared.
const GRADIENTS: [&str; 8] = [
    "grad_queries",
    "grad_candidates",
    "grad_second_queries",
    "grad_second_candidates",
    "grad_column_parameters",
    "grad_positive_scores",
    "grad_column_scores",
    "grad_theta",
];

/// Compares the f64 reference's gradients on `problem` with central differences of its value, what
/// they take for constant held fast ([`Loss::held`](crate::Loss::held)); `None` where the loss
/// does not take such a batch, a row has not one positive, or what is constant per entry cannot be
/// held because columns are not sampled. The limit is 10⁻⁶·(1 + κ)·m, κ and
/// m as in [the rule](super).
///
/// It takes four evaluations per number of the problem.
///
/// # Errors
/// An evaluation fails.
pub fn differences(loss: &dyn DynLoss, problem: &Problem) -> Result<Option<Vec<Verdict>>> {
    let comparable = |problem: &Problem| {
        problem.has_one_positive() && (problem.is_sampled() || !loss.holds_entries())
    };
    let Some(mut problem) = problem.taken_by(loss)?.filter(comparable) else {
        return Ok(None);
    };
    let spec = loss.spec();
    let batch = problem.batch(&spec)?;
    let output = cpu::evaluate::<f64>(loss, &batch, Want::BOTH)?;
    let constants = loss.constants();
    let magnitudes = Magnitudes::of(&spec, &constants, &batch, &output.row_losses);
    let held = loss.held(&batch, &output);
    if let Some(held) = &held {
        problem.hold(held);
    }
    let loss = held.as_ref().map_or(loss, |held| &*held.loss);
    let gradients = results(&output).into_iter();
    let mut verdicts = Vec::new();
    for (name, gradient) in gradients.filter(|(name, _)| GRADIENTS.contains(name)) {
        if gradient.is_empty() {
            continue;
        }
        let expected = (0..gradient.len())
            .map(|at| slope(loss, &mut problem, name, at))
            .collect::<Result<Vec<f64>>>()?;
        let size = largest(&gradient).max(magnitudes.least(name));
        verdicts.push(Verdict {
            name,
            error: distance(&expected, &gradient),
            limit: LIMIT * (1.0 + magnitudes.sharpness) * size,
        });
    }
    Ok(Some(verdicts))
}

/// The slope of the value by number `at` of what the gradient `name` is for: the five-point formula.
fn slope(loss: &dyn DynLoss, problem: &mut Problem, name: &str, at: usize) -> Result<f64> {
    let mut value = |steps: f64| -> Result<f64> {
        problem.step(name, at, steps * STEP);
        let batch = problem.batch(&loss.spec())?;
        let output: Result<Output<f64>> = cpu::evaluate(loss, &batch, Want::NOTHING);
        problem.step(name, at, -steps * STEP);
        Ok(output?.value)
    };
    let near = value(1.0)? - value(-1.0)?;
    let far = value(2.0)? - value(-2.0)?;
    Ok((8.0 * near - far) / (12.0 * STEP))
}
