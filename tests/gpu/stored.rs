//! Scores in the scratch, which the block family's stages with a loss read where no tile has room for
//! all that the loss needs: lists of positives where z depends on t, second tables, sampled columns.

use crate::{
    case::{Case, OwnedLists, Random, Table},
    device::{self, Prepared, bits, context_with, objections, run_with},
};
use wgloss::{
    Batch, DynLoss, Output,
    gpu::{Context, ContextOptions, Family, PlanOptions, Scores, Stage, Storage, Tile},
    loss::{Activation, AdvInfoNce, ArcFace, Psl, Score},
};

/// The lanes of a workgroup: one team, as in other tests, whose pipelines these share.
pub const ONE_TEAM: u32 = 8;
/// Four teams, as GPUs have them.
const FOUR_TEAMS: u32 = 32;

pub fn context(lanes: u32, max_binding: Option<u64>) -> Context {
    context_with(&ContextOptions {
        family: Some(Family::Block {
            tile: Tile::Tall,
            lanes,
            subgroups: lanes == ONE_TEAM && device::context().family().subgroups(),
        }),
        max_binding,
        ..ContextOptions::default()
    })
}

fn options(scores: Scores) -> PlanOptions {
    PlanOptions {
        scores,
        ..PlanOptions::default()
    }
}

fn psl() -> Psl {
    Psl::new(Activation::Relu, 0.1)
}

/// Lists without a pair, with one and with many, over several merges of columns.
fn lists() -> Case {
    let mut random = Random(41);
    let lengths: Vec<usize> = (0..280).map(|row| row % 5).chain([60, 0, 33]).collect();
    Case {
        many: Some(OwnedLists::random(&mut random, &lengths, 1300)),
        exclude: Some((OwnedLists::random(&mut random, &[9; 283], 1300), false)),
        ..Case::new([283, 1300, 20])
    }
}

fn sampled() -> Case {
    let mut random = Random(42);
    Case {
        sampled: Some((random.ids(150 * 700, 900), 700)),
        log_q: Some(random.numbers(900).iter().map(|x| 2.0 * x - 3.0).collect()),
        ..Case::new([150, 900, 20])
    }
}

/// Tables of a batch's adversary.
fn second() -> [Table; 2] {
    let mut random = Random(43);
    [131, 1300].map(|rows| Table::new(random.numbers(rows * 12), 12))
}

fn with_second<'a>(case: &'a Case, [queries, candidates]: &'a [Table; 2]) -> Batch<'a> {
    let (queries, candidates) = (queries.matrix("queries"), candidates.matrix("candidates"));
    let batch = case.batch().second(queries, candidates);
    batch.expect("the second tables are right")
}

/// Runs a loss on the plan's stages for stored scores, and compares with the reference.
fn agree(
    context: &Context,
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    scores: Scores,
    what: &str,
) -> Output<f32> {
    let stages = [Stage::StoredReduce, Stage::StoredWeights];
    agree_through(&stages, context, loss, batch, scores, what)
}

fn agree_through(
    expected: &[Stage],
    context: &Context,
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    scores: Scores,
    what: &str,
) -> Output<f32> {
    let prepared = Prepared::new(context, loss, batch, &options(scores), f32::NAN);
    let stages: Vec<Stage> = (0..prepared.plan.parts())
        .map(|part| prepared.plan.stage(part))
        .collect();
    for stage in expected {
        assert!(stages.contains(stage), "{what}: {stage:?} of {stages:?}");
    }
    assert!(prepared.plan.flops() > 0, "{what}: its work is told");
    let output = prepared.run();
    let failures = objections(loss, batch, &output, what);
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    output
}

/// Chunks of columns and parts of rows do not show.
fn same_in_parts(
    lanes: u32,
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    kib: u64,
    expected: &Output<f32>,
) {
    let wide = context(lanes, None);
    let whole = Prepared::new(&wide, loss, batch, &options(Scores::Twice), 0.0);
    let narrow = context(lanes, Some(kib << 10));
    let cut = Prepared::new(&narrow, loss, batch, &options(Scores::Twice), f32::NAN);
    let [whole, parts] = [whole.plan.parts(), cut.plan.parts()];
    assert!(parts > whole, "{parts} parts, {whole} of one chunk");
    assert_eq!(bits(&cut.run()), bits(expected), "{kib} KiB");
}

pub fn lists_of_positives() {
    let case = lists();
    let output = agree(
        &context(FOUR_TEAMS, None),
        &psl(),
        &case.batch(),
        Scores::Twice,
        "lists",
    );
    same_in_parts(FOUR_TEAMS, &psl(), &case.batch(), 256, &output);
    let kept = agree(
        &context(FOUR_TEAMS, None),
        &psl(),
        &case.batch(),
        Scores::Kept,
        "lists, kept",
    );
    assert_eq!(bits(&kept), bits(&output), "the same scores");
}

/// So many pairs that spans are wider than what is merged at a time; chunks end within them.
pub fn wide_spans() {
    let mut random = Random(44);
    let case = Case {
        many: Some(OwnedLists::random(&mut random, &[100; 60], 12_000)),
        ..Case::new([60, 12_000, 4])
    };
    let output = agree(
        &context(ONE_TEAM, None),
        &psl(),
        &case.batch(),
        Scores::Twice,
        "wide spans",
    );
    same_in_parts(ONE_TEAM, &psl(), &case.batch(), 1920, &output);
}

pub fn second_tables() {
    let (case, tables) = (Case::new([131, 1300, 20]), second());
    let batch = with_second(&case, &tables);
    let loss = AdvInfoNce::default();
    let output = agree(
        &context(ONE_TEAM, None),
        &loss,
        &batch,
        Scores::Twice,
        "second tables",
    );
    same_in_parts(ONE_TEAM, &loss, &batch, 256, &output);
    let kept = agree(
        &context(ONE_TEAM, None),
        &loss,
        &batch,
        Scores::Kept,
        "second tables, kept",
    );
    assert_eq!(bits(&kept), bits(&output), "the same scores");
}

pub fn sampled_columns() {
    let case = sampled();
    let output = agree(
        &context(ONE_TEAM, None),
        &psl(),
        &case.batch(),
        Scores::Twice,
        "sampled",
    );
    for kib in [12 << 10, 2 << 10, 1 << 10] {
        same_in_parts(ONE_TEAM, &psl(), &case.batch(), kib, &output);
    }
}

pub fn sub_centres() {
    let case = Case::new([131, 1302, 20]);
    let case = Case {
        positives: case.positives.iter().map(|id| id % 434).collect(),
        ..case
    };
    let batch = case.batch().columns_per_class(3).expect("three of each");
    let arc = ArcFace {
        scale: 16.0,
        ..ArcFace::default()
    };
    let through = |scores, what| {
        let wide = context(ONE_TEAM, None);
        agree_through(&[Stage::StoredCentres], &wide, &arc, &batch, scores, what)
    };
    let output = through(Scores::Twice, "sub-centres");
    same_in_parts(ONE_TEAM, &arc, &batch, 1100, &output);
    through(Scores::Kept, "sub-centres, kept");
}

/// Numbers that halves hold give the bits that f32 gives.
pub fn halves() {
    let (lists, plain, tables) = (lists(), Case::new([131, 1300, 20]), second());
    let dots = |case: &Case| Case {
        queries: case.queries.halved(),
        candidates: case.candidates.halved(),
        ..case.clone()
    };
    let (lists, plain) = (dots(&lists), dots(&plain));
    let many = Psl {
        score: Score::Dot,
        ..Psl::new(Activation::Relu, 4.0)
    };
    let second = AdvInfoNce {
        score: Score::Dot,
        adv_score: Score::Dot,
        tau: 4.0,
        ..AdvInfoNce::default()
    };
    let cases: [(&dyn DynLoss, Batch<'_>); 2] = [
        (&many, lists.batch()),
        (&second, with_second(&plain, &tables)),
    ];
    for (loss, batch) in cases {
        let of = |storage| {
            let options = PlanOptions {
                storage,
                ..options(Scores::Twice)
            };
            bits(&run_with(&context(ONE_TEAM, None), loss, &batch, &options))
        };
        assert_eq!(of(Storage::F16), of(Storage::F32), "{loss:?}");
    }
}
