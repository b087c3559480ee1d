//! Odd losses, and odd wants: second tables alone, superfluous gradients, bad input on the device.

use super::{
    GPU,
    device::{Run, full},
    numbers::{ids, numbers},
    odd_losses::{Angles, SumAndSecond},
};
use wgloss::{
    ABSENT, Batch, Columns, DynLoss, Error, GivenScores, IGNORED, Lists, Matrix, Positives, Want,
    check::judge,
    cpu,
    gpu::PlanOptions,
    loss::{AdvInfoNce, Sl},
};

const DIM: usize = 6;

struct Tables {
    queries: Vec<f32>,
    candidates: Vec<f32>,
    positives: Vec<u32>,
}

impl Tables {
    fn new() -> Self {
        Tables {
            queries: numbers(9 * DIM, 1),
            candidates: numbers(40 * DIM, 2),
            positives: ids(18, 40, 3),
        }
    }

    fn batch(&self) -> Batch<'_> {
        let queries = Matrix::new("queries", &self.queries, DIM).expect("queries");
        let candidates = Matrix::new("candidates", &self.candidates, DIM).expect("candidates");
        let positives = Positives::One(&self.positives[..9]);
        Batch::new(queries, candidates, positives).expect("a batch")
    }
}

fn agrees(loss: &dyn DynLoss, batch: &Batch<'_>) {
    let actual = (GPU.evaluate_f64(loss, batch, Want::BOTH)).expect("it evaluates");
    for verdict in judge(loss, batch, &actual).expect("it evaluates") {
        assert!(verdict.passed(), "{loss:?}: {verdict:?}");
    }
}

#[test]
fn dot_products_have_no_angles_and_defaults_may_be_left_out() {
    let (tables, columns) = (Tables::new(), numbers(40, 4));
    let batch = tables.batch().column_parameters(&columns);
    agrees(&Angles, &batch.expect("numbers"));
}

#[test]
fn a_plain_sum_beside_a_second_tile() {
    let tables = Tables::new();
    let (queries, candidates) = (numbers(9 * 5, 5), numbers(40 * 5, 6));
    let second = |batch: Batch<'_>| {
        let queries = Matrix::new("adv_queries", &queries, 5).expect("queries");
        let candidates = Matrix::new("adv_candidates", &candidates, 5).expect("candidates");
        let batch = batch.second(queries, candidates).expect("tables");
        for log_sum in [true, false] {
            agrees(&SumAndSecond { log_sum }, &batch);
        }
    };
    second(tables.batch());
    let sampled = ids(9 * 7, 40, 7);
    let columns = Columns::Sampled {
        ids: &sampled,
        per_row: 7,
    };
    second(tables.batch().columns(columns).expect("columns"));
    let offsets: Vec<u32> = (0..=9).map(|row| 2 * row).collect();
    let lists = Lists {
        offsets: &offsets,
        ids: &tables.positives,
    };
    let queries = Matrix::new("queries", &tables.queries, DIM).expect("queries");
    let candidates = Matrix::new("candidates", &tables.candidates, DIM).expect("candidates");
    second(Batch::new(queries, candidates, Positives::Many(lists)).expect("a batch"));
}

/// What the device brings is looked at there.
#[test]
fn numbers_on_the_device_that_are_not_finite_are_an_error() {
    let options = PlanOptions::default();
    let (positives, columns) = (numbers(4, 1), numbers(4 * 3, 2));
    let given = GivenScores {
        positives: &positives,
        columns: &columns,
        per_row: 3,
        reference: Some((&positives, &columns)),
    };
    let batch = Batch::from_scores(given).expect("scores");
    let run = Run::new(full(), &Sl::new(0.5), &batch, &options);
    run.from(f32::NAN).expect("all numbers are finite");
    let b = &run.buffers;
    let reference = b.reference_scores.as_ref().expect("it is given");
    let of = |slice: &Option<wgloss::gpu::Slice>| slice.clone().expect("it is given");
    for (slice, numbers) in [
        (of(&b.positive_scores), &positives),
        (of(&b.column_scores), &columns),
        (reference.0.clone(), &positives),
        (reference.1.clone(), &columns),
    ] {
        let mut bad = numbers.clone();
        bad[2] = f32::NAN;
        run.write(&slice, &bad);
        let error = run.from(0.0).expect_err("a NaN went unnoticed");
        assert!(matches!(error, Error::DeviceInput(_)), "{error}");
        run.write(&slice, numbers);
    }
    run.from(f32::NAN).expect("all numbers are finite again");
}

/// A device's ids are no better than a slice's: a row without a positive is for losses that take it.
#[test]
fn rows_without_a_positive_on_the_device_are_an_error() {
    let tables = Tables::new();
    let batch = tables.batch();
    let run = Run::new(full(), &Sl::new(0.5), &batch, &PlanOptions::default());
    run.from(f32::NAN).expect("all ids are good");
    let positives = run.buffers.positives.clone().expect("they are given");
    let mut ids = tables.positives[..9].to_vec();
    for (id, good) in [(IGNORED, true), (ABSENT, false), (40, false)] {
        ids[3] = id;
        let words: Vec<f32> = ids.iter().map(|id| f32::from_bits(*id)).collect();
        run.write(&positives, &words);
        match run.from(f32::NAN) {
            Ok(_) => assert!(good, "{id} went unnoticed"),
            Err(error) => assert!(!good && matches!(error, Error::DeviceInput(_)), "{error}"),
        }
    }
}

/// Every gradient by itself is what it is beside the others, on the processor too.
#[test]
fn second_tables_alone() {
    let tables = Tables::new();
    let (queries, candidates) = (numbers(9 * 5, 5), numbers(40 * 5, 6));
    let second = (
        Matrix::new("adv_queries", &queries, 5).expect("queries"),
        Matrix::new("adv_candidates", &candidates, 5).expect("candidates"),
    );
    let batch = (tables.batch().second(second.0, second.1)).expect("tables");
    let loss = AdvInfoNce::default();
    let alone = Want {
        second: true,
        ..Want::NOTHING
    };
    let of = |want: Want| {
        let output = cpu::evaluate::<f64>(&loss, &batch, want).expect("it evaluates");
        (output.grad_second_queries, output.grad_second_candidates)
    };
    assert_eq!(of(alone), of(Want::BOTH));
    let of = |want: Want| {
        let output = GPU.evaluate(&loss, &batch, want).expect("it evaluates");
        (output.grad_second_queries, output.grad_second_candidates)
    };
    assert_eq!(of(alone), of(Want::BOTH));
}

/// Gradients of what a batch does not have are refused.
#[test]
fn superfluous_gradients_are_refused() {
    use cpu::{Gradient, Gradients, Options, evaluate_into};
    let tables = Tables::new();
    let (positives, columns) = (numbers(4, 1), numbers(4 * 3, 2));
    let given = Batch::from_scores(GivenScores {
        positives: &positives,
        columns: &columns,
        per_row: 3,
        reference: None,
    });
    let given = given.expect("scores");
    let plain = tables.batch();
    fn add(out: &mut [f64]) -> Gradient<'_, f64> {
        Gradient { out, add: false }
    }
    let loss = Sl::new(0.5);
    let refused = |batch: &Batch<'_>, gradients: Gradients<'_, f64>| match evaluate_into(
        &loss,
        batch,
        gradients,
        &Options::default(),
    ) {
        Err(Error::Shape { argument, .. }) => argument,
        other => panic!("{other:?}"),
    };
    let mut out = [vec![0.0; 4], Vec::new(), Vec::new()];
    let [some, none, nothing] = &mut out;
    let gradients = Gradients {
        queries: Some(add(some)),
        ..Gradients::default()
    };
    assert_eq!(refused(&given, gradients), "grad_queries");
    let gradients = Gradients {
        candidates: Some(add(&mut some[..1])),
        ..Gradients::default()
    };
    assert_eq!(refused(&given, gradients), "grad_candidates");
    let gradients = Gradients {
        second: Some((add(none), add(nothing))),
        ..Gradients::default()
    };
    assert_eq!(refused(&plain, gradients), "grad_second_queries");
    let gradients = Gradients {
        scores: Some((add(none), add(nothing))),
        ..Gradients::default()
    };
    assert_eq!(refused(&plain, gradients), "grad_positive_scores");
}
