//! Sub-centres against the plain loss on the centres that stand for their classes.

use super::numbers::numbers;
use wgloss::{
    Batch, DynLoss, Exclude, Lists, Matrix, Positives, Reduction, Want, cpu,
    loss::{ArcFace, Score, Sl},
};

const DIM: usize = 5;
const ROWS: usize = 7;
const CLASSES: usize = 23;
const CENTRES: usize = 3;

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(x, y)| f64::from(*x) * f64::from(*y))
        .sum()
}

/// Of every class, the centre that scores best with the query.
fn best(query: &[f32], candidates: &[f32], score: Score) -> Vec<usize> {
    let of = |id: &usize| {
        let candidate = &candidates[id * DIM..(id + 1) * DIM];
        let norm = match score {
            Score::Dot => 1.0,
            _ => dot(candidate, candidate).sqrt(),
        };
        dot(query, candidate) / norm
    };
    (0..CLASSES)
        .map(|class| {
            let ids = class * CENTRES..(class + 1) * CENTRES;
            ids.reduce(|best, id| if of(&id) > of(&best) { id } else { best })
                .expect("there are centres")
        })
        .collect()
}

#[test]
fn sub_centres_are_the_plain_loss_on_the_best_of_them() {
    let dot_product = Sl {
        score: Score::Dot,
        ..Sl::new(0.7)
    };
    let losses: [&dyn DynLoss; 3] = [&Sl::new(0.2), &ArcFace::default(), &dot_product];
    let queries = numbers(ROWS * DIM, 1);
    let candidates = numbers(CLASSES * CENTRES * DIM, 2);
    let positives: Vec<u32> = (0..ROWS as u32).map(|row| row * 3 % 20).collect();
    let excluded = [4, 4, 21];
    let offsets: Vec<u32> = (0..=ROWS).map(|row| if row > 2 { 3 } else { 0 }).collect();
    for loss in losses {
        let batch = Batch::new(
            Matrix::new("queries", &queries, DIM).expect("queries"),
            Matrix::new("candidates", &candidates, DIM).expect("candidates"),
            Positives::One(&positives),
        );
        let exclude = Exclude::ByRow(Lists {
            offsets: &offsets,
            ids: &excluded,
        });
        let batch = (batch.expect("a batch"))
            .columns_per_class(CENTRES)
            .and_then(|batch| batch.exclude(exclude))
            .and_then(|batch| batch.reduction(Reduction::Sum))
            .expect("sub-centres");
        let actual = cpu::evaluate::<f64>(loss, &batch, Want::BOTH).expect("it evaluates");
        let mut value = 0.0;
        let mut gradient = vec![0.0; candidates.len()];
        for row in 0..ROWS {
            let query = &queries[row * DIM..(row + 1) * DIM];
            let ids = best(query, &candidates, loss.spec().score);
            let of = |id: &usize| &candidates[id * DIM..(id + 1) * DIM];
            let own: Vec<f32> = ids.iter().flat_map(of).copied().collect();
            let batch = Batch::new(
                Matrix::new("queries", query, DIM).expect("a query"),
                Matrix::new("candidates", &own, DIM).expect("candidates"),
                Positives::One(&positives[row..=row]),
            );
            let listed = if row == 2 { &excluded[..] } else { &[] };
            let offsets = [0, listed.len() as u32];
            let exclude = Exclude::ByRow(Lists {
                offsets: &offsets,
                ids: listed,
            });
            let batch = batch
                .and_then(|batch| batch.exclude(exclude))
                .expect("a batch");
            let plain = cpu::evaluate::<f64>(loss, &batch, Want::BOTH).expect("it evaluates");
            value += plain.value;
            let own = plain.grad_candidates.expect("it is wanted");
            for (id, own) in ids.iter().zip(own.chunks(DIM)) {
                for (sum, x) in gradient[id * DIM..].iter_mut().zip(own) {
                    *sum += x;
                }
            }
        }
        assert!((actual.value - value).abs() < 1e-12, "{loss:?}");
        let actual = actual.grad_candidates.expect("it is wanted");
        for (actual, expected) in actual.iter().zip(&gradient) {
            assert!(
                (actual - expected).abs() < 1e-12,
                "{loss:?}: {actual}, {expected}"
            );
        }
    }
}
