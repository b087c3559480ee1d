//! Scores that are kept between reduction and weights, against scores that are multiplied again.

use wgloss::{
    Batch, Matrix, Positives, Want,
    cpu::{Options, evaluate_with, scheme},
    loss::{Activation, Psl},
};

const ROWS: usize = 700;
const CANDIDATES: usize = 1_500;
const DIM: usize = 160;

fn numbers(count: usize, seed: usize) -> Vec<f32> {
    let number = |i: usize| ((i + seed) * 7919 % 1009) as f32 / 1009.0 - 0.5;
    (0..count).map(number).collect()
}

/// Two blocks of rows and many bands: the gradients are the same up to rounding.
#[test]
fn kept_scores_give_the_gradients_of_scores_computed_twice() {
    let (queries, candidates) = (numbers(ROWS * DIM, 0), numbers(CANDIDATES * DIM, 5));
    let positives: Vec<u32> = (0..ROWS).map(|i| (i * 7 % CANDIDATES) as u32).collect();
    let table = |name, numbers| Matrix::new(name, numbers, DIM).expect("a table");
    let batch = Batch::new(
        table("queries", &queries),
        table("candidates", &candidates),
        Positives::One(&positives),
    );
    let batch = batch.expect("a good batch");
    let loss = Psl::new(Activation::Tanh, 0.1);
    let [once, twice] = [32 << 20, 1 << 14].map(|scratch_bytes| {
        let options = Options {
            scratch_bytes,
            ..Options::default()
        };
        let scheme = scheme(&loss, &batch, Want::BOTH, &options).expect("a scheme");
        let output = evaluate_with::<f64>(&loss, &batch, Want::BOTH, &options);
        (scheme.name, output.expect("an evaluation"))
    });
    assert_eq!((once.0, twice.0), ("kept scores", "scores twice"));
    let gradients = |output: wgloss::Output<f64>| {
        let both = output
            .grad_queries
            .into_iter()
            .chain(output.grad_candidates);
        both.flatten().collect::<Vec<f64>>()
    };
    let (once, twice) = (gradients(once.1), gradients(twice.1));
    assert_eq!(once.len(), (ROWS + CANDIDATES) * DIM);
    let largest = twice.iter().fold(0.0_f64, |max, x| max.max(x.abs()));
    assert!(largest > 0.0);
    for (once, twice) in once.iter().zip(&twice) {
        assert!(
            (once - twice).abs() <= 1e-12 * largest,
            "{once} and {twice}"
        );
    }
}
