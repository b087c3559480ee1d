//! Compact gradients of shared columns against the dense ones.

use crate::GPU;
use wgloss::{
    AnyLoss, Batch, Columns, IGNORED, Matrix, Output, Positives, Want, cpu,
    loss::{Activation, AdvInfoNce, ArcFace, Psl, Sl},
};

const DIM: usize = 6;
const CANDIDATES: usize = 40;
const POSITIVES: [u32; 5] = [3, 8, IGNORED, 39, 8];
const LISTED: [u32; 9] = [8, 5, 5, 21, 39, 0, 5, 30, 2];

fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let number = |at| (((at + 7) * seed) % 257) as f32 / 128.0 - 1.003;
    (0..count as u32).map(number).collect()
}

/// Rows of a compact gradient added up candidate by candidate.
fn scattered(compact: &[f64], dim: usize, ids: impl Iterator<Item = u32>) -> Vec<f64> {
    let mut dense = vec![0.0; CANDIDATES * dim];
    for (row, id) in compact.chunks(dim).zip(ids) {
        if id != IGNORED {
            for (sum, x) in dense[id as usize * dim..].iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
    dense
}

fn same(what: &str, actual: &[f64], expected: &[f64], error: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (actual, expected) in actual.iter().zip(expected) {
        let difference = (actual - expected).abs();
        assert!(difference < error, "{what}: {actual}, not {expected}");
    }
}

#[test]
fn compact_gradients_are_the_dense_ones_row_by_row() {
    let (queries, candidates) = (numbers(5 * DIM, 31), numbers(CANDIDATES * DIM, 53));
    let second = (numbers(5 * 4, 17), numbers(CANDIDATES * 4, 29));
    let matrix = |numbers, dim| Matrix::new("table", numbers, dim).expect("a table");
    let losses = [
        AnyLoss::Sl(Sl::new(0.3)),
        AnyLoss::Psl(Psl::new(Activation::Tanh, 0.3)),
        AnyLoss::ArcFace(ArcFace {
            scale: 4.0,
            ..ArcFace::default()
        }),
        AnyLoss::AdvInfoNce(AdvInfoNce::default()),
    ];
    for loss in losses {
        let loss = loss.as_dyn();
        let batch = Batch::new(
            matrix(&queries[..], DIM),
            matrix(&candidates[..], DIM),
            Positives::One(&POSITIVES),
        );
        let mut batch = (batch.expect("a batch"))
            .columns(Columns::Shared(&LISTED))
            .expect("columns");
        if loss.spec().second.is_some() {
            let (queries, candidates) = (matrix(&second.0[..], 4), matrix(&second.1[..], 4));
            batch = batch.second(queries, candidates).expect("second tables");
        }
        let compact = Want {
            compact: true,
            ..Want::BOTH
        };
        let run = |want| cpu::evaluate::<f64>(loss, &batch, want).expect("it evaluates");
        let dense = run(Want::BOTH);
        let on_gpu = GPU
            .evaluate_f64(loss, &batch, compact)
            .expect("it evaluates");
        for (what, output, error) in [("cpu", run(compact), 1e-12), ("gpu", on_gpu, 3e-5)] {
            agrees(&format!("{loss:?} on the {what}"), &output, &dense, error);
        }
    }
}

fn agrees(what: &str, output: &Output<f64>, dense: &Output<f64>, error: f64) {
    let ids = || LISTED.into_iter().chain(POSITIVES);
    let wanted = |gradient: &Option<Vec<f64>>| gradient.clone().expect("it is wanted");
    let rows = wanted(&output.grad_candidates);
    assert_eq!(rows.len(), (LISTED.len() + POSITIVES.len()) * DIM);
    let candidates = wanted(&dense.grad_candidates);
    same(what, &scattered(&rows, DIM, ids()), &candidates, error);
    let queries = wanted(&dense.grad_queries);
    same(what, &wanted(&output.grad_queries), &queries, error);
    if let Some(expected) = &dense.grad_second_candidates {
        let rows = wanted(&output.grad_second_candidates);
        same(
            what,
            &scattered(&rows, 4, LISTED.into_iter()),
            expected,
            error,
        );
    }
}

#[test]
fn other_columns_have_no_compact_gradients() {
    let (queries, candidates) = (numbers(2 * DIM, 31), numbers(CANDIDATES * DIM, 53));
    let batch = Batch::new(
        Matrix::new("queries", &queries, DIM).expect("queries"),
        Matrix::new("candidates", &candidates, DIM).expect("candidates"),
        Positives::One(&[0, 1]),
    );
    let want = Want {
        compact: true,
        ..Want::BOTH
    };
    let loss = Sl::new(0.1);
    let batch = batch.expect("a batch");
    let error = cpu::evaluate::<f64>(&loss, &batch, want).expect_err("all columns");
    assert!(error.to_string().contains("shared columns"), "{error}");
    let error = GPU.evaluate(&loss, &batch, want).expect_err("all columns");
    assert!(error.to_string().contains("shared columns"), "{error}");
}
