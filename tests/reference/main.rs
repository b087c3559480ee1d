//! The CPU engine in double precision against definitions and finite differences, and in single
//! precision against itself in double.

mod angular;
mod cases;
#[path = "../common/mod.rs"]
mod common;
mod derivatives;
mod kept;
mod oracle;
mod outputs;
mod pairs;
mod precision;
mod tape;

use cases::{cases, losses, prepared};
use common::{Case, compare};
use oracle::{Expected, expected};
use wgloss::{
    AnyLoss, DynLoss, Loss, Output, Shape, Want,
    cpu::{self, Options},
    loss::{Entry, Pair, Parameters, Row, RowLoss, Sl, Spec},
};

/// Differences allowed between two ways of computing in double precision.
const EXACT: f64 = 1e-12;

/// Budgets that force small blocks, several chunks, and scores computed twice.
const TINY: Options = Options {
    scratch_bytes: 2048,
    copy_bytes: 512,
};

fn evaluate(loss: &dyn DynLoss, case: &Case, options: &Options) -> Output<f64> {
    let batch = case.batch().expect("a well-formed case");
    cpu::evaluate_with(loss, &batch, Want::BOTH, options).expect("an evaluation")
}

/// Compares everything that an evaluation gives.
fn agree(actual: &Output<f64>, expected: &Expected) -> Result<(), String> {
    let part = |what, actual: &[f64], expected: &[f64]| compare(what, actual, expected, EXACT, 1.0);
    part("value", &[actual.value], &[expected.value])?;
    part("row losses", &actual.row_losses, &expected.row_losses)?;
    let queries = actual.grad_queries.as_deref().unwrap_or_default();
    part("grad_queries", queries, &expected.grad_queries)?;
    let candidates = actual.grad_candidates.as_deref().unwrap_or_default();
    part("grad_candidates", candidates, &expected.grad_candidates)?;
    if actual.theta_after.is_none() {
        part("grad_theta", &actual.grad_theta, &expected.grad_theta)?;
    }
    if actual.counts.dead_pairs != expected.dead {
        return Err(format!(
            "{} dead, not {}",
            actual.counts.dead_pairs, expected.dead
        ));
    }
    Ok(())
}

#[test]
fn every_loss_agrees_with_its_definition() {
    let mut tried = 0;
    for (name, case) in cases() {
        for loss in losses() {
            let Some(case) = prepared(&loss, &case) else {
                continue;
            };
            let expected = expected(&loss, &case);
            for options in [Options::default(), TINY] {
                let actual = evaluate(loss.as_dyn(), &case, &options);
                if let Err(message) = agree(&actual, &expected) {
                    panic!("{name}, {loss:?}, {options:?}: {message}");
                }
            }
            tried += 1;
        }
    }
    // Cases that a loss refuses are left out; most must remain.
    assert!(tried > 500, "{tried} cases tried");
}

/// SL whose slope by the score is 1 % too large.
#[derive(Clone, Debug)]
struct Wrong(Sl);

impl Loss for Wrong {
    fn spec(&self) -> Spec {
        Loss::spec(&self.0)
    }
    fn constants(&self) -> Vec<f64> {
        Loss::constants(&self.0)
    }
    fn check(&self, shape: &Shape) -> wgloss::Result<()> {
        Loss::check(&self.0, shape)
    }
    fn wgsl(&self) -> &'static str {
        Loss::wgsl(&self.0)
    }
    fn pair<R: wgloss::Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let right = self.0.pair(entry, p);
        Pair {
            score_slope: right.score_slope * R::from_f64(1.01),
            ..right
        }
    }
    fn row<R: wgloss::Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        self.0.row(row, p)
    }
}

#[test]
fn a_wrong_loss_is_rejected() {
    let case = &cases()[2].1;
    let expected = expected(&AnyLoss::Sl(Sl::default()), case);
    let wrong = evaluate(&Wrong(Sl::default()), case, &Options::default());
    let verdict = agree(&wrong, &expected);
    assert!(verdict.is_err_and(|message| message.starts_with("grad_queries")));
}

#[test]
fn a_nan_is_rejected() {
    for (actual, expected) in [(f64::NAN, 0.0), (0.0, f64::NAN), (f64::NAN, f64::NAN)] {
        assert!(compare("nan", &[actual], &[expected], 1.0, 1.0).is_err());
    }
}
