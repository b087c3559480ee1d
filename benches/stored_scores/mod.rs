//! A step as tensor operations have it: normalised copies, all scores, their weights, two products.
//!
//! It is leaner than what an automatic differentiation keeps: weights overwrite the scores, and the
//! gradients are projected in place. Products are those of the crate that wgloss uses on the CPU, on
//! all threads; exponentials and logarithms are wgloss's own, compiled for the processor's vectors.

use pulp::Arch;
use rayon::prelude::*;
use wgloss::{
    AnyLoss, Batch, Elements, Matrix, Output, Real,
    bench::{Operand, product},
    loss::Activation,
};

/// What stands for PSL's activation where it is 0, so that a logarithm of it is finite: its tenth
/// power and more are 0.
const LEAST_ACTIVATION: f32 = 1e-30;

/// What becomes of a row of cosines.
#[derive(Clone, Copy)]
pub enum Rows {
    /// SL.
    Sl { tau: f32 },
    /// PSL with `max(0, 1 + d)`.
    PslRelu { tau: f32, scale: f32 },
    /// ArcFace, its margin as it stands.
    ArcFace { scale: f32, margin: f32 },
}

impl Rows {
    /// Those of a loss, if they are written here.
    pub fn of(loss: &AnyLoss) -> Option<Rows> {
        match loss {
            AnyLoss::Sl(sl) => Some(Rows::Sl { tau: sl.tau as f32 }),
            AnyLoss::Psl(psl) if psl.activation == Activation::Relu => Some(Rows::PslRelu {
                tau: psl.tau as f32,
                scale: psl.score_scale as f32,
            }),
            AnyLoss::ArcFace(arc_face) => Some(Rows::ArcFace {
                scale: arc_face.scale as f32,
                margin: arc_face.margin as f32,
            }),
            _ => None,
        }
    }

    /// ℓ of a row of cosines, which become ∂value/∂cosine; each row weighs `share`.
    #[inline(always)]
    fn finish(self, cosines: &mut [f32], positive: usize, share: f32) -> f32 {
        let own = cosines[positive];
        match self {
            Rows::Sl { tau } => {
                cosines.iter_mut().for_each(|cosine| *cosine /= tau);
                cosines[positive] = f32::NEG_INFINITY;
                let sum = softmax(cosines, share / tau);
                cosines[positive] = -share / tau;
                sum - own / tau
            }
            Rows::PslRelu { tau, scale } => {
                let shift = 1.0 - scale * own;
                let activation = |cosine: f32| (scale * cosine + shift).max(LEAST_ACTIVATION);
                let slopes: Vec<f32> = (cosines.iter())
                    .map(|cosine| scale / (tau * activation(*cosine)))
                    .collect();
                for cosine in cosines.iter_mut() {
                    *cosine = Real::ln(activation(*cosine)) / tau;
                }
                cosines[positive] = f32::NEG_INFINITY;
                let sum = softmax(cosines, share);
                let mut total = 0.0_f64;
                for (cosine, slope) in cosines.iter_mut().zip(&slopes) {
                    *cosine *= slope;
                    total += f64::from(*cosine);
                }
                cosines[positive] = -total as f32;
                sum
            }
            Rows::ArcFace { scale, margin } => {
                let angle = own.clamp(-1.0, 1.0).acos();
                let target = scale * (angle + margin).cos();
                cosines.iter_mut().for_each(|cosine| *cosine *= scale);
                cosines[positive] = target;
                let sum = softmax(cosines, scale * share);
                let by_margin = (angle + margin).sin() / angle.sin();
                cosines[positive] = (cosines[positive] - scale * share) * by_margin;
                sum - target
            }
        }
    }
}

/// The log-sum-exp of a row, which becomes its softmax times `factor`.
#[inline(always)]
fn softmax(row: &mut [f32], factor: f32) -> f32 {
    let largest = row.iter().fold(f32::MIN, |most, x| most.max(*x));
    for x in row.iter_mut() {
        *x = Real::exp(*x - largest);
    }
    // In f64: a million terms in f32, one after the other, would lose digits.
    let sum: f64 = row.iter().map(|x| f64::from(*x)).sum();
    let factor = (f64::from(factor) / sum) as f32;
    row.iter_mut().for_each(|x| *x *= factor);
    largest + sum.ln() as f32
}

/// A batch, and room for the gradients.
pub struct StoredScores<'a> {
    rows: Rows,
    dim: usize,
    queries: &'a [f32],
    candidates: &'a [f32],
    positives: Vec<u32>,
    output: Output<f32>,
}

impl<'a> StoredScores<'a> {
    /// Of a batch of f32 tables whose rows read a query each and have a positive each.
    pub fn new(rows: Rows, batch: &Batch<'a>) -> Self {
        let numbers = |table: Matrix<'a>| match table.elements() {
            Elements::F32(numbers) => numbers,
            _ => panic!("tables are f32"),
        };
        let (queries, candidates) = (batch.query_table(), batch.candidate_table());
        let (dim, queries, candidates) = (queries.dim(), numbers(queries), numbers(candidates));
        StoredScores {
            rows,
            dim,
            queries,
            candidates,
            positives: batch.positive_ids().to_vec(),
            output: Output {
                grad_queries: Some(vec![0.0; queries.len()]),
                grad_candidates: Some(vec![0.0; candidates.len()]),
                ..Output::default()
            },
        }
    }

    /// Evaluates; value, row losses and gradients are left in the output.
    pub fn step(&mut self) -> &Output<f32> {
        let (dim, batch_rows) = (self.dim, self.positives.len());
        let columns = self.candidates.len() / dim;
        let (queries, query_lengths) = normalised(self.queries, dim);
        let (candidates, candidate_lengths) = normalised(self.candidates, dim);
        let by_query = Operand::rows(&queries, dim);
        let by_candidate = Operand::rows(&candidates, dim);
        let mut scores = vec![0.0; batch_rows * columns];
        product(&mut scores, by_query, by_candidate.transposed(), 1.0);
        let arch = Arch::new();
        let (rows, share) = (self.rows, 1.0 / batch_rows as f32);
        let pairs = scores.par_chunks_mut(columns).zip(&self.positives);
        let losses =
            pairs.map(|(row, own)| arch.dispatch(|| rows.finish(row, *own as usize, share)));
        let losses: Vec<f32> = losses.collect();
        // The scores are ∂value/∂cosine now.
        let weights = Operand::rows(&scores, columns);
        if let Some(out) = &mut self.output.grad_queries {
            product(out, weights, by_candidate, 1.0);
            across(out, &queries, &query_lengths, dim);
        }
        if let Some(out) = &mut self.output.grad_candidates {
            product(out, weights.transposed(), by_query, 1.0);
            across(out, &candidates, &candidate_lengths, dim);
        }
        self.output.value = losses.iter().sum::<f32>() * share;
        self.output.row_losses = losses;
        &self.output
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
