//! A plain product of matrices: the ceiling that steps are compared with.

use gemm::Parallelism;

/// A matrix in a slice: rows, columns, and how far apart two of them begin.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// The numbers.
    pub numbers: &'a [f32],
    /// Rows and columns.
    pub size: [usize; 2],
    /// Distance of rows and of columns.
    pub strides: [usize; 2],
}

impl<'a> Operand<'a> {
    /// Row after row, `columns` wide.
    #[must_use]
    pub fn rows(numbers: &'a [f32], columns: usize) -> Self {
        Operand {
            numbers,
            size: [numbers.len() / columns.max(1), columns],
            strides: [columns, 1],
        }
    }

    /// Rows as columns.
    #[must_use]
    pub fn transposed(self) -> Self {
        let ([rows, columns], [down, along]) = (self.size, self.strides);
        Operand {
            size: [columns, rows],
            strides: [along, down],
            ..self
        }
    }

    /// Whether every element lies within the slice.
    fn fits(&self) -> bool {
        let last = (self.size.iter().zip(self.strides)).map(|(size, stride)| (size - 1) * stride);
        last.sum::<usize>() < self.numbers.len()
    }
}

/// `out = scale · left · right`, `out` row after row, on all threads of the current rayon pool. It is
/// the product that the CPU path is made of.
///
/// # Panics
/// Where sizes do not fit each other or their slices, or one of them is 0.
pub fn product(out: &mut [f32], left: Operand<'_>, right: Operand<'_>, scale: f32) {
    let [rows, inner] = left.size;
    let columns = right.size[1];
    assert!(rows > 0 && inner > 0 && columns > 0 && inner == right.size[0]);
    assert!(out.len() == rows * columns && left.fits() && right.fits());
    let stride = |stride: usize| stride as isize;
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
            stride(columns),
            false,
            left.numbers.as_ptr(),
            stride(left.strides[1]),
            stride(left.strides[0]),
            right.numbers.as_ptr(),
            stride(right.strides[1]),
            stride(right.strides[0]),
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::Rayon(0),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_of_rows_and_columns() {
        let (left, right) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
        let mut out = [f32::NAN; 6];
        let transposed = Operand::rows(&right, 2).transposed();
        product(&mut out, Operand::rows(&left, 2), transposed, 0.5);
        assert_eq!(out, [8.5, 11.5, 14.5, 19.5, 26.5, 33.5]);
    }
}
