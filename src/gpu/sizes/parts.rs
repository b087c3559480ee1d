//! What follows from a plan's cuts: chunks, pieces, shapes of tiles.

use super::{Limits, MIN_SPAN, Piece, RESIDENT_DIM4, Sizes, TILE, least_common_multiple, round_up};
use crate::gpu::{Family, PlanOptions, Stage, Storage, TableLayout, family::NARROW, job::Job};
use crate::{ColumnKind, Error, Result, Shape, loss::RowReduction};

/// Rows of a chunk from which the queries' product takes large tiles, and columns from which the
/// candidates' does: there are enough workgroups then for a processor's cores.
const MANY: u32 = 512;
/// Columns of a workgroup of weights, few and many, and workgroups from which they are many.
const WEIGHT_SPANS: [u64; 2] = [256, 1024];
const MANY_GROUPS: u64 = 32;
/// Widest packed row that a tall tile keeps, vec4: 128 numbers.
const TALL_DIM4: u64 = 32;

/// The scores that a lane computes at a time: rows × (groups of columns).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneTile {
    /// Neighbouring rows.
    pub rows: u32,
    /// Columns that are broadcast from one load: of eight lanes or fewer.
    pub columns: u32,
    /// Groups of such columns.
    pub groups: u32,
    /// Whether the rows stay in registers.
    pub resident: bool,
}

impl LaneTile {
    /// Rows and columns are loaded as the D numbers pass by.
    pub const STREAMED: LaneTile = LaneTile {
        rows: TILE as u32,
        columns: 8,
        groups: 4,
        resident: false,
    };
    /// Many rows in registers and few columns: one where its numbers fill whole loads, for the code of
    /// the loop to stay within a processor's cache of instructions.
    pub const TALL: LaneTile = LaneTile {
        rows: 8,
        columns: 2,
        groups: 1,
        resident: true,
    };
    /// The four rows of a stored vec4, in one column.
    pub const QUAD: LaneTile = LaneTile {
        rows: TILE as u32,
        columns: 1,
        groups: 1,
        resident: false,
    };
}

/// What a workgroup of a product owns, and how much it takes up at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductTile {
    /// Rows of a lane in the queries' product, columns in the candidates'.
    pub own: u32,
    /// Columns at a time in the queries' product, rows in the candidates'.
    pub step: u32,
    /// Vec4 of the D numbers: all weights are loaded once for each workgroup's.
    pub parts: u64,
}

impl Sizes {
    /// Chunks of `count` in steps of `chunk`, each (first, number).
    pub fn chunks(count: u64, chunk: u64) -> impl Iterator<Item = (u64, u64)> {
        (0..count.div_ceil(chunk)).map(move |i| (i * chunk, chunk.min(count - i * chunk)))
    }

    /// Whether packed rows of `dim4` vec4 are padded for wide loads: where a load is a loop over few lanes;
    /// a GPU merges its lanes' loads anyway.
    pub(super) fn loads_wide(
        shape: &Shape,
        options: &PlanOptions,
        family: Family,
        limits: &Limits,
        dim4: u64,
    ) -> bool {
        limits.wide_loads
            && matches!(family, Family::Subgroup { lanes } if lanes <= NARROW)
            && options.storage == Storage::F32
            && shape.second_dim.is_none()
            && !matches!(shape.columns, ColumnKind::Sampled(_))
            && dim4.is_multiple_of(8)
    }

    /// The pieces of a table that fit a binding.
    ///
    /// # Errors
    /// 128 rows exceed the binding limit.
    pub fn pieces(
        rows: u64,
        table: TableLayout,
        limits: &Limits,
        what: &str,
    ) -> Result<Vec<Piece>> {
        let row_bytes = table.stride as u64 * if table.half { 2 } else { 4 };
        if rows * row_bytes <= limits.max_binding {
            return Ok(vec![Piece {
                begin: 0,
                count: rows,
            }]);
        }
        // 128 rows start at a multiple of 256 bytes, whatever the stride.
        let per_piece = limits.max_binding / row_bytes / 128 * 128;
        if per_piece == 0 {
            return Err(Error::TooLarge {
                what: format!("128 rows of {what} in one binding"),
                bytes: 128 * row_bytes,
                limit: limits.max_binding,
            });
        }
        Ok(Self::chunks(rows, per_piece)
            .map(|(begin, count)| Piece { begin, count })
            .collect())
    }

    /// Columns that a lane of `centre_masks` walks: whole mask words, and whole classes.
    #[must_use]
    pub fn centre_span(&self) -> u64 {
        round_up(MIN_SPAN, self.centre_stretch())
    }

    /// The fewest columns that are whole mask words, and whole classes.
    #[must_use]
    pub fn centre_stretch(&self) -> u64 {
        least_common_multiple(32, self.shape.columns_per_class as u64)
    }

    /// Segments of a sort of `count` entries.
    #[must_use]
    pub fn segments(count: u64) -> u64 {
        count.div_ceil(64).clamp(1, 1024)
    }

    /// Columns that one workgroup of the weights stage walks, where `across` of them share columns: where
    /// subgroups are narrow, as many as leave enough workgroups, for the rows that one loads first to
    /// weigh little.
    #[must_use]
    pub fn weight_span(job: &Job, across: u64, lanes: u32) -> u64 {
        let [least, most] = WEIGHT_SPANS;
        let groups = across * u64::from(job.weight_pad).div_ceil(most);
        if lanes <= NARROW && groups >= MANY_GROUPS {
            most
        } else {
            least
        }
    }

    /// The tile of a product's lane, `None` for other stages: large where subgroups are narrow and what
    /// lanes own makes enough workgroups.
    #[must_use]
    pub fn product_tile(stage: Stage, job: &Job, lanes: u32) -> Option<ProductTile> {
        let parts = Self::parts(u64::from(job.dim4));
        // Whole rows of 64 numbers, or their multiples: all weights are loaded once for as many.
        let wide = match job.dim4 % 16 {
            0 => 16,
            _ => parts,
        };
        let narrow = lanes <= NARROW;
        let (own, step, parts) = match stage {
            Stage::GradQueries if narrow && job.row_pad >= MANY => (8, 2, wide),
            Stage::GradQueries => (4, 8, parts),
            // Fewer rows at a time than for small tiles: the text stays short.
            Stage::GradCandidates if narrow && job.weight_pad >= MANY => (8, 4, wide),
            Stage::GradCandidates => (4, 8, parts),
            _ => return None,
        };
        Some(ProductTile { own, step, parts })
    }

    /// Vec4 of the D numbers that one workgroup of the products owns, of `dim4`.
    #[must_use]
    pub fn parts(dim4: u64) -> u64 {
        if dim4.is_multiple_of(8) { 8 } else { 4 }
    }

    /// The score tile of a lane. Rows stay in registers, all D numbers unrolled, where they are few
    /// enough for the text to stay short; streamed ones need wide tiles: loads bound them.
    #[must_use]
    pub fn tile(&self) -> LaneTile {
        if self.dim4 <= RESIDENT_DIM4 && self.second_dim4 == 0 && !self.sampled {
            return LaneTile {
                resident: true,
                groups: 1,
                ..LaneTile::STREAMED
            };
        }
        match self.spec.separable && self.second_dim4 == 0 {
            true => LaneTile::STREAMED,
            false => LaneTile {
                groups: 2,
                ..LaneTile::STREAMED
            },
        }
    }

    /// The same in the stages with a loss: tall where a subgroup is narrow, so that sums stay in
    /// registers and a loaded column serves many rows.
    #[must_use]
    pub fn loss_tile(&self, lanes: u32) -> LaneTile {
        let resident = self.second_dim4 == 0 && !self.sampled && self.dim4 <= TALL_DIM4;
        match resident && self.row_units() && lanes <= NARROW {
            true => LaneTile {
                columns: if self.dim4.is_multiple_of(8) { 1 } else { 2 },
                ..LaneTile::TALL
            },
            false => self.tile(),
        }
    }

    /// How packed rows are stored.
    #[must_use]
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// Whether the columns are sampled per row.
    #[must_use]
    pub fn sampled(&self) -> bool {
        self.sampled
    }

    /// Whether a row has one statistic: its z does not depend on the pair, or it has one pair.
    #[must_use]
    pub fn row_units(&self) -> bool {
        self.spec.separable || !self.shape.many_positives
    }

    /// Whether the reduction is a plain sum.
    #[must_use]
    pub fn is_sum(&self) -> bool {
        self.spec.reduction == RowReduction::Sum
    }
}
