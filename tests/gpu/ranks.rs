//! Ranks and K-th largest scores, which the block family counts from scores that tiles have stored.

use crate::{
    case::{Case, Random},
    device::{Prepared, bits, context, objections},
    stored::{self, ONE_TEAM},
};
use wgloss::{
    Kth, Output, Want, cpu,
    gpu::{self, PlanOptions, Stage},
    loss::{LambdaRank, Score},
};

/// Of positives and of sampled columns, among more candidates than a chunk takes.
pub fn of_all_candidates() {
    // Rows of whole tiles; workgroups of 8 alone would not make them.
    let case = Case {
        sampled: Some((Random(45).ids(250 * 700, 900), 700)),
        ..Case::new([250, 900, 20])
    };
    let (loss, batch) = (LambdaRank::default(), case.batch());
    // The rows' losses tell all ranks.
    let options = PlanOptions {
        want: Want::NOTHING,
        ..PlanOptions::default()
    };
    let failures = |output: &Output<f32>, what: &str| {
        let mut failures = objections(&loss, &batch, output, what);
        failures.retain(|failure| !failure.contains("name: \"grad_"));
        failures
    };
    let [whole, cut] = [None, Some(2 << 20)].map(|max_binding| {
        let context = stored::context(ONE_TEAM, max_binding);
        Prepared::new(&context, &loss, &batch, &options, f32::NAN)
    });
    let stages: Vec<Stage> = (0..whole.plan.parts())
        .map(|part| whole.plan.stage(part))
        .collect();
    assert!(stages.contains(&Stage::StoredCount), "{stages:?}");
    assert!(cut.plan.parts() > whole.plan.parts());
    let output = whole.run();
    assert_eq!(failures(&output, "ranks"), [""; 0]);
    assert_eq!(bits(&cut.run()), bits(&output));
    // The kernel of processors; so many slots that it must not count for long at a time.
    let prepared = Prepared::new(context(), &loss, &batch, &options, f32::NAN);
    assert_eq!(failures(&prepared.run(), "on processors"), [""; 0]);
}

pub fn kth_largest_scores() {
    let (rows, candidates) = (283, 3000);
    let case = Case::new([rows, candidates, 20]);
    let (queries, items) = (
        case.queries.matrix("queries"),
        case.candidates.matrix("candidates"),
    );
    for (score, k) in [
        (Score::Dot, 1),
        (Score::Dot, 2048),
        (Score::Dot, candidates),
        (Score::Cosine, 20),
    ] {
        let kth = Kth {
            k,
            score,
            score_scale: 1.0,
        };
        let exact = cpu::kth_largest::<f64>(queries, items, kth).expect("it evaluates");
        // All columns in one chunk, which is counted again; several; parts of the rows, too.
        for kib in [None, Some(1 << 10), Some(256)] {
            let context = stored::context(ONE_TEAM, kib.map(|kib| kib << 10));
            let found = gpu::kth_largest(&context, queries, items, kth).expect("it evaluates");
            for (row, (found, exact)) in found.iter().zip(&exact).enumerate() {
                // Dot products of these numbers are exact.
                let most = if score == Score::Dot { 0.0 } else { 2e-6 };
                let error = (f64::from(*found) - exact).abs();
                assert!(
                    error <= most,
                    "{kth:?}, {kib:?}, row {row}: {found}, {exact}"
                );
            }
        }
    }
}
