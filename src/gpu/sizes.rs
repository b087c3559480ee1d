//! How a shape is cut: chunks of rows, pairs and columns, spans, pieces of tables, and the bytes
//! of every buffer of a plan. Pure arithmetic.
//!
//! What changes the bits (row chunks, spans) follows from the shape and the scratch budget alone;
//! what follows from the device's limits (row parts, pair chunks, column chunks, pieces) does not
//! change them. Whether scores are kept follows from both, and plans' IDs tell it.

mod budget;
mod bytes;
mod kept;
mod parts;

use budget::Budget;
pub use kept::Scores;
pub use parts::LaneTile;

use super::{Family, PlanOptions, Storage};
use crate::{
    ColumnKind, Shape,
    loss::{RowReduction, Spec},
};

/// Rows that a lane owns, and columns of a tile.
pub const TILE: u64 = 4;
/// Column chunks are multiples of this: of tiles, mask words and binding alignments.
pub const COLUMN_UNIT: u64 = 64;
/// Packed rows are multiples of this many vec4: what the tile loop unrolls.
pub const UNROLL: u64 = 4;
/// Widest packed row that the score tile keeps in registers, vec4: 64 numbers.
const RESIDENT_DIM4: u64 = 16;
/// Columns per block of the query product; chunks are multiples of it.
pub const PRODUCT_BLOCK: u64 = 256;
/// Packed rows per block of second moments, as in `moment_blocks`.
pub const MOMENT_BLOCK: u64 = 128;
/// Candidates of one block of their sum.
pub const TABLE_BLOCK: u64 = 256;
/// Pairs per block of a hierarchical sum.
pub const SUM_BLOCK: u64 = 256;
/// Invocations that share an item on GPUs, in the stages that import `teams`.
pub const TEAM: u64 = 8;
/// Mask words of four rows that an invocation counts.
pub const COUNT_WORDS: u64 = 64;
/// Rows per block of the candidates' product where blocks are apart; parts are multiples of it.
pub const ROW_BLOCK: u64 = 256;
/// Narrowest span of the row reduction on processors.
const MIN_SPAN: u64 = 1024;

/// The limits of a device that a plan depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest storage binding, bytes.
    pub max_binding: u64,
    /// Largest buffer, bytes.
    pub max_buffer: u64,
    /// Most workgroups per dimension.
    pub max_groups: u32,
    /// Whether shaders may load 64-bit integers.
    pub wide_loads: bool,
}

/// A part of a table that one binding holds: first row, number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// First row.
    pub begin: u64,
    /// Number of rows.
    pub count: u64,
}

/// A plan's cuts.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes {
    /// B, P, N or list length, D in vec4.
    pub rows: u64,
    /// P.
    pub pairs: u64,
    /// Columns before masks.
    pub columns: u64,
    /// Packed numbers of a row, vec4.
    pub dim4: u64,
    /// Packed row with its record, in quads of its numbers' type.
    pub stride: u64,
    /// Whether packed rows begin at multiples of two vec4, for stages to load two at once.
    pub wide_loads: bool,
    /// The second tables' `dim4`, 0 without.
    pub second_dim4: u64,
    /// Their packed stride, 0 without.
    pub second_stride: u64,
    /// Rows per chunk, a multiple of the family's row unit: those that one chain of additions runs over in a
    /// candidate's gradient.
    pub row_chunk: u64,
    /// Rows of a chunk that are packed at a time, a multiple of the row unit: all of them, unless a
    /// binding is too small.
    pub row_part: u64,
    /// Rows of all chunks, padded.
    pub row_total: u64,
    /// Pairs per chunk.
    pub pair_chunk: u64,
    /// Columns per packed chunk.
    pub column_chunk: u64,
    /// Whether second moments take the place of the score tile.
    pub moments: bool,
    /// Blocks of second moments that are held at a time.
    pub moment_blocks: u64,
    /// Candidates per chunk whose scores are counted for ranks.
    pub rank_chunk: u64,
    /// Keys per row that scores are counted above, where those are no columns' scores.
    pub keys: u64,
    /// Columns per weight chunk.
    pub weight_chunk: u64,
    /// Blocks of the query product that are held at a time.
    pub query_blocks: u64,
    /// The same of the candidates' product, where workgroups have one each; 0 where a workgroup adds
    /// up its own.
    pub candidate_blocks: u64,
    /// Columns per span.
    pub span_width: u64,
    /// Spans.
    pub spans: u64,
    /// Floats per partial statistic.
    pub statistic: u64,
    /// What has a statistic of its own: rows, or pairs where rows have several and z depends on t.
    pub units: u64,
    budget: Budget,
    storage: Storage,
    kept: bool,
    stored: bool,
    sampled: bool,
    shape: Shape,
    spec: Spec,
}

fn round_up(value: u64, unit: u64) -> u64 {
    value.div_ceil(unit) * unit
}

fn round_down(value: u64, unit: u64) -> u64 {
    (value / unit * unit).max(unit)
}

fn least_common_multiple(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

/// Whether second moments are to take the place of the score tile: where z is α·s², over all
/// columns, and D is small enough beside B for D × D numbers to be the smaller work.
#[must_use]
pub fn serves_moments(shape: &Shape, spec: &Spec) -> bool {
    spec.quadratic
        && spec.reduction == RowReduction::Sum
        && spec.second.is_none()
        && spec.thetas == 0
        && !spec.column_parameters
        && shape.columns == ColumnKind::All
        && shape.columns_per_class == 1
        && shape.dim <= 2 * shape.rows
}

impl Sizes {
    /// Cuts a shape.
    #[must_use]
    pub fn new(
        shape: &Shape,
        spec: &Spec,
        options: &PlanOptions,
        family: Family,
        limits: &Limits,
    ) -> Self {
        let sampled = matches!(shape.columns, ColumnKind::Sampled(_));
        let row_unit = family.row_unit(sampled);
        let (rows, pairs) = (shape.rows as u64, shape.pairs as u64);
        let columns = shape.columns() as u64;
        let dim4 = round_up((shape.dim as u64).div_ceil(4), UNROLL);
        let second_dim4 = shape
            .second_dim
            .map_or(0, |dim| round_up((dim as u64).div_ceil(4), UNROLL));
        let second_stride = match second_dim4 {
            0 => 0,
            numbers => numbers + options.storage.record(),
        };
        let wide_loads = Self::loads_wide(shape, options, family, limits, dim4);
        let least_stride = dim4 + options.storage.record();
        let stride = round_up(least_stride, if wide_loads { 2 } else { 1 });
        let budget = Budget::of(family, options.scratch(family));
        let share = budget.scratch / 16;
        // Given scores have no packed rows.
        let row_bytes = |stride| match shape.given {
            None => (stride + second_stride) * options.storage.quad_bytes(),
            Some(_) => 16,
        };
        // Caps hold with and without wide loads: chunks of rows change the bits.
        let capped = share / row_bytes(least_stride);
        let row_bytes = row_bytes(stride);
        let pair_cap = capped.clamp(row_unit, 4096);
        let pair_chunk = pairs
            .min(pair_cap)
            .min(limits.max_binding / row_bytes)
            .max(1);
        let mut row_cap = round_down(capped.min(4096), row_unit);
        let padded = round_up(columns, COLUMN_UNIT);
        if sampled {
            // Masks and packed columns of a row. Only a single group of rows has its slots in chunks.
            let per_row = padded / 8 + padded * row_bytes;
            row_cap = row_cap.min(round_down(budget.columns / per_row, row_unit));
        }
        let row_chunk = round_up(rows, row_unit).min(row_cap);
        // Of a row, what must fit one binding: sampled columns, or itself and the fewest weights.
        let bound = if sampled {
            padded * row_bytes
        } else {
            row_bytes.max(PRODUCT_BLOCK * 4)
        };
        let blocks = budget.candidate_blocks > 0 && !sampled;
        let part_unit = match blocks {
            true => least_common_multiple(row_unit, ROW_BLOCK),
            false => row_unit,
        };
        let row_part = row_chunk.min(round_down(limits.max_binding / bound, part_unit));
        let per_column = if sampled {
            row_part * row_bytes
        } else {
            row_bytes
        };
        let column_room = (budget.columns / (per_column + row_part / 8))
            .min(limits.max_binding / per_column)
            .min(limits.max_binding * 8 / row_part);
        // A class's sub-centres lie in one chunk.
        let whole = least_common_multiple(PRODUCT_BLOCK, shape.columns_per_class as u64);
        let chunk_unit = if sampled { COLUMN_UNIT } else { whole };
        let column_chunk = padded.min(round_down(column_room, chunk_unit));
        let rank_room = (share / 4).min(limits.max_binding / 16) / stride;
        let all = round_up(shape.candidates as u64, COLUMN_UNIT);
        let scratches = 1 + u64::from(spec.column_parameters) + u64::from(spec.second.is_some());
        let weight_bytes = row_part * 4 * scratches;
        let weight_room = budget.weights.min(limits.max_binding) / weight_bytes;
        let sum_bytes = dim4.max(second_dim4) * 16;
        let sum_room = budget.candidate_sums.min(limits.max_binding) / sum_bytes;
        let tiles = matches!(family, Family::Block { .. });
        let weight_unit = if tiles { whole } else { PRODUCT_BLOCK };
        let weight_chunk = match sampled {
            true => column_chunk,
            false => column_chunk.min(round_down(weight_room.min(sum_room), weight_unit)),
        };
        let row_units = spec.separable || !shape.many_positives;
        let units = if row_units {
            round_up(rows, row_chunk.min(row_unit))
        } else {
            pairs.max(1)
        };
        // Moments are read from f32.
        let moments = options.storage == Storage::F32 && serves_moments(shape, spec);
        // What else a score needs does not fit the registers of a tile.
        let more = !row_units || spec.second.is_some() || spec.learnt() > 1;
        let stored = tiles && !moments && (sampled || more);
        let max_spans = if moments { 1 } else { budget.spans(units) };
        let span_width = columns.div_ceil(max_spans).max(budget.least_span);
        let span_width = round_up(span_width, budget.span_unit);
        let full = rows / row_chunk * row_chunk;
        let row_total = full + round_up(rows - full, row_unit);
        let mut sizes = Sizes {
            rows,
            pairs,
            columns,
            dim4,
            stride,
            wide_loads,
            second_dim4,
            second_stride,
            row_chunk,
            row_part,
            row_total,
            pair_chunk,
            column_chunk,
            keys: 0,
            moments,
            moment_blocks: (share / 4).min(limits.max_binding / 16) / (dim4 * dim4 * 4).max(1) + 1,
            rank_chunk: all.min(round_down(rank_room, COLUMN_UNIT)),
            weight_chunk,
            query_blocks: 0,
            candidate_blocks: 0,
            span_width,
            spans: columns.div_ceil(span_width).max(1),
            statistic: if spec.learnt() > 0 || spec.second.is_some() {
                5 + spec.learnt() as u64
            } else {
                3
            },
            units: if row_units { row_total } else { pairs.max(1) },
            budget,
            storage: options.storage,
            kept: false,
            stored,
            sampled,
            shape: shape.clone(),
            spec: *spec,
        };
        sizes.hold_blocks(limits);
        sizes
    }
}
