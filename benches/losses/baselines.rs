//! What losses are compared with in the same run: the same steps with all scores stored, and the
//! scores alone.

#[path = "../stored_scores/mod.rs"]
mod stored_scores;

use criterion::{BenchmarkGroup, measurement::WallTime};
use std::cell::OnceCell;
use stored_scores::{Rows, StoredScores};
use wgloss::{
    AnyLoss, Engine, Shape, Want,
    bench::{Inputs, Operand, Step, product},
    gpu::{PlanOptions, Scores, TableLayouts, estimate},
    loss::{S2sNaive, Sl},
};

/// Bytes of scores up to which they are stored.
const MOST_STORED: usize = 4 << 30;

/// A step of a loss that is written so, on the CPU: `LOSS/stored-scores-cpu/SIZE`.
pub fn stored(
    group: &mut BenchmarkGroup<'_, WallTime>,
    (name, loss): (&str, &AnyLoss),
    size: [usize; 3],
) {
    let [b, n, d] = size;
    let Some(rows) = Rows::of(loss).filter(|_| 4 * b * n <= MOST_STORED) else {
        return;
    };
    let inputs = OnceCell::new();
    let mut ready = None;
    group.bench_function(format!("{name}/stored-scores-cpu/{b}x{n}x{d}"), |bencher| {
        let inputs = inputs.get_or_init(|| Inputs::new(loss.as_dyn(), size).expect("room"));
        let stored = ready.get_or_insert_with(|| {
            let batch = inputs.batch().expect("a good batch");
            let mut stored = StoredScores::new(rows, &batch);
            let objection = inputs.objection(loss.as_dyn(), Want::BOTH, stored.step());
            assert_eq!(objection.expect("the reference's result"), None);
            stored
        });
        bencher.iter(|| stored.step().value);
    });
}

/// Both schemes of a GPU's step: with all scores kept from the reduction for the weights, and with
/// scores that are computed twice: `LOSS/DEVICE-kept/SIZE`, `LOSS/DEVICE-twice/SIZE`. The plan's own
/// choice is `LOSS/DEVICE/SIZE`.
pub fn schemes(
    group: &mut BenchmarkGroup<'_, WallTime>,
    (device, engine): (&str, &Engine),
    (name, loss): (&str, &AnyLoss),
    size: [usize; 3],
) {
    let ([b, n, d], Some(context)) = (size, engine.context()) else {
        return;
    };
    if Rows::of(loss).is_none() {
        return;
    }
    let inputs = OnceCell::new();
    for (scheme, scores) in [("kept", Scores::Kept), ("twice", Scores::Twice)] {
        // Scores and candidates' sums, 4 bytes each, are to fit half of it, padded.
        let scratch_bytes = match scores {
            Scores::Kept => Some(16 * (b * (n + 64) + (n + 64) * (d + 16)) as u64),
            _ => None,
        };
        let options = PlanOptions {
            scores,
            scratch_bytes,
            ..PlanOptions::default()
        };
        let id = format!("{name}/{device}-{scheme}/{b}x{n}x{d}");
        let shape = Shape::new(b, n, d);
        let (layouts, limits) = (TableLayouts::dense(&shape), context.limits());
        let loss = loss.as_dyn();
        if let Err(error) = estimate(loss, &shape, &layouts, &options, context.family(), limits) {
            println!("{id}: left out, {error}");
            continue;
        }
        let mut ready = None;
        group.bench_function(id, |bencher| {
            let inputs = inputs.get_or_init(|| Inputs::new(loss, size).expect("room"));
            let step = ready.get_or_insert_with(|| {
                let context = context.tuned(loss, &shape).expect("a family");
                let planned = Step::planned(&context, loss, inputs, &options);
                let (step, output) = planned.expect("a result");
                let objection = inputs.objection(loss, Want::BOTH, &output);
                assert_eq!(objection.expect("the reference's result"), None);
                step
            });
            bencher.iter(|| step.run().expect("a result"));
        });
    }
}

/// The plain product of both tables, its result stored: `plain-product/cpu/SIZE`.
pub fn plain_product(group: &mut BenchmarkGroup<'_, WallTime>, size: [usize; 3]) {
    let [b, n, d] = size;
    if 4 * b * n > MOST_STORED {
        return;
    }
    let mut ready = None;
    group.bench_function(format!("plain-product/cpu/{b}x{n}x{d}"), |bencher| {
        let (queries, candidates, out) = ready.get_or_insert_with(|| {
            let numbers = |count: usize| vec![0.5_f32; count];
            (numbers(b * d), numbers(n * d), numbers(b * n))
        });
        let right = Operand::rows(candidates, d).transposed();
        bencher.iter(|| product(out, Operand::rows(queries, d), right, 1.0));
    });
}

/// On a GPU the score tiles of the plan's own family with next to no loss, their rows summed:
/// `plain-product/gpu/SIZE`.
pub fn plain_tiles(
    group: &mut BenchmarkGroup<'_, WallTime>,
    (device, engine): (&str, &Engine),
    size: [usize; 3],
) {
    let [b, n, d] = size;
    let loss = S2sNaive::default();
    let inputs = OnceCell::new();
    let mut ready = None;
    group.bench_function(format!("plain-product/{device}/{b}x{n}x{d}"), |bencher| {
        let inputs = inputs.get_or_init(|| Inputs::new(&Sl::default(), size).expect("room"));
        let step = ready.get_or_insert_with(|| {
            let (step, output) = Step::new(engine, &loss, inputs, Want::NOTHING).expect("a result");
            let objection = inputs.objection(&loss, Want::NOTHING, &output);
            assert_eq!(objection.expect("the reference's result"), None);
            step
        });
        bencher.iter(|| step.run().expect("a result"));
    });
}
