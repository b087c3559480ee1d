//! The block family: tiles in workgroup memory, as GPUs run them.

use crate::{
    case::{Case, OwnedLists, Random},
    device::{Prepared, agree_on, bits, context, context_with, eight, objections, run, run_with},
};
use wgloss::{
    check::Problem,
    gpu::{Context, ContextOptions, Family, PlanOptions, Scores, Tile},
    loss::{Activation, ArcFace, Psl, Sl, registry},
};

/// Options of the block family, whose other texts are those of small workgroups.
fn options(tile: Tile) -> ContextOptions {
    ContextOptions {
        family: Some(Family::Block {
            tile,
            lanes: 8,
            subgroups: context().family().subgroups(),
        }),
        ..ContextOptions::default()
    }
}

pub fn of(tile: Tile) -> Context {
    let context = context_with(&options(tile));
    assert!(
        matches!(context.family(), Family::Block { .. }),
        "the device has too little workgroup memory for {tile:?}"
    );
    context
}

fn losses() -> (Sl, Psl, ArcFace) {
    let arc = ArcFace {
        scale: 16.0,
        ..ArcFace::default()
    };
    (Sl::new(0.2), Psl::new(Activation::Relu, 0.1), arc)
}

/// Rows, columns and D beside, at and beyond the edges of tiles, slabs and merges.
pub fn ragged_shapes() {
    let (sl, psl, arc) = losses();
    let cases = [
        ("1 × 2 × 1", Case::new([1, 2, 1])),
        ("37 × 101 × 17", Case::new([37, 101, 17])),
        ("128 × 256 × 64", Case::new([128, 256, 64])),
        ("131 × 1300 × 70", Case::new([131, 1300, 70])),
        ("40 × 300 × 150", Case::new([40, 300, 150])),
    ];
    agree_on(&of(Tile::Tall), &[&sl, &psl, &arc], &cases);
}

/// So many rows and columns that spans are wider than what is merged at a time.
pub fn wide_spans() {
    let (sl, _, _) = losses();
    let case = Case::new([600, 120_000, 4]);
    agree_on(&of(Tile::Tall), &[&sl], &[("600 × 120000 × 4", case)]);
}

/// Scores that are kept, beyond the edges of tiles and of slabs, in both families.
pub fn kept_scores() {
    let (_, psl, _) = losses();
    let case = Case::new([131, 1300, 70]);
    let batch = case.batch();
    let options = PlanOptions {
        scores: Scores::Kept,
        ..PlanOptions::default()
    };
    for context in [&of(Tile::Tall), eight()] {
        let output = run_with(context, &psl, &batch, &options);
        let failures = objections(&psl, &batch, &output, "131 × 1300 × 70");
        assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    }
}

/// Tiles differ in nothing that a loss sees.
pub fn other_tiles() {
    let (sl, psl, _) = losses();
    let cases = [
        ("70 × 200 × 70", Case::new([70, 200, 70])),
        ("131 × 1300 × 150", Case::new([131, 1300, 150])),
    ];
    agree_on(&of(Tile::Square64), &[&sl], &cases);
    agree_on(&of(Tile::Square128), &[&psl], &cases);
}

/// Sums, learnt scalars and slopes by the column, lists of positives, sampled columns, second tables.
pub fn other_losses() {
    let tall = of(Tile::Tall);
    let mut failures = Vec::new();
    for loss in registry::all() {
        let loss = loss.as_dyn();
        if !["uss", "s2s_bce", "adv_info_nce"].contains(&loss.spec().name) {
            continue;
        }
        let mut tried = 0;
        for problem in Problem::all() {
            let suits = ["ragged", "sampled-weighted"].contains(&problem.name());
            if !suits || !problem.suits(&loss.spec()) {
                continue;
            }
            let problem = problem.fitted(loss);
            let batch = problem.batch(&loss.spec()).expect("it is a batch");
            let output = run(&tall, loss, &batch);
            failures.extend(objections(loss, &batch, &output, problem.name()));
            tried += 1;
        }
        assert!(tried > 0, "no problem suits {loss:?}");
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    let (_, psl, _) = losses();
    let mut random = Random(21);
    let lists = OwnedLists::random(&mut random, &[0, 1, 30, 2, 1, 3], 90);
    let many = Case {
        many: Some(lists),
        ..Case::new([6, 90, 10])
    };
    agree_on(&tall, &[&psl], &[("lists", many)]);
}

/// Masks, repeated columns and log q in tiles.
pub fn columns() {
    let (sl, psl, _) = losses();
    let mut random = Random(22);
    let case = Case::new([150, 400, 20]);
    let excluded = Case {
        exclude: Some((OwnedLists::random(&mut random, &[40; 150], 400), false)),
        ..case.clone()
    };
    let shared = Case {
        shared: Some(random.ids(333, 400)),
        log_q: Some(random.numbers(400).iter().map(|x| 2.0 * x - 3.0).collect()),
        ..case
    };
    let cases = [("excluded", excluded), ("shared, log q", shared)];
    agree_on(&of(Tile::Tall), &[&sl, &psl], &cases);
}

/// Chunks of columns and parts of rows do not show, nor do runs or checks.
pub fn same_bits() {
    let (_, psl, _) = losses();
    let case = Case::new([600, 5000, 20]);
    let batch = case.batch();
    let tall = of(Tile::Tall);
    let plan = Prepared::new(&tall, &psl, &batch, &PlanOptions::default(), f32::NAN);
    let first = bits(&plan.run());
    assert_eq!(bits(&plan.run()), first, "another run");
    let narrow = context_with(&ContextOptions {
        max_binding: Some(256 << 10),
        ..options(Tile::Tall)
    });
    let cut = Prepared::new(&narrow, &psl, &batch, &PlanOptions::default(), f32::NAN);
    assert!(
        cut.plan.parts() > 2 * plan.plan.parts(),
        "{} parts of {}",
        cut.plan.parts(),
        plan.plan.parts()
    );
    assert_eq!(bits(&cut.run()), first, "several chunks");
    let checked = context_with(&ContextOptions {
        checked: true,
        ..options(Tile::Tall)
    });
    assert_eq!(bits(&run(&checked, &psl, &batch)), first, "checked");
}
