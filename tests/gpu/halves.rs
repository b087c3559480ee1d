//! Packed rows stored as halves: exact where halves hold the numbers, and otherwise as far off as
//! eleven bits are.

use crate::{
    blocks::of,
    case::{Case, Random, Table},
    device::{Prepared, bits, eight, run_with},
};
use wgloss::{
    DynLoss, Error, Output,
    gpu::{Context, Plan, PlanOptions, Scores, Storage, TableLayouts, Tile},
    loss::{Activation, Psl, Score, Sl},
};

const HALVES: PlanOptions = PlanOptions {
    scratch_bytes: None,
    want: wgloss::Want::BOTH,
    accumulate: false,
    storage: Storage::F16,
    scores: Scores::Twice,
};

fn full() -> PlanOptions {
    PlanOptions {
        storage: Storage::F32,
        ..HALVES
    }
}

fn same(context: &Context, loss: &dyn DynLoss, case: &Case, what: &str) {
    let batch = case.batch();
    let expected = bits(&run_with(context, loss, &batch, &full()));
    let halves = bits(&run_with(context, loss, &batch, &HALVES));
    assert_eq!(halves, expected, "{what}, {loss:?}");
}

/// Numbers that halves hold give the bits that f32 gives: dot products of f16 tables, and unit
/// vectors of entries ±1/8.
pub fn what_halves_hold_is_exact() {
    let tall = of(Tile::Tall);
    let plain = Case::new([131, 700, 20]);
    let dots = Case {
        queries: plain.queries.halved(),
        candidates: plain.candidates.strided(23).halved(),
        ..plain
    };
    let sl = Sl {
        score: Score::Dot,
        ..Sl::new(2.0)
    };
    same(&tall, &sl, &dots, "dots");
    let mut random = Random(31);
    let mut signs = |rows: usize| {
        let numbers = random.numbers(rows * 64).into_iter();
        Table::new(numbers.map(|x| 0.125f32.copysign(x - 0.5)).collect(), 64)
    };
    let unit = Case {
        queries: signs(37),
        candidates: signs(101),
        ..Case::new([37, 101, 64])
    };
    let psl = Psl::new(Activation::Relu, 0.1);
    same(&tall, &psl, &unit, "unit vectors");
}

/// The largest difference, and the largest number.
fn difference(a: &Option<Vec<f32>>, b: &Option<Vec<f32>>) -> [f32; 2] {
    let (a, b) = (a.as_ref().expect("wanted"), b.as_ref().expect("wanted"));
    let pairs = a.iter().zip(b);
    pairs.fold([0.0, 0.0], |[most, size], (a, b)| {
        [most.max((a - b).abs()), size.max(b.abs())]
    })
}

/// Both unit vectors of a score are off by at most 2⁻¹⁰ of their length: scores by 2⁻⁹, pair values
/// z = s/τ and with them row losses by twice that over τ. Gradients divide by τ once more than their
/// size does: weights are off by that share, vectors by 2⁻¹⁰.
pub fn what_halves_round_is_near() {
    let tall = of(Tile::Tall);
    let (case, tau) = (Case::new([131, 700, 20]), 0.2);
    let batch = case.batch();
    for loss in [
        &Sl::new(tau) as &dyn DynLoss,
        &Psl::new(Activation::Relu, tau),
    ] {
        let run = |options: &PlanOptions| -> Output<f32> { run_with(&tall, loss, &batch, options) };
        let (exact, near) = (run(&full()), run(&HALVES));
        assert_ne!(bits(&exact), bits(&near), "{loss:?} was not rounded");
        let most = 2f32.powi(-8) / tau as f32;
        for (exact, near) in exact.row_losses.iter().zip(&near.row_losses) {
            let error = (exact - near).abs();
            assert!(error <= most, "{loss:?}: {error} of {most}");
        }
        for (exact, near) in [
            (&exact.grad_queries, &near.grad_queries),
            (&exact.grad_candidates, &near.grad_candidates),
        ] {
            let [error, size] = difference(near, exact);
            let share = error / size;
            assert!(
                share <= most,
                "{loss:?}: {share} of the largest, not {most}"
            );
        }
    }
}

/// Numbers beyond the largest half are an error, not infinite scores.
pub fn what_halves_cannot_hold_is_an_error() {
    let case = Case::new([5, 30, 4]);
    let mut large = case.queries.clone();
    large.numbers[7] = 70_000.0;
    let large = Case {
        queries: large,
        ..case
    };
    let loss = Sl {
        score: Score::Dot,
        ..Sl::new(2.0)
    };
    let batch = large.batch();
    let prepared = Prepared::new(&of(Tile::Tall), &loss, &batch, &HALVES, 0.0);
    crate::device::submit(prepared.plan.context(), |encoder| {
        let recorded = prepared.plan.encode(encoder, &prepared.buffers);
        recorded.expect("it records");
    });
    let read = prepared.plan.read(&[]);
    assert!(read.is_err(), "{read:?}");
}

/// Half the bytes of packed rows; and what has no such text is refused by name.
pub fn halves_take_half_and_refuse_by_name() {
    let case = Case::new([600, 5000, 128]);
    let shape = case.batch().shape().expect("a shape");
    let layouts = TableLayouts::dense(&shape);
    let sl = Sl::new(0.2);
    let bytes = |options: &PlanOptions| {
        let plan = Plan::new(&of(Tile::Tall), &sl, &shape, &layouts, options);
        plan.expect("it fits").bytes()
    };
    let packed = (600 + 5000) * 128 * 2;
    let saved = bytes(&full()) - bytes(&HALVES);
    assert!(saved >= packed, "{saved} bytes of {packed}");
    let others = Plan::new(eight(), &sl, &shape, &layouts, &HALVES);
    let sampled = Case {
        sampled: Some((Random(1).ids(600 * 3, 5000), 3)),
        ..case
    };
    let sampled = sampled.batch().shape().expect("a shape");
    let sampled = Plan::new(&of(Tile::Tall), &sl, &sampled, &layouts, &HALVES);
    for (refused, word) in [(others, "family"), (sampled, "sampled")] {
        let Err(Error::Unsupported(message)) = refused else {
            panic!("{word}: {refused:?}");
        };
        assert!(
            message.contains(word) && message.contains("F16"),
            "{message}"
        );
    }
}
