//! What a memory of samples holds, and what is compared with it.

use crate::numbers;
use wgloss::{
    Batch, Columns, Elements, IGNORED, Matrix, Output, Positives, Want, cpu, heads::SampleMemory,
    loss::Uss,
};

const DIM: usize = 3;

fn matrix(numbers: &[f32]) -> Matrix<'_> {
    Matrix::new("features", numbers, DIM).expect("a table")
}

fn memory(classes: usize) -> SampleMemory {
    SampleMemory::new(classes, DIM).expect("a memory")
}

fn row(memory: &SampleMemory, class: usize) -> &[f32] {
    match memory.matrix().expect("it was written").elements() {
        Elements::F32(numbers) => &numbers[class * DIM..][..DIM],
        other => panic!("f32, not {other:?}"),
    }
}

#[test]
fn the_last_row_of_a_label_stays() {
    let features = numbers(5 * DIM, 1);
    let labels = [4, 1, 4, IGNORED, 1];
    let mut first = memory(6);
    first.write(&labels, matrix(&features)).expect("it fits");
    assert_eq!(first.written(), [1, 4]);
    assert_eq!(row(&first, 4), &features[2 * DIM..3 * DIM]);
    assert_eq!(row(&first, 1), &features[4 * DIM..]);
    assert_eq!(row(&first, 0), [0.0; DIM]);
    let more = numbers(2 * DIM, 9);
    first.write(&[0, 4], matrix(&more)).expect("it fits");
    assert_eq!(first.written(), [0, 1, 4]);
    assert_eq!(row(&first, 4), &more[DIM..]);
    assert_eq!(row(&first, 1), &features[4 * DIM..]);
}

/// The loss with a part of the memory written is that over a table of that part alone.
#[test]
fn what_was_never_written_is_no_column() {
    let (before, features) = (numbers(4 * DIM, 2), numbers(3 * DIM, 5));
    let (written, labels) = ([5, 2, 0, 7], [7, 2, 7]);
    let mut memory = memory(9);
    memory.write(&written, matrix(&before)).expect("it fits");
    assert!(matches!(memory.columns(), Columns::Shared([0, 2, 5, 7])));
    let batch = memory.batch(matrix(&features), &labels).expect("written");
    let table: Vec<f32> = [2, 1, 0, 3]
        .into_iter()
        .flat_map(|at| &before[at * DIM..][..DIM])
        .copied()
        .collect();
    let alone = Batch::new(
        matrix(&features),
        matrix(&table),
        Positives::One(&[3, 1, 3]),
    );
    let run = |batch: &Batch<'_>| -> Output<f64> {
        let batch = batch.clone().theta(&[1.5]).expect("a threshold");
        let want = Want {
            candidates: false,
            ..Want::BOTH
        };
        let loss = Uss {
            scale: 8.0,
            ..Uss::default()
        };
        cpu::evaluate(&loss, &batch, want).expect("it evaluates")
    };
    let (with, without) = (run(&batch), run(&alone.expect("a batch")));
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a}, not {b}");
    close(with.value, without.value);
    close(with.grad_theta[0], without.grad_theta[0]);
    let gradient = |output: &Output<f64>| output.grad_queries.clone().expect("it is wanted");
    for (with, without) in gradient(&with).into_iter().zip(gradient(&without)) {
        close(with, without);
    }
    assert!(with.value > 0.1 && with.grad_candidates.is_none());
}

#[test]
fn a_whole_memory_is_all_columns() {
    let features = numbers(2 * DIM, 4);
    let mut memory = memory(2);
    memory
        .write(&[1], matrix(&features[..DIM]))
        .expect("it fits");
    assert!(matches!(memory.columns(), Columns::Shared([1])));
    memory.write(&[0, 1], matrix(&features)).expect("it fits");
    assert!(matches!(memory.columns(), Columns::All));
    assert!(memory.is_written(1) && !memory.is_written(2));
}

#[test]
fn what_is_read_unwritten_or_written_astray_is_named() {
    let features = numbers(2 * DIM, 4);
    let mut memory = memory(4);
    let error = memory.batch(matrix(&features), &[0, 1]).map(|_| ());
    let text = "sample memory: expected features of at least one identity, got none: nothing was \
                written yet";
    assert_eq!(error.expect_err("empty").to_string(), text);
    memory
        .write(&[2, IGNORED], matrix(&features))
        .expect("it fits");
    let error = memory.batch(matrix(&features), &[2, 3]).map(|_| ());
    let text = "sample memory: expected a feature of identity 3, labels[1], got none: it was never written";
    assert_eq!(error.expect_err("unwritten").to_string(), text);
    assert!(memory.batch(matrix(&features), &[2, IGNORED]).is_ok());
    let kept = memory.clone();
    let error = memory
        .write(&[1, 4], matrix(&features))
        .expect_err("no such class");
    let text = "labels[1]: id 4 is out of range, the table has 4 rows";
    assert_eq!(error.to_string(), text);
    let error = memory.write(&[1], matrix(&features)).expect_err("two rows");
    let text = "features: expected 1 rows of 3 numbers, one per label, got 2 rows of 3";
    assert_eq!(error.to_string(), text);
    assert_eq!(memory, kept);
    assert!(SampleMemory::new(0, 3).is_err() && SampleMemory::new(3, 0).is_err());
}
