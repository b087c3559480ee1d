//! The rule of `wgloss::check` lets every loss of the crate pass, and no wrong one.

use wgloss::{
    Device, Engine, EngineOptions, Loss, Real, Result, Shape,
    check::{Problem, check, differences},
    loss::{Entry, Pair, Parameters, Row, RowLoss, Score, Spec, registry},
};

fn cpu() -> Engine {
    let options = EngineOptions::default().device(Device::Cpu);
    Engine::with_options(&options).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_loss_takes_several_problems_and_passes_them() {
    let engine = cpu();
    let mut failures = Vec::new();
    for loss in registry::variants() {
        let mut batches = 0;
        for problem in Problem::all() {
            let verdicts = check(&engine, loss.as_dyn(), &problem)
                .unwrap_or_else(|error| panic!("{loss:?} on {}: {error}", problem.name()));
            batches += usize::from(verdicts.is_some());
            for verdict in verdicts.into_iter().flatten() {
                if !verdict.passed() {
                    failures.push(format!("{loss:?} on {}: {verdict:?}", problem.name()));
                }
            }
        }
        let least = match loss.as_dyn().spec() {
            // Samples against themselves, their positives columns or not.
            spec if ["sup_con", "nt_xent"].contains(&spec.name) => 1,
            // Ranks are for sampled columns alone, and sums take no log q.
            spec => 5 - usize::from(spec.ranks),
        };
        assert!(batches >= least, "{loss:?} takes only {batches} problems");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_gradient_is_a_derivative_of_the_value() {
    let mut failures = Vec::new();
    for loss in registry::variants() {
        let mut gradients = 0;
        for problem in Problem::all() {
            // A zero vector has no gradient, and candidates that tie change ranks with any step.
            let smooth = [
                "ragged",
                "sampled-weighted",
                "given-scores",
                "own-one",
                "own-one-kept",
            ]
            .contains(&problem.name());
            let verdicts = smooth.then(|| differences(loss.as_dyn(), &problem));
            let verdicts = verdicts.transpose().expect("it evaluates").flatten();
            for verdict in verdicts.into_iter().flatten() {
                gradients += 1;
                if !verdict.passed() {
                    failures.push(format!("{loss:?} on {}: {verdict:?}", problem.name()));
                }
            }
        }
        assert!(gradients >= 2, "{loss:?}: {gradients} gradients");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What is wrong with [`Wrong`].
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The value, by 0.02 %.
    Value,
    /// The slope by the score, by 0.02 %.
    ScoreSlope,
    /// The slope by the target, by 0.02 %.
    TargetSlope,
    /// Nothing at all.
    None,
}

#[test]
fn a_wrong_slope_is_no_derivative() {
    for (fault, name) in [
        (Fault::ScoreSlope, "grad_candidates"),
        (Fault::TargetSlope, "grad_queries"),
    ] {
        let wrong = Wrong(fault, true);
        let problems = Problem::all();
        let ragged = problems.iter().find(|problem| problem.name() == "ragged");
        let verdicts = differences(&wrong, ragged.expect("it is there")).expect("it evaluates");
        let mut verdicts = verdicts.expect("it takes it").into_iter();
        assert!(verdicts.any(|v| v.name == name && !v.passed()), "{fault:?}");
    }
}

/// The softmax loss with a fault, in f32, or in f64 too.
#[derive(Clone, Debug)]
struct Wrong(Fault, bool);

impl Wrong {
    fn factor<R: Real>(&self, faulty: bool) -> R {
        let is_single = R::EPSILON.to_f64() > 1e-10;
        R::from_f64(if faulty && (is_single || self.1) {
            1.0002
        } else {
            1.0
        })
    }
}

impl Loss for Wrong {
    fn spec(&self) -> Spec {
        Spec::log_sum_exp("wrong", Score::Cosine, 1.0)
    }

    fn constants(&self) -> Vec<f64> {
        vec![10.0]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        ""
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: entry.score * p.constants[0],
            score_slope: p.constants[0] * self.factor(matches!(self.0, Fault::ScoreSlope)),
            target_slope: R::ZERO,
        }
    }

    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let slope = p.constants[0] * self.factor(matches!(self.0, Fault::TargetSlope));
        let value = row.sum - row.target * p.constants[0];
        RowLoss {
            value: value * self.factor(matches!(self.0, Fault::Value)),
            sum_slope: R::ONE,
            target_slope: -slope,
        }
    }
}

#[test]
fn a_wrong_loss_is_rejected_even_where_the_yardstick_is_wrong_too() {
    let engine = cpu();
    let rejected = |fault: Fault, name: &str| {
        let verdicts = Problem::all()
            .iter()
            .filter_map(|problem| {
                check(&engine, &Wrong(fault, false), problem).expect("it evaluates")
            })
            .flatten()
            .collect::<Vec<_>>();
        assert!(!verdicts.is_empty());
        verdicts.iter().any(|v| v.name == name && !v.passed())
    };
    assert!(rejected(Fault::Value, "value"));
    assert!(rejected(Fault::Value, "row_values"));
    for fault in [Fault::ScoreSlope, Fault::TargetSlope] {
        assert!(rejected(fault, "grad_queries"), "{fault:?}");
        assert!(rejected(fault, "grad_candidates"), "{fault:?}");
    }
    for name in ["value", "row_values", "grad_queries", "grad_candidates"] {
        assert!(!rejected(Fault::None, name), "{name}");
    }
}
