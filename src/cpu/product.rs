//! Matrix products on slices.

use crate::{DynLoss, Real, cpu::Kernels};

/// The floats the CPU engine runs in: `f32` and `f64`.
pub trait CpuReal: Real + sealed::Sealed {
    /// The loss's functions over slices of this float.
    #[doc(hidden)]
    fn kernels(loss: &dyn DynLoss) -> &dyn Kernels<Self>;
}

/// Products exist for these two types alone.
mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl CpuReal for f32 {
    fn kernels(loss: &dyn DynLoss) -> &dyn Kernels<f32> {
        loss.single()
    }
}

impl CpuReal for f64 {
    fn kernels(loss: &dyn DynLoss) -> &dyn Kernels<f64> {
        loss.double()
    }
}

/// A matrix within a slice.
#[derive(Clone, Copy)]
pub(super) struct View<'a, R> {
    data: &'a [R],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, R> View<'a, R> {
    /// `rows` rows of `columns` numbers, `stride` apart.
    pub(super) fn new(data: &'a [R], rows: usize, columns: usize, stride: usize) -> Self {
        View {
            data,
            rows,
            columns,
            row_stride: stride,
            column_stride: 1,
        }
    }

    /// The same numbers, rows as columns.
    pub(super) fn transposed(self) -> Self {
        View {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Whether every element lies within the slice.
    fn fits(&self) -> bool {
        let last = self.rows.saturating_sub(1) * self.row_stride
            + self.columns.saturating_sub(1) * self.column_stride;
        self.rows == 0 || self.columns == 0 || last < self.data.len()
    }
}

/// `out = scale · left · right`, or `out += …` if `add`; `out` has rows `stride` apart. Runs on the
/// calling thread alone, so its bits do not depend on how many there are.
pub(super) fn product<R: CpuReal>(
    out: &mut [R],
    stride: usize,
    left: View<'_, R>,
    right: View<'_, R>,
    scale: R,
    add: bool,
) {
    let (m, n, k) = (left.rows, right.columns, left.columns);
    if m == 0 || n == 0 {
        return;
    }
    assert!(k == right.rows && left.fits() && right.fits());
    assert!(n <= stride && (m - 1) * stride + n <= out.len());
    let step = |stride: usize| stride as isize;
    #[expect(unsafe_code, reason = "the gemm crate takes pointers")]
    // SAFETY: the assertions above bound every element that the strides reach within `left.data`,
    // `right.data` and `out`; rows of `out` do not overlap, and `out` is borrowed mutably, so it
    // overlaps neither operand.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            step(stride),
            add,
            left.data.as_ptr(),
            step(left.column_stride),
            step(left.row_stride),
            right.data.as_ptr(),
            step(right.column_stride),
            step(right.row_stride),
            R::ONE,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
