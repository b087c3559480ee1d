//! How a caller's tables and buffers are described.

use super::slot::Slot;
use crate::{Error, Result, Shape};

/// How a table lies in its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableLayout {
    /// Elements between the starts of two rows.
    pub stride: usize,
    /// Whether elements are f16 (two per word), otherwise f32.
    pub half: bool,
}

/// How the tables of a batch, and their gradients, lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TableLayouts {
    /// The query table.
    pub queries: TableLayout,
    /// The candidate table.
    pub candidates: TableLayout,
    /// The second query table.
    pub second_queries: TableLayout,
    /// The second candidate table.
    pub second_candidates: TableLayout,
    /// The query table's gradient, f32. What lies between its rows is left alone.
    pub grad_queries: TableLayout,
    /// The candidate table's gradient, f32. What lies between its rows is left alone.
    pub grad_candidates: TableLayout,
    /// The second tables' gradients: dense.
    grad_second: TableLayout,
}

impl TableLayouts {
    /// Dense f32 tables.
    #[must_use]
    pub fn dense(shape: &Shape) -> Self {
        let dense = |stride: usize| TableLayout {
            stride,
            half: false,
        };
        let (first, second) = (dense(shape.dim), dense(shape.second_dim.unwrap_or(1)));
        TableLayouts {
            queries: first,
            candidates: first,
            second_queries: second,
            second_candidates: second,
            grad_queries: first,
            grad_candidates: first,
            grad_second: second,
        }
    }

    /// The layout of a caller's table.
    pub(super) fn of(&self, slot: Slot) -> TableLayout {
        match slot {
            Slot::QueryTable => self.queries,
            Slot::CandidateTable => self.candidates,
            Slot::SecondQueryTable => self.second_queries,
            Slot::SecondCandidateTable => self.second_candidates,
            Slot::GradQueries => self.grad_queries,
            Slot::GradSecondQueries | Slot::GradSecondCandidates => self.grad_second,
            _ => self.grad_candidates,
        }
    }

    /// Rows must not overlap, and gradients are f32.
    pub(super) fn check(&self, shape: &Shape) -> Result<()> {
        let second = shape.second_dim.unwrap_or(1);
        for (argument, layout, dim) in [
            ("queries", self.queries, shape.dim),
            ("candidates", self.candidates, shape.dim),
            ("adv_queries", self.second_queries, second),
            ("adv_candidates", self.second_candidates, second),
            ("grad_queries", self.grad_queries, shape.dim),
            ("grad_candidates", self.grad_candidates, shape.dim),
        ] {
            if layout.stride < dim {
                return Err(Error::Shape {
                    argument,
                    expected: format!("a row stride of at least the width {dim}"),
                    actual: layout.stride.to_string(),
                });
            }
            if layout.half && argument.starts_with("grad") {
                return Err(Error::Unsupported(format!("{argument}: gradients are f32")));
            }
        }
        Ok(())
    }
}

/// A range of a buffer. Offsets are multiples of the device's storage buffer alignment (at most
/// 256); `u32` lists are copied and need multiples of 4 only.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// The buffer.
    pub buffer: wgpu::Buffer,
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
}

impl Slice {
    /// The whole buffer.
    #[must_use]
    pub fn whole(buffer: &wgpu::Buffer) -> Self {
        Slice {
            buffer: buffer.clone(),
            offset: 0,
            size: buffer.size(),
        }
    }
}

/// Inputs and gradients on the device. Everything may be ranges of one buffer. Tables, weights,
/// upstream, `log_q` and exclusion lists need usage `STORAGE`, lists `COPY_SRC`, gradients
/// `STORAGE | COPY_DST`, results `COPY_DST`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buffers {
    /// U × D.
    pub queries: Option<Slice>,
    /// N × D.
    pub candidates: Option<Slice>,
    /// Second tables.
    pub second: Option<(Slice, Slice)>,
    /// B query ids, for a shape with `indexed_rows`.
    pub rows: Option<Slice>,
    /// P candidate ids.
    pub positives: Option<Slice>,
    /// B + 1 offsets, for a shape with `many_positives`.
    pub positive_offsets: Option<Slice>,
    /// Listed columns: K shared, or B × per-row sampled ids.
    pub columns: Option<Slice>,
    /// Exclusion lists: offsets and ids.
    pub exclude: Option<(Slice, Slice)>,
    /// N log probabilities.
    pub log_q: Option<Slice>,
    /// P weights.
    pub weights: Option<Slice>,
    /// P upstream gradients.
    pub upstream: Option<Slice>,
    /// θ, f32.
    pub theta: Option<Slice>,
    /// Numbers per batch row, or per query, row-major, for a shape with `row_parameters`.
    pub row_parameters: Option<Slice>,
    /// Where they go after the evaluation, as many, for a loss that renews them; usage `COPY_DST`
    /// too. The same range as `row_parameters` renews them in place.
    pub row_parameters_after: Option<Slice>,
    /// N numbers, for a shape with `column_parameters`.
    pub column_parameters: Option<Slice>,
    /// B × per-row numbers, for a shape with `entry_constants`.
    pub entry_constants: Option<Slice>,
    /// Given scores of the positives, B, in place of tables and positives.
    pub positive_scores: Option<Slice>,
    /// Given scores of the columns, B × per row.
    pub column_scores: Option<Slice>,
    /// A reference's scores of positives and columns.
    pub reference_scores: Option<(Slice, Slice)>,
    /// B, f32: the gradient of the given scores of positives.
    pub grad_positive_scores: Option<Slice>,
    /// B × per row, f32: the gradient of the given scores of columns.
    pub grad_column_scores: Option<Slice>,
    /// U × D, f32.
    pub grad_queries: Option<Slice>,
    /// N × D, f32.
    pub grad_candidates: Option<Slice>,
    /// U × the second tables' width, dense f32.
    pub grad_second_queries: Option<Slice>,
    /// N × the second tables' width, dense f32.
    pub grad_second_candidates: Option<Slice>,
    /// N, f32: the gradient of the column parameters.
    pub grad_column_parameters: Option<Slice>,
    /// Where the value goes, 4 bytes.
    pub value: Option<Slice>,
    /// Where the gradient of θ goes, as many f32 as there are θ; for a plan that has it.
    pub grad_theta: Option<Slice>,
    /// Where θ goes after the evaluation, as many f32, for a loss that renews it; the same range as
    /// `theta` renews it in place.
    pub theta_after: Option<Slice>,
    /// Where the whole evaluation's counts of ids out of range and of numbers that are not finite
    /// go, two `u32`.
    pub status: Option<Slice>,
}
