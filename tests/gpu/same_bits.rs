//! The same bits, whatever the device's limits, and however the work is recorded.

use crate::{
    case::{Case, OwnedLists, Random},
    device::{Prepared, bits, context_with, eight, objections, of_eight, run, run_with, submit},
};
use wgloss::{
    DynLoss, Want,
    gpu::{Context, ContextOptions, PlanOptions},
    loss::{Activation, Psl, Sl},
};

fn losses() -> (Sl, Psl) {
    (Sl::new(0.2), Psl::new(Activation::Relu, 0.1))
}

/// Many columns, lists of positives and exclusions.
fn listed() -> Case {
    let mut random = Random(11);
    Case {
        rows: Some(random.ids(60, 40)),
        many: Some(OwnedLists::random(&mut random, &[2; 60], 5000)),
        exclude: Some((OwnedLists::random(&mut random, &[30; 40], 5000), true)),
        ..Case::new([40, 5000, 20])
    }
}

/// A shared list with repeats, over a large table.
fn shared() -> Case {
    Case {
        shared: Some(Random(12).ids(2000, 3000)),
        ..Case::new([40, 3000, 20])
    }
}

fn same(actual: &Context, case: &Case) {
    let (sl, psl) = losses();
    for loss in [&sl as &dyn DynLoss, &psl] {
        let batch = case.batch();
        let expected = bits(&run(eight(), loss, &batch));
        assert_eq!(bits(&run(actual, loss, &batch)), expected, "{loss:?}");
    }
}

pub fn repeated_runs() {
    for case in [listed(), shared()] {
        let batch = case.batch();
        let options = PlanOptions::default();
        let plan = Prepared::new(eight(), &losses().1, &batch, &options, f32::NAN);
        let first = bits(&plan.run());
        for _ in 0..3 {
            assert_eq!(bits(&plan.run()), first);
        }
        assert_eq!(bits(&run(eight(), &losses().1, &batch)), first);
    }
}

/// Tables, gradients and packed columns come in several pieces and chunks.
fn narrow() -> Context {
    context_with(&ContextOptions {
        max_binding: Some(64 << 10),
        ..of_eight()
    })
}

pub fn lowered_binding_limit() {
    let case = listed();
    let narrow = narrow();
    let batch = case.batch();
    let dispatches = |context: &Context| {
        let options = PlanOptions::default();
        Prepared::new(context, &losses().0, &batch, &options, 0.0)
            .plan
            .parts()
    };
    assert!(dispatches(&narrow) > 3 * dispatches(eight()));
    same(&narrow, &case);
    same(&narrow, &shared());
}

/// Enough rows and columns for large tiles, which load two vec4 at once where they can.
pub fn narrow_loads() {
    let case = Case::new([600, 700, 60]);
    let narrow = context_with(&ContextOptions {
        narrow_loads: true,
        ..of_eight()
    });
    let (batch, loss) = (case.batch(), losses().1);
    let output = run(eight(), &loss, &batch);
    let objections = objections(&loss, &batch, &output, "large tiles");
    assert!(objections.is_empty(), "{objections:?}");
    assert_eq!(bits(&run(&narrow, &loss, &batch)), bits(&output));
}

/// The weights of all rows with the fewest columns exceed a binding: rows come in parts, which
/// share repeated queries, candidates and positives.
pub fn lowered_binding_limit_for_many_rows() {
    let mut random = Random(16);
    let all = Case {
        rows: Some(random.ids(300, 40)),
        many: Some(OwnedLists::random(&mut random, &[2; 300], 700)),
        exclude: Some((OwnedLists::random(&mut random, &[30; 40], 700), true)),
        ..Case::new([40, 700, 20])
    };
    let shared = Case {
        shared: Some(random.ids(900, 700)),
        many: None,
        positives: random.ids(300, 700),
        exclude: None,
        ..all.clone()
    };
    let narrow = narrow();
    for case in [all, shared] {
        same(&narrow, &case);
        let batch = case.batch();
        let both = run(eight(), &losses().1, &batch);
        for queries in [true, false] {
            let options = PlanOptions {
                want: Want {
                    queries,
                    candidates: !queries,
                    ..Want::NOTHING
                },
                ..PlanOptions::default()
            };
            let one = run_with(&narrow, &losses().1, &batch, &options);
            let same = if queries {
                one.grad_queries == both.grad_queries
            } else {
                one.grad_candidates == both.grad_candidates
            };
            assert!(same, "queries {queries}");
        }
    }
}

/// Rows, and where even a few do not fit, slots come in parts, with repeats of an id in all of them.
pub fn lowered_binding_limit_for_sampled_columns() {
    let mut random = Random(13);
    let case = Case {
        sampled: Some((random.ids(150 * 130, 900), 130)),
        rows: Some(random.ids(150, 40)),
        positives: random.ids(150, 900),
        ..Case::new([40, 900, 20])
    };
    let batch = case.batch();
    let (sl, _) = losses();
    let output = run(eight(), &sl, &batch);
    let objections = objections(&sl, &batch, &output, "sampled");
    assert!(objections.is_empty(), "{objections:?}");
    for kib in [2048, 1024, 640, 320] {
        let narrow = context_with(&ContextOptions {
            max_binding: Some(kib << 10),
            ..of_eight()
        });
        same(&narrow, &case);
    }
    // A budget in place of a limit, and other groups of rows than the limits make.
    let options = PlanOptions {
        scratch_bytes: Some(2 << 20),
        ..PlanOptions::default()
    };
    let small = run_with(eight(), &sl, &batch, &options);
    assert_eq!(bits(&small), bits(&output));
}

/// More workgroups than fit one dimension.
pub fn lowered_group_limit() {
    let folded = context_with(&ContextOptions {
        max_groups: Some(3),
        ..of_eight()
    });
    same(&folded, &listed());
    same(&folded, &shared());
}

pub fn encoded_in_parts() {
    let case = listed();
    let batch = case.batch();
    let options = PlanOptions::default();
    let loss = losses().0;
    let expected = bits(&run(eight(), &loss, &batch));
    let run = Prepared::new(eight(), &loss, &batch, &options, f32::NAN);
    let parts = run.plan.split(run.plan.flops() / 5);
    assert!(parts.len() > 2, "{parts:?}");
    for part in parts {
        submit(eight(), |encoder| {
            run.plan
                .encode_part(encoder, &run.buffers, part)
                .expect("it records");
        });
    }
    assert_eq!(bits(&run.read()), expected);
}

pub fn gradients_of_one_side() {
    for case in [listed(), shared()] {
        let batch = case.batch();
        let (_, loss) = losses();
        let both = run(eight(), &loss, &batch);
        for (queries, candidates) in [(true, false), (false, true)] {
            let options = PlanOptions {
                want: Want {
                    queries,
                    candidates,
                    ..Want::NOTHING
                },
                ..PlanOptions::default()
            };
            let mut expected = both.clone();
            expected.grad_queries = expected.grad_queries.filter(|_| queries);
            expected.grad_candidates = expected.grad_candidates.filter(|_| candidates);
            let one = run_with(eight(), &loss, &batch, &options);
            assert_eq!(bits(&one), bits(&expected));
        }
    }
}

pub fn the_value_alone() {
    let case = listed();
    let batch = case.batch();
    let (_, loss) = losses();
    let mut expected = run(eight(), &loss, &batch);
    expected.grad_queries = None;
    expected.grad_candidates = None;
    let options = PlanOptions {
        want: Want::NOTHING,
        ..PlanOptions::default()
    };
    let value = run_with(eight(), &loss, &batch, &options);
    assert_eq!(bits(&value), bits(&expected));
    assert_eq!(value.statistics, expected.statistics);
}

/// Bounds checks and loop guards change nothing: no index was out of bounds.
pub fn checked_modules() {
    let checked = context_with(&ContextOptions {
        checked: true,
        ..of_eight()
    });
    let sampled = Case {
        sampled: Some((Random(14).ids(20 * 9, 30), 9)),
        log_q: Some(Random(15).numbers(30)),
        ..Case::new([20, 30, 6])
    };
    let plain = Case::new([37, 101, 17]);
    // Of one loss: what others have of their own indexes nothing.
    let (_, psl) = losses();
    for case in [plain, sampled, listed(), shared()] {
        let batch = case.batch();
        let expected = bits(&run(eight(), &psl, &batch));
        assert_eq!(bits(&run(&checked, &psl, &batch)), expected);
    }
}

pub fn accumulated_gradients() {
    let case = Case::new([37, 101, 17]);
    let batch = case.batch();
    let (loss, _) = losses();
    let fresh = run(eight(), &loss, &batch);
    let options = PlanOptions {
        accumulate: true,
        ..PlanOptions::default()
    };
    // Powers of two far above the gradients: the sum is rounded, by half an ulp per addition.
    let start = 1.0f32;
    let added = Prepared::new(eight(), &loss, &batch, &options, start).run();
    let pairs = [
        (fresh.grad_queries, added.grad_queries),
        (fresh.grad_candidates, added.grad_candidates),
    ];
    for (fresh, added) in pairs {
        let (fresh, added) = (fresh.expect("wanted"), added.expect("wanted"));
        for (fresh, added) in fresh.iter().zip(&added) {
            let error = (added - start - fresh).abs();
            assert!(error <= 4.0 * f32::EPSILON, "{fresh} became {added}");
        }
    }
    assert_eq!(fresh.value.to_bits(), added.value.to_bits());
}

/// A plan takes over another temperature.
pub fn another_temperature() {
    let case = Case::new([37, 101, 17]);
    let batch = case.batch();
    let options = PlanOptions::default();
    let prepared = Prepared::new(eight(), &Sl::new(0.2), &batch, &options, f32::NAN);
    for tau in [0.1, 0.5] {
        prepared.plan.set_loss(&Sl::new(tau));
        let fresh = run(eight(), &Sl::new(tau), &batch);
        assert_eq!(bits(&prepared.run()), bits(&fresh), "τ = {tau}");
    }
}
