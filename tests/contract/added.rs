//! Gradients that are added to others, and both sides' in one buffer.

use super::{
    device::{Run, full, gradients, narrow},
    losses::{Form, Wide},
    numbers::{ids, numbers, wide},
};
use wgloss::{
    Batch, Columns, DynLoss, GivenScores, Matrix, Positives, Want,
    gpu::PlanOptions,
    loss::{Activation, AdvInfoNce, Psl, Sl},
};

const DIM: usize = 12;
const ROWS: usize = 60;

/// Self-excluding rows against each other; positives among the columns too.
#[test]
fn both_sides_in_one_buffer() {
    let table = numbers(ROWS * DIM, 1);
    let positives: Vec<u32> = (0..ROWS as u32).map(|row| row ^ 1).collect();
    let matrix = |name| Matrix::new(name, &table, DIM).expect("a table");
    let batch = Batch::new(
        matrix("queries"),
        matrix("candidates"),
        Positives::One(&positives),
    );
    let batch = (batch.and_then(Batch::exclude_self))
        .and_then(Batch::positives_in_columns)
        .expect("a batch");
    let loss = Sl::new(0.2);
    for context in [full(), &narrow(64 << 10)] {
        let apart = Run::new(context, &loss, &batch, &PlanOptions::default());
        let apart = apart.from(f32::NAN).expect("it evaluates");
        let sides = gradients(&apart);
        let [(_, queries), (_, candidates)] = sides[..] else {
            panic!("two gradients");
        };
        for accumulate in [true, false] {
            let options = PlanOptions {
                accumulate,
                ..PlanOptions::default()
            };
            let mut run = Run::new(context, &loss, &batch, &options);
            run.buffers.grad_candidates = run.buffers.grad_queries.clone();
            // Cleared by the plan, unless it adds.
            let fill = if accumulate { 0.0 } else { f32::NAN };
            let both = run.from(fill).expect("it evaluates");
            let sum = both.grad_queries.expect("it is wanted");
            let size = sum.iter().fold(0f32, |max, x| max.max(x.abs()));
            for (sum, (q, c)) in sum.iter().zip(queries.iter().zip(candidates)) {
                // Each addition rounds once: sums over columns, positives, the other side.
                let error = (sum - (q + c)).abs();
                assert!(error <= 4.0 * f32::EPSILON * size, "{sum} is not {q} + {c}");
            }
            assert_eq!(both.grad_candidates, Some(sum));
        }
    }
}

/// Gradients start at 1 and grow by what they are otherwise; what starts as NaN and is not added to
/// is as if it had started at 0.
fn accumulates(loss: &dyn DynLoss, batch: &Batch<'_>) {
    let fresh = Run::new(full(), loss, batch, &PlanOptions::default());
    let zero = fresh.from(0.0).expect("it evaluates");
    let fresh = fresh.from(f32::NAN).expect("it evaluates");
    assert_eq!(gradients(&fresh), gradients(&zero), "{loss:?}");
    let options = PlanOptions {
        accumulate: true,
        want: Want::BOTH,
        ..PlanOptions::default()
    };
    let run = Run::new(full(), loss, batch, &options);
    let added = run.from(1.0).expect("it evaluates");
    let twice = run.again().expect("it evaluates");
    let both = gradients(&added).into_iter().zip(gradients(&fresh));
    for (((name, added), (_, fresh)), (_, twice)) in both.zip(gradients(&twice)) {
        assert!(fresh.iter().any(|x| *x != 0.0), "{loss:?}: {name}");
        for ((fresh, added), twice) in fresh.iter().zip(added).zip(twice) {
            let size = 1.0 + 2.0 * fresh.abs();
            for (sum, times) in [(added, 1.0), (twice, 2.0)] {
                let error = (sum - (1.0 + times * fresh)).abs();
                let most = 16.0 * f32::EPSILON * size;
                assert!(error <= most, "{loss:?}: {name}: {fresh} became {sum}");
            }
        }
    }
}

#[test]
fn everything_may_be_added_to() {
    let (queries, candidates) = (numbers(ROWS * DIM, 1), numbers(300 * DIM, 2));
    let positives = ids(ROWS, 300, 3);
    let batch = || {
        let queries = Matrix::new("queries", &queries, DIM).expect("queries");
        let candidates = Matrix::new("candidates", &candidates, DIM).expect("candidates");
        Batch::new(queries, candidates, Positives::One(&positives)).expect("a batch")
    };
    let (row_parameters, column_parameters) = (wide(&numbers(2 * ROWS, 4)), numbers(300, 5));
    let thresholds = (batch().row_parameters(&row_parameters, 2))
        .and_then(|batch| batch.column_parameters(&column_parameters));
    accumulates(&Wide(Form::Thresholds), &thresholds.expect("numbers"));
    let (sampled, constants) = (ids(ROWS * 5, 300, 6), numbers(ROWS * 5, 7));
    let columns = Columns::Sampled {
        ids: &sampled,
        per_row: 5,
    };
    let entries = (batch().columns(columns))
        .and_then(|batch| batch.entry_constants(&constants))
        .and_then(|batch| batch.row_parameters(&row_parameters, 2))
        .and_then(|batch| batch.column_parameters(&column_parameters));
    accumulates(&Wide(Form::Entries), &entries.expect("numbers"));
    let (second_queries, second_candidates) = (numbers(ROWS * 7, 8), numbers(300 * 7, 9));
    let second = batch().second(
        Matrix::new("adv_queries", &second_queries, 7).expect("queries"),
        Matrix::new("adv_candidates", &second_candidates, 7).expect("candidates"),
    );
    accumulates(&AdvInfoNce::default(), &second.expect("tables"));
    let centres: Vec<u32> = positives.iter().map(|id| id / 4).collect();
    let batch = Batch::new(
        Matrix::new("queries", &queries, DIM).expect("queries"),
        Matrix::new("candidates", &candidates, DIM).expect("candidates"),
        Positives::One(&centres),
    );
    let batch = batch.and_then(|batch| batch.columns_per_class(4));
    accumulates(&Sl::new(0.2), &batch.expect("sub-centres"));
    let (positives, columns) = (numbers(ROWS, 10), numbers(ROWS * 9, 11));
    let given = Batch::from_scores(GivenScores {
        positives: &positives,
        columns: &columns,
        per_row: 9,
        reference: None,
    });
    accumulates(&Psl::new(Activation::Tanh, 0.2), &given.expect("scores"));
}
