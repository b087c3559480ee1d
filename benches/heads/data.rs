//! The inputs of the step, and how results are compared.

use wgloss::{Batch, Matrix, Output, Positives, loss::ArcFace};

/// The largest difference, as a share of the largest entry: an f32 logit of up to 64 is off by some
/// units of 2⁻¹⁸, and so is, as a share, its exponential; two implementations differ by twice that.
const TOLERANCE: f32 = 1e-4;

/// Random features and class weights, the same every time.
pub struct Data {
    pub dim: usize,
    pub features: Vec<f32>,
    pub classes: Vec<f32>,
    pub labels: Vec<u32>,
    pub loss: ArcFace,
}

impl Data {
    pub fn new([rows, classes, dim]: [usize; 3]) -> Data {
        let mut state = 1_u64;
        // A linear congruential generator; its upper bits are good enough here.
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state >> 40
        };
        let mut numbers = |count: usize| -> Vec<f32> {
            let number = |_| next() as f32 / (1 << 23) as f32 - 1.0;
            (0..count).map(number).collect()
        };
        Data {
            dim,
            features: numbers(rows * dim),
            classes: numbers(classes * dim),
            labels: (0..rows)
                .map(|_| (next() % classes as u64) as u32)
                .collect(),
            loss: ArcFace::default(),
        }
    }

    pub fn batch(&self) -> Batch<'_> {
        let features = Matrix::new("features", &self.features, self.dim).expect("a table");
        let classes = Matrix::new("classes", &self.classes, self.dim).expect("a table");
        Batch::new(features, classes, Positives::One(&self.labels)).expect("a batch")
    }
}

/// Panics where results differ from those of the ordinary step.
pub fn compare(stored: &Output<f32>, value: f32, grad_features: &[f32], grad_classes: &[f32]) {
    close("value", &[stored.value], &[value]);
    for (what, stored, other) in [
        ("grad_features", &stored.grad_queries, grad_features),
        ("grad_classes", &stored.grad_candidates, grad_classes),
    ] {
        close(what, stored.as_ref().expect("a gradient"), other);
    }
}

/// Panics where two results differ.
fn close(what: &str, one: &[f32], other: &[f32]) {
    assert_eq!(one.len(), other.len(), "{what}");
    let largest = one.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    for (one, other) in one.iter().zip(other) {
        // Written so that a NaN fails.
        let good = (one - other).abs() <= TOLERANCE * largest;
        assert!(good, "{what}: {one} and {other}");
    }
}
