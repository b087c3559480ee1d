//! What is kept between reduction and backward pass, against scores that are multiplied again.

use wgloss::{
    Batch, DynLoss, Exclude, Lists, Matrix, Positives, Want,
    cpu::{Options, evaluate_with, scheme},
    loss::{Activation, ArcFace, Bpr, Psl, Sl},
};

const ROWS: usize = 700;
const CANDIDATES: usize = 1_500;
const DIM: usize = 160;

fn numbers(count: usize, seed: usize) -> Vec<f32> {
    let number = |i: usize| ((i + seed) * 7919 % 1009) as f32 / 1009.0 - 0.5;
    (0..count).map(number).collect()
}

/// Scheme, value and gradients, with room for what is kept and without.
fn both(loss: &dyn DynLoss, batch: &Batch<'_>) -> [(&'static str, f64, Vec<f64>); 2] {
    [8 << 20, 1 << 14].map(|scratch_bytes| {
        let options = Options {
            scratch_bytes,
            ..Options::default()
        };
        let scheme = scheme(loss, batch, Want::BOTH, &options).expect("a scheme");
        let output = evaluate_with::<f64>(loss, batch, Want::BOTH, &options);
        let output = output.expect("an evaluation");
        let tables = [output.grad_queries, output.grad_candidates];
        let gradients: Vec<f64> = tables.into_iter().flatten().flatten().collect();
        assert_eq!(gradients.len(), (ROWS + CANDIDATES) * DIM);
        (scheme.name, output.value, gradients)
    })
}

fn check(name: &str, loss: &dyn DynLoss, batch: &Batch<'_>) {
    let [(scheme, value, once), (other, expected, twice)] = both(loss, batch);
    assert_eq!((scheme, other), (name, "scores twice"));
    assert!((value - expected).abs() <= 1e-12 * expected.abs());
    let largest = twice.iter().fold(0.0_f64, |max, x| max.max(x.abs()));
    assert!(largest > 0.0);
    for (once, twice) in once.iter().zip(&twice) {
        assert!(
            (once - twice).abs() <= 1e-12 * largest,
            "{once} and {twice}"
        );
    }
}

/// Lists in compressed form: offsets and ids.
fn lists(rows: impl Iterator<Item = Vec<u32>>) -> (Vec<u32>, Vec<u32>) {
    let (mut ids, mut offsets) = (Vec::new(), vec![0]);
    for row in rows {
        ids.extend(row);
        offsets.push(u32::try_from(ids.len()).expect("a short list"));
    }
    (offsets, ids)
}

/// Several blocks of rows and many bands; columns that are masked, and a row without any others.
#[test]
fn what_is_kept_gives_the_gradients_of_scores_computed_twice() {
    let (queries, candidates) = (numbers(ROWS * DIM, 0), numbers(CANDIDATES * DIM, 5));
    let table = |name, numbers| Matrix::new(name, numbers, DIM).expect("a table");
    let place = |i: usize| u32::try_from(i % CANDIDATES).expect("a small id");
    let masked = lists((0..ROWS).map(|row| match row {
        3 => (0..CANDIDATES).map(place).collect(),
        _ => vec![place(row * 11), place(row * 13 + 400)],
    }));
    let several =
        lists((0..ROWS).map(|row| (0..1 + row % 3).map(|i| place(row * 7 + i)).collect()));
    let one: Vec<u32> = (0..ROWS).map(|row| place(row * 7)).collect();
    let batch = |positives| {
        let (queries, candidates) = (table("queries", &queries), table("candidates", &candidates));
        let batch = Batch::new(queries, candidates, positives).expect("a good batch");
        let (offsets, ids) = (&masked.0[..], &masked.1[..]);
        let exclude = Exclude::ByRow(Lists { offsets, ids });
        batch.exclude(exclude).expect("good lists")
    };
    let one = batch(Positives::One(&one));
    let (offsets, ids) = (&several.0[..], &several.1[..]);
    let several = batch(Positives::Many(Lists { offsets, ids }));
    let tanh = Psl::new(Activation::Tanh, 0.1);
    check("kept weights", &tanh, &one);
    check("kept weights", &Psl::new(Activation::Relu, 0.1), &one);
    check("kept weights", &ArcFace::default(), &one);
    check("kept weights", &Bpr::default(), &one);
    check("kept weights", &Sl::new(0.01), &several);
    check("kept scores", &tanh, &several);
}
