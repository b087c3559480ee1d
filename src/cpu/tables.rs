//! Embedding tables as the engine reads them: rows of unit length under cosine.

use super::product::CpuReal;
use crate::{Matrix, Real, loss::Score};
use rayon::prelude::*;
use std::ops::Range;

/// Squared lengths outside this range lose digits; the row is then scaled before squaring.
const SAFE_SQUARES: std::ops::Range<f64> = 1e-250..1e250;

/// ‖row‖.
pub(super) fn norm(row: &[f64]) -> f64 {
    let squares = dot(row, row);
    if SAFE_SQUARES.contains(&squares) {
        return squares.sqrt();
    }
    let largest = row.iter().fold(0.0_f64, |max, x| max.max(x.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    largest
        * row
            .iter()
            .map(|x| (x / largest).powi(2))
            .sum::<f64>()
            .sqrt()
}

/// 1/‖row‖, or 0 for a row so short that this is no finite number.
pub(super) fn inverse(norm: f64) -> f64 {
    let inverse = 1.0 / norm;
    if inverse.is_finite() { inverse } else { 0.0 }
}

/// ⟨a, b⟩ in independent lanes.
#[inline(always)]
pub(super) fn dot<R: Real>(a: &[R], b: &[R]) -> R {
    const LANES: usize = 16;
    let mut lanes = [R::ZERO; LANES];
    let ((a_runs, a_tail), (b_runs, b_tail)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let tail: R = a_tail.iter().zip(b_tail).map(|(&x, &y)| x * y).sum();
    for (a, b) in a_runs.iter().zip(b_runs) {
        for (lane, (&x, &y)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += x * y;
        }
    }
    // Halving keeps this a few vector additions.
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0] + tail
}

/// Reads row `row`, times `factor`, rounded once.
pub(super) fn read_scaled<R: Real>(matrix: &Matrix<'_>, row: usize, factor: f64, out: &mut [R]) {
    matrix.read_row(row, out);
    if factor == 1.0 {
        return;
    }
    R::vectorized(
        #[inline(always)]
        || {
            for x in &mut *out {
                *x = R::from_f64(x.to_f64() * factor);
            }
        },
    );
}

/// The stage `inverse_norms`: what each row of the table is multiplied by; nothing for dot.
pub(super) fn inverse_norms(matrix: &Matrix<'_>, score: Score) -> Vec<f64> {
    if !score.unit_candidates() {
        return Vec::new();
    }
    (0..matrix.rows())
        .into_par_iter()
        .with_min_len(64)
        .map_init(
            || vec![0.0; matrix.dim()],
            |buffer, row| {
                matrix.read_row(row, buffer);
                inverse(norm(buffer))
            },
        )
        .collect()
}

/// The candidates of one tile: a table, the factor per row, and the columns' ids.
pub(super) struct Candidates<'a, R> {
    matrix: Matrix<'a>,
    factors: Vec<f64>,
    /// Candidate per column; `None` when column j is candidate j.
    ids: Option<&'a [u32]>,
    /// Every column's row, ready for products, if that is small enough to keep.
    whole: Option<Vec<R>>,
}

impl<'a, R: CpuReal> Candidates<'a, R> {
    /// Prepares the table; rows are copied at once if the copy takes at most `limit` bytes.
    pub(super) fn new(
        matrix: Matrix<'a>,
        score: Score,
        ids: Option<&'a [u32]>,
        limit: usize,
    ) -> Self {
        let mut candidates = Candidates {
            matrix,
            factors: inverse_norms(&matrix, score),
            ids,
            whole: None,
        };
        let numbers = candidates.columns() * matrix.dim();
        if numbers.saturating_mul(size_of::<R>()) <= limit {
            let mut whole = vec![R::ZERO; numbers];
            candidates.fill(0, &mut whole);
            candidates.whole = Some(whole);
        }
        candidates
    }

    pub(super) fn dim(&self) -> usize {
        self.matrix.dim()
    }

    /// Whether rows are taken to unit length.
    pub(super) fn are_unit(&self) -> bool {
        !self.factors.is_empty()
    }

    /// Whether every column's row is kept ready.
    pub(super) fn is_copied(&self) -> bool {
        self.whole.is_some()
    }

    fn columns(&self) -> usize {
        self.ids.map_or(self.matrix.rows(), <[u32]>::len)
    }

    /// Number of rows of the table that have no direction.
    pub(super) fn zero_rows(&self) -> u64 {
        self.factors.iter().filter(|&&factor| factor == 0.0).count() as u64
    }

    /// What row `id` of the table is multiplied by.
    pub(super) fn factor(&self, id: usize) -> f64 {
        self.factors.get(id).copied().unwrap_or(1.0)
    }

    /// Row `id` of the table in double precision, of unit length under cosine.
    pub(super) fn read_double(&self, id: usize, out: &mut [f64]) {
        read_scaled(&self.matrix, id, self.factor(id), out);
    }

    /// The rows of columns `start..end`, from the kept copy or through `buffer`.
    pub(super) fn rows<'s>(&'s self, start: usize, end: usize, buffer: &'s mut Vec<R>) -> &'s [R] {
        let dim = self.dim();
        if let Some(whole) = &self.whole {
            return &whole[start * dim..end * dim];
        }
        buffer.resize((end - start) * dim, R::ZERO);
        self.fill(start, buffer);
        buffer
    }

    /// As [`Candidates::rows`], on the calling thread alone.
    pub(super) fn stripe_rows<'s>(
        &'s self,
        columns: &Range<usize>,
        buffer: &'s mut Vec<R>,
    ) -> &'s [R] {
        let dim = self.dim();
        if let Some(whole) = &self.whole {
            return &whole[columns.start * dim..columns.end * dim];
        }
        buffer.resize(columns.len() * dim, R::ZERO);
        for (column, out) in columns.clone().zip(buffer.chunks_mut(dim)) {
            self.fill_row(column, out);
        }
        buffer
    }

    fn fill(&self, start: usize, out: &mut [R]) {
        let rows = out.par_chunks_mut(self.dim()).with_min_len(64).enumerate();
        rows.for_each(|(i, out)| self.fill_row(start + i, out));
    }

    fn fill_row(&self, column: usize, out: &mut [R]) {
        let id = self.ids.map_or(column, |ids| ids[column] as usize);
        read_scaled(&self.matrix, id, self.factor(id), out);
    }

    /// The row of one column, from the kept copy or through `buffer`, on the calling thread.
    #[inline]
    pub(super) fn row<'s>(&'s self, column: usize, buffer: &'s mut [R]) -> &'s [R] {
        let dim = self.dim();
        if let Some(whole) = &self.whole {
            return &whole[column * dim..(column + 1) * dim];
        }
        self.fill_row(column, buffer);
        buffer
    }
}
