//! The GPU against the f64 reference under the one rule of `wgloss::check`, over every form that a
//! batch can have; `columns` has those of its columns.

use crate::{
    case::{Case, OwnedLists, Random},
    device::{agree, agree_on, context, context_with, objections, run, run_with},
};
use wgloss::{
    DynLoss, IGNORED,
    check::Problem,
    gpu::{ContextOptions, Family, PlanOptions},
    loss::{Activation, Psl, Sl, registry},
};

/// A separable loss, and one whose z depends on the target.
pub fn two() -> (Sl, Psl) {
    (Sl::new(0.2), Psl::new(Activation::Relu, 0.1))
}

pub fn agree_on_two(cases: &[(&str, Case)]) {
    let (sl, psl) = two();
    agree(&[&sl, &psl], cases);
}

/// Problems whose widths, offsets and sources of scores only loss-free text sees, and that cost pipelines: for some
/// losses of each kind here, for all in `wgloss check`.
const LOSS_FREE: [&str; 4] = ["one-number", "wide-sum", "sampled-log-q", "given-scores"];
const KINDS: [&str; 5] = ["sl", "psl", "uss", "adv_info_nce", "arc_face"];

pub fn every_loss_on_every_problem() {
    let mut failures = Vec::new();
    for loss in registry::variants() {
        let loss = loss.as_dyn();
        for problem in Problem::all() {
            let kind = KINDS.contains(&loss.spec().name);
            let left_out = LOSS_FREE.contains(&problem.name()) && !kind;
            if left_out || !problem.suits(&loss.spec()) {
                continue;
            }
            let problem = problem.fitted(loss);
            let batch = problem.batch(&loss.spec()).expect("it is a batch");
            if loss.check(&batch.shape().expect("it has a shape")).is_err()
                || loss
                    .spec()
                    .check(&batch.shape().expect("it has one"))
                    .is_err()
            {
                continue;
            }
            let output = run(context(), loss, &batch);
            failures.extend(objections(loss, &batch, &output, problem.name()));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

pub fn ragged_shapes() {
    let shapes = [
        ("1 × 1 × 1", [1, 1, 1]),
        ("1 × 2 × 1", [1, 2, 1]),
        ("5 × 3 × 1", [5, 3, 1]),
        ("37 × 101 × 17", [37, 101, 17]),
        ("64 × 64 × 64", [64, 64, 64]),
        ("33 × 65 × 29", [33, 65, 29]),
        ("131 × 7 × 5", [131, 7, 5]),
        ("2 × 19 × 1024", [2, 19, 1024]),
        ("3 × 3001 × 4", [3, 3001, 4]),
        ("2 × 3000 × 128", [2, 3000, 128]),
    ];
    agree_on_two(&shapes.map(|(what, shape)| (what, Case::new(shape))));
}

/// A sum over many columns loses no digits: `grad_queries` adds up blocks.
pub fn very_many_columns() {
    agree_on_two(&[("3 × 60001 × 4", Case::new([3, 60_001, 4]))]);
}

pub fn lists_of_positives() {
    let shape @ [rows, candidates, _] = [11, 400, 12];
    let mut random = Random(1);
    let lengths = [0, 1, 181, 0, 2, 3, 1, 1, 0, 40, 0];
    let case = Case {
        many: Some(OwnedLists::random(&mut random, &lengths, candidates)),
        ..Case::new(shape)
    };
    let nothing = Case {
        many: Some(OwnedLists::random(&mut random, &[0; 11], candidates)),
        ..Case::new(shape)
    };
    assert_eq!(lengths.len(), rows);
    agree_on_two(&[("181 positives", case), ("no positives", nothing)]);
}

pub fn repeated_rows() {
    let mut random = Random(2);
    let case = Case {
        rows: Some(random.ids(70, 6)),
        positives: random.ids(70, 4),
        ..Case::new([6, 90, 10])
    };
    let lists = OwnedLists::random(&mut random, &[3; 70], 90);
    let many = Case {
        many: Some(lists),
        ..case.clone()
    };
    agree_on_two(&[("rows and positives", case), ("lists", many)]);
}

pub fn batch_scalars() {
    let plain = Case::new([30, 80, 8]);
    let mut random = Random(6);
    let mut ignored = plain.clone();
    ignored.positives[3] = IGNORED;
    ignored.positives[29] = IGNORED;
    let log_q = random.numbers(80).iter().map(|x| 2.0 * x - 3.0).collect();
    let cases = [
        ("ignored", ignored.clone()),
        (
            "weights",
            Case {
                weights: Some(random.numbers(30)),
                ..ignored.clone()
            },
        ),
        (
            "upstream",
            Case {
                upstream: Some(random.numbers(30)),
                weights: Some(random.numbers(30)),
                ..ignored
            },
        ),
        (
            "sum",
            Case {
                sum: true,
                ..plain.clone()
            },
        ),
        (
            "log q",
            Case {
                log_q: Some(log_q),
                ..plain
            },
        ),
    ];
    agree_on_two(&cases);
}

pub fn half_precision_and_strides() {
    let plain = Case::new([19, 77, 13]);
    let with = |queries, candidates| Case {
        queries,
        candidates,
        ..plain.clone()
    };
    let (q, c) = (&plain.queries, &plain.candidates);
    let cases = [
        ("strides", with(q.strided(16), c.strided(15))),
        ("f16", with(q.halved(), c.halved())),
        ("f16 candidates", with(q.clone(), c.strided(14).halved())),
        (
            "f16 with odd strides",
            with(q.strided(17).halved(), c.strided(19).halved()),
        ),
    ];
    agree_on_two(&cases);
}

/// With a small budget, rows, pairs, columns and weights all come in several chunks.
pub fn a_small_scratch() {
    let mut random = Random(7);
    let plain = Case::new([150, 700, 24]);
    let cases = [
        (
            "listed",
            Case {
                rows: Some(random.ids(300, 150)),
                many: Some(OwnedLists::random(&mut random, &[2; 300], 700)),
                exclude: Some((OwnedLists::random(&mut random, &[9; 150], 700), true)),
                ..plain.clone()
            },
        ),
        (
            "shared",
            Case {
                shared: Some(random.ids(600, 90)),
                ..plain.clone()
            },
        ),
        (
            "sampled",
            Case {
                sampled: Some((random.ids(150 * 70, 40), 70)),
                ..plain
            },
        ),
    ];
    let options = PlanOptions {
        scratch_bytes: Some(100_000),
        ..PlanOptions::default()
    };
    let (sl, psl) = two();
    let mut failures = Vec::new();
    for (what, case) in &cases {
        let batch = case.batch();
        for loss in [&sl as &dyn DynLoss, &psl] {
            let output = run_with(context(), loss, &batch, &options);
            failures.extend(objections(loss, &batch, &output, what));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// The kernels for adapters without subgroup operations.
pub fn without_subgroup_operations() {
    let family = Some(Family::Plain { lanes: 8 });
    let plain = context_with(&ContextOptions {
        family,
        ..ContextOptions::default()
    });
    let (sl, psl) = two();
    let cases = [
        ("37 × 101 × 17", Case::new([37, 101, 17])),
        ("3 × 70 × 130", Case::new([3, 70, 130])),
    ];
    agree_on(&plain, &[&sl, &psl], &cases);
}
