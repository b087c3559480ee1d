//! Losses that use what no other one does: angles and batch statistics of dot products with the
//! functions that a loss may leave out, and a plain sum beside the second tile's log-sum.

use super::{
    GPU,
    device::{Run, full},
    numbers::{ids, numbers},
};
use wgloss::{
    ABSENT, Batch, Columns, DynLoss, Error, GivenScores, IGNORED, Lists, Loss, Matrix, Positives,
    Real, Result, Shape, Want,
    check::judge,
    cpu,
    gpu::PlanOptions,
    loss::{
        AdvInfoNce, Entry, Pair, Parameters, PositiveScore, Row, RowLoss, RowReduction, Score,
        SecondTile, Sl, Spec, Target,
    },
};

const DIM: usize = 6;

/// t sees the angle, which dot products do not have, the batch by its default, and a parameter of
/// the column that z does not see.
#[derive(Clone, Debug)]
struct Angles;

impl Loss for Angles {
    fn spec(&self) -> Spec {
        Spec {
            column_parameters: true,
            batch_statistics: true,
            ..Spec::log_sum_exp("angles", Score::Dot, 0.5)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        "fn loss_target(positive: PositiveScore) -> Target {
            let shift = positive.one_minus_cos + 2.0 * positive.one_plus_cos + positive.batch.x;
            return Target(positive.score + shift + positive.column, 1.0, 0.0, 0.0);
        }
        fn loss_target_column(positive: PositiveScore) -> f32 {
            return 1.0;
        }
        fn loss_pair(entry: Entry) -> Pair {
            return Pair(entry.score, 1.0, 0.0);
        }
        fn loss_row(row: Row) -> RowLoss {
            return RowLoss(row.sum - row.target_value, 1.0, -1.0);
        }"
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> Target<R> {
        let angles = positive.one_minus_cos + R::from_f64(2.0) * positive.one_plus_cos;
        Target {
            value: positive.score + angles + positive.batch.mean + positive.column,
            slope: R::ONE,
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    fn target_column<R: Real>(&self, _positive: PositiveScore<R>, _p: &Parameters<R>) -> R {
        R::ONE
    }

    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: entry.score,
            score_slope: R::ONE,
            target_slope: R::ZERO,
        }
    }

    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        RowLoss {
            value: row.sum - row.target,
            sum_slope: R::ONE,
            target_slope: -R::ONE,
        }
    }
}

/// `Σ_j s_j·r_j / n + LSE_j r_j − t`.
#[derive(Clone, Debug)]
struct SumAndSecond;

impl Loss for SumAndSecond {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            second: Some(SecondTile {
                score: Score::Cosine,
                log_sum: true,
            }),
            ..Spec::log_sum_exp("sum_and_second", Score::Cosine, 1.5)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        "fn loss_pair(entry: Entry) -> Pair {
            return Pair(entry.score * entry.second, entry.second, 0.0);
        }
        fn loss_pair_second(entry: Entry) -> f32 {
            return entry.score;
        }
        fn loss_row_second(row: Row) -> f32 {
            return 1.0;
        }
        fn loss_row(row: Row) -> RowLoss {
            let share = 1.0 / row.count;
            return RowLoss(share * row.sum + row.second_sum - row.target_value, share, -1.0);
        }"
    }

    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: entry.score * entry.second,
            score_slope: entry.second,
            target_slope: R::ZERO,
        }
    }

    fn pair_second<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> R {
        entry.score
    }

    fn row_second<R: Real>(&self, _row: Row<R>, _p: &Parameters<R>) -> R {
        R::ONE
    }

    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        let share = R::ONE / row.count;
        RowLoss {
            value: share * row.sum + row.second_sum - row.target,
            sum_slope: share,
            target_slope: -R::ONE,
        }
    }
}

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
fn a_plain_sum_beside_a_second_log_sum() {
    let tables = Tables::new();
    let (queries, candidates) = (numbers(9 * 5, 5), numbers(40 * 5, 6));
    let second = |batch: Batch<'_>| {
        let queries = Matrix::new("adv_queries", &queries, 5).expect("queries");
        let candidates = Matrix::new("adv_candidates", &candidates, 5).expect("candidates");
        agrees(
            &SumAndSecond,
            &batch.second(queries, candidates).expect("tables"),
        );
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
