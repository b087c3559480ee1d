//! A borrowed matrix of embeddings.

use crate::{Error, Real, Result, shape::MAX_DIM};
use half::f16;

/// The numbers of a [`Matrix`], row-major.
#[derive(Clone, Copy, Debug)]
pub enum Elements<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Half precision; widened to f32 when read.
    F16(&'a [f16]),
    /// Double precision; for the reference. The GPU path refuses it.
    F64(&'a [f64]),
}

impl Elements<'_> {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Elements::F32(data) => data.len(),
            Elements::F16(data) => data.len(),
            Elements::F64(data) => data.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> From<&'a [f32]> for Elements<'a> {
    fn from(data: &'a [f32]) -> Self {
        Elements::F32(data)
    }
}

impl<'a> From<&'a Vec<f32>> for Elements<'a> {
    fn from(data: &'a Vec<f32>) -> Self {
        Elements::F32(data)
    }
}

impl<'a> From<&'a [f16]> for Elements<'a> {
    fn from(data: &'a [f16]) -> Self {
        Elements::F16(data)
    }
}

impl<'a> From<&'a [f64]> for Elements<'a> {
    fn from(data: &'a [f64]) -> Self {
        Elements::F64(data)
    }
}

/// A table of embeddings, rows × D, row r at `elements[r·stride ..][..D]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    elements: Elements<'a>,
    rows: usize,
    dim: usize,
    stride: usize,
}

impl<'a> Matrix<'a> {
    /// No rows, where scores are given in place of tables.
    pub(crate) fn none() -> Self {
        Matrix {
            elements: Elements::F32(&[]),
            rows: 0,
            dim: 1,
            stride: 1,
        }
    }

    /// A dense rows × D matrix; the number of rows follows from the length.
    ///
    /// # Errors
    /// D is not in 1..=1024, the length is not a positive multiple of D, or a number is not finite.
    pub fn new(
        argument: &'static str,
        elements: impl Into<Elements<'a>>,
        dim: usize,
    ) -> Result<Self> {
        Self::strided(argument, elements, dim, dim)
    }

    /// A matrix whose rows start `stride` elements apart; the last row may end early.
    ///
    /// # Errors
    /// As [`Matrix::new`], or a stride below D.
    pub fn strided(
        argument: &'static str,
        elements: impl Into<Elements<'a>>,
        dim: usize,
        stride: usize,
    ) -> Result<Self> {
        let elements = elements.into();
        let shape = |expected: String, actual: String| Error::Shape {
            argument,
            expected,
            actual,
        };
        if !(1..=MAX_DIM).contains(&dim) {
            return Err(shape(format!("a width of 1 to {MAX_DIM}"), dim.to_string()));
        }
        if stride < dim {
            return Err(shape(
                format!("a row stride of at least the width {dim}"),
                stride.to_string(),
            ));
        }
        // The last row needs no padding behind it.
        let padded = elements.len() + (stride - dim);
        if elements.is_empty()
            || !padded.is_multiple_of(stride) && !elements.len().is_multiple_of(stride)
        {
            return Err(shape(
                format!("whole rows of {dim} numbers, at least one, {stride} apart"),
                format!("{} numbers", elements.len()),
            ));
        }
        let matrix = Matrix {
            elements,
            rows: padded / stride,
            dim,
            stride,
        };
        matrix.check_finite(argument)?;
        Ok(matrix)
    }

    fn check_finite(&self, argument: &'static str) -> Result<()> {
        for row in 0..self.rows {
            let start = row * self.stride;
            let bad = match self.elements {
                Elements::F32(data) => find_bad(&data[start..start + self.dim], |x| f64::from(*x)),
                Elements::F16(data) => find_bad(&data[start..start + self.dim], |x| x.to_f64()),
                Elements::F64(data) => find_bad(&data[start..start + self.dim], |x| *x),
            };
            if let Some((at, value)) = bad {
                return Err(Error::NotFinite {
                    argument,
                    at: start + at,
                    value,
                });
            }
        }
        Ok(())
    }

    /// The numbers.
    #[must_use]
    pub fn elements(&self) -> Elements<'a> {
        self.elements
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// D.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Elements between the starts of two rows.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Copies row `row` into `out` (length D).
    pub fn read_row<R: Real>(&self, row: usize, out: &mut [R]) {
        let range = row * self.stride..row * self.stride + self.dim;
        match self.elements {
            Elements::F32(data) => widen(&data[range], out, |x| R::from_f32(*x)),
            Elements::F16(data) => widen(&data[range], out, |x| R::from_f32(x.to_f32())),
            Elements::F64(data) => widen(&data[range], out, |x| R::from_f64(*x)),
        }
    }
}

fn widen<T, R>(from: &[T], to: &mut [R], read: impl Fn(&T) -> R) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = read(from);
    }
}

fn find_bad<T>(row: &[T], read: impl Fn(&T) -> f64) -> Option<(usize, f64)> {
    row.iter()
        .map(read)
        .enumerate()
        .find(|(_, value)| !value.is_finite())
}
