//! Single precision against double, and the same bits however many threads there are.

use crate::{
    TINY,
    cases::{cases, losses, prepared},
    common::{Case, Choice, Random, assert_close},
    evaluate,
};
use wgloss::{
    AnyLoss, IGNORED, Output, Want, cpu,
    cpu::Options,
    loss::{Score, registry},
};

/// How much a relative error of the scores grows on its way through a loss: the largest |∂z/∂s|
/// times the largest score.
fn sharpness(loss: &AnyLoss, case: &Case) -> f64 {
    match loss {
        // The positive's slope is that of all columns.
        AnyLoss::GuidedRec(_) => case.n_candidates() as f64,
        AnyLoss::Sl(sl) => 8.0_f64.min(sl.score_scale * 4.0) / sl.tau,
        AnyLoss::InfoNce(nce) => 1.0 / nce.tau,
        AnyLoss::Psl(psl) => 2.0 * psl.score_scale / psl.tau,
        AnyLoss::Bsl(_) | AnyLoss::AdvInfoNce(_) => 10.0,
        AnyLoss::Uss(uss) => uss.scale,
        AnyLoss::ArcFace(arc) => arc.scale,
        _ => {
            let spec = loss.as_dyn().spec();
            let largest = match spec.score {
                Score::Dot => 4.0,
                _ => 1.0,
            };
            largest * spec.score_scale * loss.as_dyn().constants()[0]
        }
    }
}

/// The largest share of the value that one query has: sums that make up a gradient are of this
/// size, times the sharpness, even where they cancel.
fn heaviest(case: &Case) -> f64 {
    let ids = &case.positives.1;
    let weight = |weights: &Option<Vec<f32>>, pair: usize| {
        weights
            .as_ref()
            .map_or(1.0, |weights| f64::from(weights[pair]).abs())
    };
    let mut per_query = vec![0.0; case.queries.len() / case.dim];
    for row in 0..case.n_rows() {
        for pair in case.pairs_of(row).filter(|&pair| ids[pair] != IGNORED) {
            let weight = weight(&case.weights, pair) * weight(&case.upstream, pair);
            per_query[case.query_of(row)] += weight;
        }
    }
    let live = ids.iter().filter(|&&id| id != IGNORED).count();
    let divided = !case.sum && case.upstream.is_none();
    let divisor = if divided { live.max(1) } else { 1 };
    per_query.iter().fold(0.0_f64, |max, &x| max.max(x)) / divisor as f64
}

fn single(loss: &AnyLoss, case: &Case, options: &Options) -> Output<f32> {
    let batch = case.batch().expect("a well-formed case");
    cpu::evaluate_with(loss.as_dyn(), &batch, Want::BOTH, options).expect("an evaluation")
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|&x| f64::from(x)).collect()
}

#[test]
fn single_precision_is_close_to_double() {
    for (name, case) in cases() {
        for loss in losses() {
            let Some(case) = prepared(&loss, &case) else {
                continue;
            };
            let double = evaluate(loss.as_dyn(), &case, &Options::default());
            let single = single(&loss, &case, &Options::default());
            let rule = 4.0 * f64::from(f32::EPSILON) * (1.0 + sharpness(&loss, &case));
            let floor = heaviest(&case);
            let check = |what: &str, single: &[f32], double: &[f64]| {
                let what = format!("{what} of {loss:?}, {name}");
                assert_close(&what, &wide(single), double, rule, floor);
            };
            let what = format!("row losses of {loss:?}, {name}");
            let losses = wide(&single.row_losses);
            assert_close(&what, &losses, &double.row_losses, rule, 1.0);
            check("grad_theta", &single.grad_theta, &double.grad_theta);
            let tables = |output: Option<Vec<f64>>| output.unwrap_or_default();
            let queries = single.grad_queries.unwrap_or_default();
            check("grad_queries", &queries, &tables(double.grad_queries));
            let candidates = single.grad_candidates.unwrap_or_default();
            check(
                "grad_candidates",
                &candidates,
                &tables(double.grad_candidates),
            );
        }
    }
}

/// Batches of several blocks, stripes and tasks.
fn large() -> Vec<Case> {
    let mut random = Random(11);
    let mut cases: Vec<_> = (0..3)
        .map(|_| Case::new(&mut random, 700, 900, 12))
        .collect();
    cases[1].columns = Choice::Shared(random.ids(700, 900));
    cases[2].columns = Choice::Sampled(random.ids(700 * 50, 900), 50);
    for case in &mut cases {
        case.queries.truncate(100 * 12);
        case.rows = Some(random.ids(700, 100));
    }
    cases
}

#[test]
fn bits_do_not_depend_on_threads_or_time() {
    let mut tried = 0;
    for case in large() {
        for loss in registry::all() {
            let Some(case) = prepared(&loss, &case) else {
                continue;
            };
            tried += 1;
            for options in [
                Options::default(),
                Options {
                    scratch_bytes: 1 << 17,
                    ..TINY
                },
            ] {
                let run = |threads: usize| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                    pool.expect("a pool")
                        .install(|| single(&loss, &case, &options))
                };
                let first = run(1);
                for threads in [2, 3, 3] {
                    assert!(run(threads) == first, "{loss:?} with {threads} threads");
                }
            }
        }
    }
    // Those with ranks take sampled columns alone.
    assert!(tried > 2 * registry::NAMES.len(), "{tried} cases tried");
}
