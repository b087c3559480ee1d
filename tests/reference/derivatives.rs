//! Gradients against central differences of the engine's own value.

use crate::{
    cases::{losses, prepared},
    common::{Case, Choice, Random, assert_close},
    evaluate,
};
use wgloss::{DynLoss, Want, cpu};

/// Step of the five-point formula, whose error is of fourth order in it.
const STEP: f64 = 2e-4;

fn value(loss: &dyn DynLoss, case: &Case) -> f64 {
    let batch = case.batch().expect("a well-formed case");
    let output = cpu::evaluate::<f64>(loss, &batch, Want::NOTHING);
    output.expect("an evaluation").value
}

/// The slopes of the value by the numbers that `part` picks.
fn differences(loss: &dyn DynLoss, case: &Case, part: fn(&mut Case) -> &mut Vec<f64>) -> Vec<f64> {
    let mut case = case.clone();
    let count = part(&mut case).len();
    let slope = |i| {
        let mut at = |steps: f64| {
            let before = part(&mut case)[i];
            part(&mut case)[i] = before + steps * STEP;
            let value = value(loss, &case);
            part(&mut case)[i] = before;
            value
        };
        let (near, far) = (at(1.0) - at(-1.0), at(2.0) - at(-2.0));
        (8.0 * near - far) / (12.0 * STEP)
    };
    (0..count).map(slope).collect()
}

#[test]
fn gradients_are_derivatives_of_the_value() {
    let mut case = Case::new(&mut Random(5), 6, 9, 5);
    case.queries.truncate(4 * 5);
    case.rows = Some(vec![0, 1, 2, 3, 1, 1]);
    let mut sampled = case.clone();
    sampled.columns = Choice::Sampled(Random(6).ids(6 * 5, 9), 5);
    for loss in losses() {
        let holds_entries = loss.as_dyn().holds_entries();
        let cases = [&case, &sampled].into_iter();
        let cases = cases.skip(usize::from(holds_entries));
        let mut case = cases
            .filter_map(|case| prepared(&loss, case))
            .next()
            .expect("a case for every loss");
        let actual = evaluate(loss.as_dyn(), &case, &cpu::Options::default());
        let held = loss.as_dyn().held(&case.batch().expect("a batch"), &actual);
        if let Some(held) = &held {
            case.row_parameters.clone_from(&held.row_parameters);
            case.entry_constants.clone_from(&held.entry_constants);
            if let Some(theta) = &held.theta {
                case.theta.clone_from(theta);
            }
            case.theta.truncate(held.loss.spec().thetas);
        }
        let of_value = held.as_ref().map_or(loss.as_dyn(), |held| &*held.loss);
        let what = |part: &str| format!("{part} of {loss:?}");
        let expected = differences(of_value, &case, |case| &mut case.queries);
        let queries = actual.grad_queries.unwrap_or_default();
        assert_close(&what("grad_queries"), &queries, &expected, 1e-7, 1.0);
        let expected = differences(of_value, &case, |case| &mut case.candidates);
        let candidates = actual.grad_candidates.unwrap_or_default();
        assert_close(&what("grad_candidates"), &candidates, &expected, 1e-7, 1.0);
        if loss.as_dyn().spec().theta_state {
            continue;
        }
        let expected = differences(of_value, &case, |case| &mut case.theta);
        assert_close(
            &what("grad_theta"),
            &actual.grad_theta,
            &expected,
            1e-7,
            1.0,
        );
    }
}
