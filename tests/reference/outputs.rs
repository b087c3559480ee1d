//! Gradients into the caller's slices, what is left out, counts, and refusals.

use crate::{
    TINY,
    cases::prepared,
    common::{Case, Choice, Random, assert_close},
    evaluate,
};
use wgloss::{
    AnyLoss, Error, Want,
    cpu::{self, Gradient, Gradients, Options},
    loss::{AdvInfoNce, Bsl, Sl, Uss},
};

fn sl() -> AnyLoss {
    AnyLoss::Sl(Sl::default())
}

fn layouts() -> [Case; 3] {
    let mut random = Random(3);
    let mut cases = [(); 3].map(|()| Case::new(&mut random, 11, 19, 6));
    cases[1].columns = Choice::Shared(random.ids(25, 19));
    cases[2].columns = Choice::Sampled(random.ids(11 * 8, 19), 8);
    cases
}

#[test]
fn gradients_replace_or_add() {
    // Many blocks and pieces as well as one.
    let options = [Options::default(), TINY];
    for (case, options) in layouts().iter().flat_map(|case| options.map(|o| (case, o))) {
        let whole = evaluate(sl().as_dyn(), case, &options);
        for add in [false, true] {
            // What is replaced must not be read.
            let before = if add { 0.5 } else { f64::NAN };
            let mut queries = vec![before; case.queries.len()];
            let mut candidates = vec![before; case.candidates.len()];
            let gradients = Gradients {
                queries: Some(Gradient {
                    out: &mut queries,
                    add,
                }),
                candidates: Some(Gradient {
                    out: &mut candidates,
                    add,
                }),
                ..Gradients::default()
            };
            let batch = case.batch().expect("a well-formed case");
            let output = cpu::evaluate_into(sl().as_dyn(), &batch, gradients, &options);
            let output = output.expect("an evaluation");
            assert_eq!(output.value, whole.value);
            assert_eq!(output.grad_queries, None);
            for (actual, expected) in [
                (&queries, &whole.grad_queries),
                (&candidates, &whole.grad_candidates),
            ] {
                let base = if add { before } else { 0.0 };
                let expected = expected.iter().flatten().map(|x| x + base);
                let expected: Vec<f64> = expected.collect();
                assert_close("gradient", actual, &expected, 1e-14, 1.0);
            }
        }
    }
}

#[test]
fn only_what_is_wanted_is_given() {
    for case in layouts() {
        let batch = case.batch().expect("a well-formed case");
        let whole = evaluate(sl().as_dyn(), &case, &Options::default());
        for (queries, candidates) in [(false, false), (true, false), (false, true)] {
            let want = Want {
                queries,
                candidates,
                ..Want::NOTHING
            };
            let output = cpu::evaluate::<f64>(sl().as_dyn(), &batch, want).expect("an evaluation");
            assert_eq!(output.value, whole.value);
            assert_eq!(output.row_losses, whole.row_losses);
            assert_eq!(
                output.grad_queries,
                whole.grad_queries.clone().filter(|_| queries)
            );
            let expected = whole.grad_candidates.clone().filter(|_| candidates);
            assert_eq!(output.grad_candidates, expected);
        }
    }
}

#[test]
fn oddities_are_counted() {
    let mut case = Case::new(&mut Random(8), 6, 4, 3);
    case.queries[..6].fill(0.0);
    case.candidates[9..].fill(0.0);
    case.ignore(5);
    case.exclude = Some((vec![0, 4, 4, 4, 4, 4, 4], vec![3, 2, 1, 0]));
    let counts = evaluate(sl().as_dyn(), &case, &Options::default()).counts;
    assert_eq!(counts.dead_pairs, 1);
    assert_eq!(counts.ignored_pairs, 1);
    assert_eq!(counts.zero_queries, 2);
    assert_eq!(counts.zero_candidates, 1);
}

#[test]
fn statistics_are_those_of_the_rows() {
    let case = &layouts()[0];
    let output = evaluate(sl().as_dyn(), case, &Options::default());
    for (loss, statistic) in output.row_losses.iter().zip(&output.statistics) {
        let again = statistic.sum - statistic.target / 0.1;
        assert_close("sum − target/τ", &[again], &[*loss], 1e-13, 1.0);
        assert_eq!(statistic.count, 18.0);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let case = Case::new(&mut Random(9), 4, 5, 3);
    let refused = |loss: &AnyLoss, case: &Case| {
        let batch = case.batch().expect("a well-formed case");
        cpu::evaluate::<f64>(loss.as_dyn(), &batch, Want::BOTH).expect_err("a refusal")
    };
    let uss = AnyLoss::Uss(Uss::default());
    let error = refused(&uss, &case);
    assert!(
        matches!(
            error,
            Error::Shape {
                argument: "theta",
                ..
            }
        ),
        "{error}"
    );
    let adv = AnyLoss::AdvInfoNce(AdvInfoNce::default());
    assert!(matches!(refused(&adv, &case), Error::Unsupported(_)));
    let with_second = prepared(&adv, &case).expect("second tables");
    assert!(matches!(
        refused(&sl(), &with_second),
        Error::Unsupported(_)
    ));
    let mut with_log_q = prepared(&uss, &case).expect("θ");
    with_log_q.log_q = Some(vec![0.0; 5]);
    assert!(matches!(refused(&uss, &with_log_q), Error::Unsupported(_)));
}

#[test]
fn slices_of_the_wrong_length_are_refused() {
    let case = Case::new(&mut Random(9), 4, 5, 3);
    let batch = case.batch().expect("a well-formed case");
    let mut short = vec![0.0_f64; 11];
    let gradients = Gradients {
        queries: Some(Gradient {
            out: &mut short,
            add: false,
        }),
        ..Gradients::default()
    };
    let loss = AnyLoss::Bsl(Bsl::default());
    let result = cpu::evaluate_into(loss.as_dyn(), &batch, gradients, &Options::default());
    let error = result.expect_err("a refusal");
    assert!(
        matches!(
            error,
            Error::Shape {
                argument: "grad_queries",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn overflow_is_an_error_and_no_nan() {
    let mut case = Case::new(&mut Random(9), 4, 5, 3);
    case.queries.iter_mut().for_each(|x| *x *= 1e30);
    case.candidates.iter_mut().for_each(|x| *x *= 1e30);
    let loss = AnyLoss::Sl(Sl {
        score: wgloss::loss::Score::Dot,
        ..Sl::default()
    });
    let batch = case.batch().expect("a well-formed case");
    let error = cpu::evaluate::<f32>(loss.as_dyn(), &batch, Want::BOTH).expect_err("an overflow");
    assert!(matches!(error, Error::NotFinite { .. }), "{error}");
}

/// A row so short that the step back through its norm overflows: value and row losses are good.
#[test]
fn gradients_that_overflow_are_named() {
    let case = Case::new(&mut Random(9), 4, 5, 3);
    let short = |numbers: &mut [f64]| numbers.iter_mut().for_each(|x| *x *= 1e-38);
    for (name, spoil) in [
        (
            "grad_queries",
            (|case| &mut case.queries) as fn(&mut Case) -> &mut Vec<f64>,
        ),
        ("grad_candidates", |case| &mut case.candidates),
    ] {
        let mut spoiled = case.clone();
        short(spoil(&mut spoiled));
        let batch = spoiled.batch().expect("a well-formed case");
        let loss = AnyLoss::Sl(Sl::new(0.01));
        let error =
            cpu::evaluate::<f32>(loss.as_dyn(), &batch, Want::BOTH).expect_err("an overflow");
        assert!(
            matches!(error, Error::NotFinite { argument, .. } if argument == name),
            "{name}: {error}"
        );
    }
    // What was not finite before something was added to it.
    let mut before = vec![0.0_f64; case.queries.len()];
    before[7] = f64::INFINITY;
    let gradients = Gradients {
        queries: Some(Gradient {
            out: &mut before,
            add: true,
        }),
        candidates: None,
        ..Gradients::default()
    };
    let batch = case.batch().expect("a well-formed case");
    let result = cpu::evaluate_into(sl().as_dyn(), &batch, gradients, &Options::default());
    assert!(
        matches!(
            result,
            Err(Error::NotFinite {
                argument: "grad_queries",
                at: 7,
                ..
            })
        ),
        "{result:?}"
    );
}
