//! The same step as tensor operations have it: normalised copies, all logits, their softmax, two
//! products.
//!
//! It is leaner than what an automatic differentiation keeps: softmax and gradient overwrite the
//! logits, and the gradients are projected in place. Products are those of the crate that wgloss
//! uses on the CPU, on all threads, and so is the exponential.

use crate::{counted, data::Data, print_bytes};
use gemm::Parallelism;
use rayon::prelude::*;
use wgloss::Real;

/// Room for the gradients.
pub struct StoredLogits {
    pub grad_features: Vec<f32>,
    pub grad_classes: Vec<f32>,
}

impl StoredLogits {
    pub fn new(data: &Data) -> Self {
        StoredLogits {
            grad_features: vec![0.0; data.features.len()],
            grad_classes: vec![0.0; data.classes.len()],
        }
    }

    /// Runs once, and counts what that took.
    pub fn prepared(data: &Data) -> Self {
        let mut stored = StoredLogits::new(data);
        let (_, beyond) = counted::most_held(|| stored.step(data));
        print_bytes("stored_logits", beyond, "counted by the allocator");
        stored
    }

    /// The value; the gradients are left in their places.
    pub fn step(&mut self, data: &Data) -> f32 {
        let dim = data.dim;
        let (rows, classes) = (data.labels.len(), data.classes.len() / dim);
        let (features, lengths) = normalised(&data.features, dim);
        let (weights, weight_lengths) = normalised(&data.classes, dim);
        let mut logits = vec![0.0; rows * classes];
        let scale = data.loss.scale as f32;
        let features_by_row = (&features[..], dim, 1);
        product(
            &mut logits,
            [rows, dim, classes],
            features_by_row,
            (&weights, 1, dim),
            scale,
        );
        let labelled = logits.par_chunks_mut(classes).zip(&data.labels);
        let losses = labelled.map(|(row, label)| softmax(row, *label as usize, data, rows));
        let losses: Vec<f32> = losses.collect();
        // The logits are ∂value/∂cos now.
        let slopes = (&logits[..], classes, 1);
        product(
            &mut self.grad_features,
            [rows, classes, dim],
            slopes,
            (&weights, dim, 1),
            1.0,
        );
        let slopes = (&logits[..], 1, classes);
        product(
            &mut self.grad_classes,
            [classes, rows, dim],
            slopes,
            features_by_row,
            1.0,
        );
        across(&mut self.grad_features, &features, &lengths, dim);
        across(&mut self.grad_classes, &weights, &weight_lengths, dim);
        losses.iter().sum::<f32>() / rows as f32
    }
}

/// Rows at unit length, and their lengths.
fn normalised(table: &[f32], dim: usize) -> (Vec<f32>, Vec<f32>) {
    let mut copy = table.to_vec();
    let lengths = copy.par_chunks_mut(dim).map(|row| {
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter_mut().for_each(|x| *x /= length);
        length
    });
    let lengths = lengths.collect();
    (copy, lengths)
}

/// ℓ of a row of logits, which become ∂value/∂cos.
fn softmax(logits: &mut [f32], label: usize, data: &Data, rows: usize) -> f32 {
    let (scale, margin) = (data.loss.scale as f32, data.loss.margin as f32);
    let angle = (logits[label] / scale).clamp(-1.0, 1.0).acos();
    logits[label] = scale * (angle + margin).cos();
    let target = logits[label];
    let largest = logits.iter().fold(f32::MIN, |most, x| most.max(*x));
    for logit in logits.iter_mut() {
        *logit = Real::exp(*logit - largest);
    }
    // In f64: a million terms in f32, one after the other, would lose digits.
    let sum: f64 = logits.iter().map(|x| f64::from(*x)).sum();
    let factor = (f64::from(scale) / (rows as f64 * sum)) as f32;
    for logit in logits.iter_mut() {
        *logit *= factor;
    }
    let by_margin = (angle + margin).sin() / angle.sin();
    logits[label] = (logits[label] - scale / rows as f32) * by_margin;
    largest + sum.ln() as f32 - target
}

/// Rows of a gradient, less their part along the normalised rows, per length.
fn across(gradient: &mut [f32], units: &[f32], lengths: &[f32], dim: usize) {
    let rows = gradient.par_chunks_mut(dim).zip(units.par_chunks(dim));
    rows.zip(lengths).for_each(|((gradient, unit), length)| {
        let parts = gradient.iter().zip(unit);
        let along: f32 = parts.map(|(gradient, unit)| gradient * unit).sum();
        for (gradient, unit) in gradient.iter_mut().zip(unit) {
            *gradient = (*gradient - along * unit) / length;
        }
    });
}

/// A matrix: its numbers, and how far apart rows and columns are.
type View<'a> = (&'a [f32], usize, usize);

/// `out = scale · left · right`, `out` row after row; `[rows, inner, columns]`.
fn product(out: &mut [f32], size: [usize; 3], left: View<'_>, right: View<'_>, scale: f32) {
    let [rows, inner, columns] = size;
    let last = |(_, down, along): View<'_>, m: usize, n: usize| (m - 1) * down + (n - 1) * along;
    assert_eq!(out.len(), rows * columns);
    assert!(last(left, rows, inner) < left.0.len() && last(right, inner, columns) < right.0.len());
    #[expect(unsafe_code, reason = "the gemm crate takes pointers")]
    // SAFETY: the assertions bound every element that the strides reach, and `out` is borrowed
    // mutably, so it overlaps neither operand.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            columns as isize,
            false,
            left.0.as_ptr(),
            left.2 as isize,
            left.1 as isize,
            right.0.as_ptr(),
            right.2 as isize,
            right.1 as isize,
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::Rayon(0),
        );
    }
}
