//! Sums of squared scores over all candidates without a score tile, by second moments (the Gram
//! trick of whole-data factorisation): `Σ_j (x·y_j)² = xᵀKx` with `K = Σ_j y_j y_jᵀ`, less the few
//! columns that are masked. Gradients alike: `2Kx`, and `2Hy_j` with `H = Σ_b w_b x_b x_bᵀ`.

use super::{
    kernels::Beside,
    occurrences::Occurrences,
    problem::Problem,
    product::{CpuReal, View, product},
    statistic::Statistic,
    stretch::Stretch,
    tables::dot,
    tile::Block,
};
use crate::{
    Real,
    gpu::sizes::serves_moments,
    loss::{RowReduction, Target},
};
use rayon::prelude::*;

/// Rows of a table whose products with themselves one task sums.
const PART: usize = 1024;
/// Parts that are under way at a time.
const WAVE: usize = 16;

/// What takes the place of tiles for one evaluation.
pub(super) struct Moments<R> {
    /// α σ², z being α·(σ·x·y)².
    factor: f64,
    /// K, D × D.
    square: Vec<R>,
    /// H of the blocks so far.
    weighted: Vec<f64>,
}

impl<R: CpuReal> Moments<R> {
    /// Where they serve: z is α·s², over all columns.
    pub(super) fn new(problem: &Problem<'_, R>) -> Option<Self> {
        let spec = &problem.spec;
        if !serves_moments(&problem.shape, spec) {
            return None;
        }
        let dim = problem.shape.dim;
        let mut square = vec![0.0; dim * dim];
        let mut buffer = Vec::new();
        let columns = problem.shape.candidates;
        for start in (0..columns).step_by(PART * WAVE) {
            let end = (start + PART * WAVE).min(columns);
            let rows = problem.candidates.rows(start, end, &mut buffer);
            add_squares(rows, rows, dim, &mut square);
        }
        Some(Moments {
            factor: coefficient(problem) * spec.score_scale.powi(2),
            square: square.into_iter().map(R::from_f64).collect(),
            weighted: vec![0.0; dim * dim],
        })
    }

    /// The statistics of a block's rows.
    pub(super) fn reduce(&self, problem: &Problem<'_, R>, block: &Block<R>) -> Vec<Statistic<R>> {
        let dim = problem.shape.dim;
        let images = self.images(&block.queries, dim);
        let rows = (block.queries.par_chunks(dim)).zip(images.par_chunks(dim));
        rows.enumerate()
            .map_init(
                || vec![R::ZERO; dim],
                |buffer, (i, (query, image))| {
                    let masked = block.masks.of(i);
                    let own = masked.iter().map(|&column| {
                        let candidate = problem.candidates.row(column as usize, buffer);
                        dot(query, candidate).to_f64().powi(2)
                    });
                    let all = dot(query, image).to_f64() - own.sum::<f64>();
                    let mut statistic = Statistic::empty(RowReduction::Sum);
                    if masked.len() < problem.shape.candidates {
                        statistic.sum = self.factor * all;
                    }
                    statistic
                },
            )
            .collect()
    }

    /// The block's share of the gradients by unit vectors: of its queries (rows × D, if wanted), and
    /// of masked candidates; `weights` is ∂value/∂R of every row.
    pub(super) fn backward(
        &mut self,
        problem: &Problem<'_, R>,
        block: &Block<R>,
        weights: &[f64],
        queries: &mut [R],
        candidates: Option<&mut [R]>,
    ) {
        let dim = problem.shape.dim;
        if !queries.is_empty() {
            let images = self.images(&block.queries, dim);
            let rows = queries.par_chunks_mut(dim).zip(images.par_chunks(dim));
            rows.zip(weights).for_each(|((out, image), &weight)| {
                let factor = R::from_f64(2.0 * self.factor * weight);
                (out.iter_mut().zip(image)).for_each(|(out, &image)| *out = factor * image);
            });
        }
        let masked = self.masked(problem, block, weights);
        if !queries.is_empty() {
            masked.queries(problem, queries);
        }
        if let Some(out) = candidates {
            masked.candidates(&block.queries, dim, out);
            let scaled: Vec<R> = (block.queries.chunks(dim).zip(weights))
                .flat_map(|(query, &weight)| {
                    let weight = R::from_f64(weight);
                    query.iter().map(move |&x| weight * x)
                })
                .collect();
            add_squares(&scaled, &block.queries, dim, &mut self.weighted);
        }
    }

    /// Adds what all blocks gave to every candidate's gradient by its unit vector.
    pub(super) fn finish(&self, problem: &Problem<'_, R>, out: &mut [R]) {
        let dim = problem.shape.dim;
        let weighted: Vec<R> = self.weighted.iter().map(|&x| R::from_f64(x)).collect();
        let scale = R::from_f64(2.0 * self.factor);
        let mut buffer = Vec::new();
        for (wave, out) in out.chunks_mut(PART * WAVE * dim).enumerate() {
            let start = wave * PART * WAVE;
            let rows = problem
                .candidates
                .rows(start, start + out.len() / dim, &mut buffer);
            let parts = out
                .par_chunks_mut(PART * dim)
                .zip(rows.par_chunks(PART * dim));
            parts.for_each(|(out, rows)| {
                let rows = View::new(rows, rows.len() / dim, dim, dim);
                product(
                    out,
                    dim,
                    rows,
                    View::new(&weighted, dim, dim, dim),
                    scale,
                    true,
                );
            });
        }
    }

    /// Kx of every row.
    fn images(&self, queries: &[R], dim: usize) -> Vec<R> {
        let mut images = vec![R::ZERO; queries.len()];
        let parts = images
            .par_chunks_mut(64 * dim)
            .zip(queries.par_chunks(64 * dim));
        parts.for_each(|(images, queries)| {
            let rows = View::new(queries, queries.len() / dim, dim, dim);
            let square = View::new(&self.square, dim, dim, dim);
            product(images, dim, rows, square, R::ONE, false);
        });
        images
    }

    fn masked(&self, problem: &Problem<'_, R>, block: &Block<R>, weights: &[f64]) -> Masked<R> {
        let dim = problem.shape.dim;
        let mut buffer = vec![R::ZERO; dim];
        let mut masked = Masked::default();
        for (i, &weight) in weights.iter().enumerate() {
            let query = &block.queries[i * dim..][..dim];
            for &column in block.masks.of(i) {
                let candidate = problem.candidates.row(column as usize, &mut buffer);
                let slope = -2.0 * self.factor * weight * dot(query, candidate).to_f64();
                masked.columns.push(column);
                masked.rows.push(i);
                masked.slopes.push(R::from_f64(slope));
            }
        }
        masked
    }
}

/// The masked columns of a block's rows: what the moments have too much.
#[derive(Default)]
struct Masked<R> {
    columns: Vec<u32>,
    rows: Vec<usize>,
    /// ∂value/∂(x·y), to be added.
    slopes: Vec<R>,
}

impl<R: CpuReal> Masked<R> {
    fn queries(&self, problem: &Problem<'_, R>, out: &mut [R]) {
        let dim = problem.shape.dim;
        let mut buffer = vec![R::ZERO; dim];
        for ((&column, &row), &slope) in self.columns.iter().zip(&self.rows).zip(&self.slopes) {
            let candidate = problem.candidates.row(column as usize, &mut buffer);
            add_scaled(&mut out[row * dim..][..dim], slope, candidate);
        }
    }

    fn candidates(&self, queries: &[R], dim: usize, out: &mut [R]) {
        let places = Occurrences::new(self.columns.iter().copied(), out.len() / dim);
        let rows = out.par_chunks_mut(dim).enumerate().with_min_len(256);
        rows.for_each(|(id, out)| {
            for &place in places.of(id) {
                let query = &queries[self.rows[place as usize] * dim..][..dim];
                add_scaled(out, self.slopes[place as usize], query);
            }
        });
    }
}

fn add_scaled<R: Real>(sum: &mut [R], factor: R, vector: &[R]) {
    for (sum, &x) in sum.iter_mut().zip(vector) {
        *sum += factor * x;
    }
}

/// Adds `leftᵀ · right`, both rows × D: parts in single products, their sum in order.
fn add_squares<R: CpuReal>(left: &[R], right: &[R], dim: usize, sum: &mut [f64]) {
    let parts = left
        .par_chunks(PART * dim)
        .zip(right.par_chunks(PART * dim));
    let parts: Vec<Vec<R>> = parts
        .map(|(left, right)| {
            let rows = left.len() / dim;
            let mut part = vec![R::ZERO; dim * dim];
            let left = View::new(left, rows, dim, dim).transposed();
            product(
                &mut part,
                dim,
                left,
                View::new(right, rows, dim, dim),
                R::ONE,
                false,
            );
            part
        })
        .collect();
    for part in parts {
        for (sum, part) in sum.iter_mut().zip(part) {
            *sum += part.to_f64();
        }
    }
}

/// α: z of a score of 1.
fn coefficient<R: CpuReal>(problem: &Problem<'_, R>) -> f64 {
    let mut one = Statistic::empty(RowReduction::Sum);
    let nothing = Target {
        value: R::ZERO,
        slope: R::ZERO,
        norm_slope: R::ZERO,
        row_constant: R::ZERO,
    };
    let beside = Beside {
        second: &[],
        offsets: &[],
        columns: &[],
        constants: &[],
    };
    let setting = problem.setting();
    let stretch = &mut Stretch::default();
    (problem.kernels).reduce(setting, stretch, &[R::ONE], beside, &nothing, &mut one);
    one.sum
}
