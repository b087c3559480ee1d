//! What the buffers of the scratch may take of it, by family.

use super::{COLUMN_UNIT, Limits, MIN_SPAN, PRODUCT_BLOCK, ROW_BLOCK, Sizes};
use crate::gpu::Family;

/// Weight chunks of processors aim at this many bytes, to stay in the last-level cache.
const CACHED_WEIGHTS: u64 = 8 << 20;

/// Bytes for buffers of the scratch, and how finely rows are reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    /// All of it.
    pub scratch: u64,
    /// Packed columns and their masks.
    pub columns: u64,
    /// The weights of a chunk.
    pub weights: u64,
    /// The candidates' sums of a chunk.
    pub candidate_sums: u64,
    /// Blocks of the queries' product.
    pub query_blocks: u64,
    /// Blocks of the candidates' product; 0 where workgroups add up their own.
    pub candidate_blocks: u64,
    /// Most partial statistics, and most of a row.
    partials: u64,
    most_spans: u64,
    /// Spans are a multiple of this many columns, at least one.
    pub span_unit: u64,
    pub least_span: u64,
}

impl Budget {
    /// GPUs want many workgroups in every dispatch, and few dispatches; processors want what a
    /// dispatch reads to be in the cache still.
    pub(super) fn of(family: Family, scratch: u64) -> Self {
        match family {
            Family::Block { .. } => Budget {
                scratch,
                columns: scratch / 4,
                weights: scratch / 32 * 7,
                candidate_sums: scratch / 16,
                query_blocks: scratch / 8,
                candidate_blocks: scratch / 8,
                partials: 1 << 18,
                most_spans: 1024,
                span_unit: PRODUCT_BLOCK,
                least_span: PRODUCT_BLOCK,
            },
            Family::Subgroup { .. } | Family::Plain { .. } => Budget {
                scratch,
                columns: scratch / 2,
                weights: (scratch / 4).min(CACHED_WEIGHTS),
                candidate_sums: u64::MAX,
                query_blocks: scratch / 16,
                candidate_blocks: 0,
                partials: 1 << 16,
                most_spans: 256,
                span_unit: COLUMN_UNIT,
                least_span: MIN_SPAN,
            },
        }
    }

    /// Most spans, where `units` have statistics of their own in each.
    pub fn spans(&self, units: u64) -> u64 {
        (self.partials / units.max(1)).clamp(1, self.most_spans)
    }
}

impl Sizes {
    /// Finds how many blocks of the products there is room for: none for columns of each row's own.
    pub(super) fn hold_blocks(&mut self, limits: &Limits) {
        if self.sampled {
            return;
        }
        let bytes = self.dim4.max(self.second_dim4) * 16;
        let held = |all: u64, room: u64, own: u64| match room {
            0 => 0,
            _ => all.min((room.min(limits.max_binding) / (own * bytes)).max(1)),
        };
        let blocks = self.weight_chunk.div_ceil(PRODUCT_BLOCK);
        self.query_blocks = held(blocks, self.budget.query_blocks, self.row_part);
        let blocks = self.row_part.div_ceil(ROW_BLOCK);
        self.candidate_blocks = held(blocks, self.budget.candidate_blocks, self.weight_chunk);
    }
}
