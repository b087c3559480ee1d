//! Tiles of the block family: what a workgroup computes through workgroup memory.

use super::{compose::Variant, job::Job};

/// Numbers of each side that an invocation of a block kernel owns.
const OWN: u32 = 8;
/// Workgroups that fill a large GPU.
const MANY: u32 = 512;
/// Steps of k that lie in workgroup memory at a time.
const STEPS: u32 = 16;
/// Bytes of workgroup memory that every device has.
const PORTABLE_BYTES: u32 = 16 << 10;

/// A tile of scores: rows × columns that one workgroup of the block family computes, 8 × 8 of them
/// per invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tile {
    /// 64 × 64, 64 invocations: the most workgroups, for small batches and small GPUs.
    Square64,
    /// 128 rows × 64 columns, 128 invocations.
    Tall,
    /// 128 × 128, 256 invocations: the least traffic.
    Square128,
}

impl Tile {
    /// All tiles.
    pub const ALL: [Tile; 3] = [Tile::Square64, Tile::Tall, Tile::Square128];

    /// Rows of the tile.
    #[must_use]
    pub fn rows(self) -> u32 {
        match self {
            Tile::Square64 => 64,
            Tile::Tall | Tile::Square128 => 128,
        }
    }

    /// Columns of the tile.
    #[must_use]
    pub fn columns(self) -> u32 {
        match self {
            Tile::Square64 | Tile::Tall => 64,
            Tile::Square128 => 128,
        }
    }

    /// The workgroup that computes a tile of scores.
    pub(super) fn scores(self) -> Block {
        Block {
            down: self.rows() / OWN,
            across: self.columns() / OWN,
            steps: STEPS,
        }
    }

    /// The same for weights, each tile of which has a workgroup that does nothing else: the least
    /// traffic, where that makes enough workgroups.
    pub(super) fn weights(self, job: Job) -> Block {
        let large = Tile::Square128.scores();
        let tiles = (job.row_pad / large.rows()) * (job.weight_pad / large.columns());
        match self {
            Tile::Tall if tiles >= MANY => large,
            _ => self.scores(),
        }
    }

    /// The same where rows keep statistics in registers: what is loaded at a time takes fewer of them.
    pub(super) fn reduced_scores(self) -> Block {
        Block {
            steps: STEPS / 2,
            ..self.scores()
        }
    }

    /// The workgroup that computes a tile of a product whose rows have `dim4` vec4: narrower ones
    /// where the rows are.
    pub(super) fn product(self, dim4: u32) -> Block {
        let across = self.columns() / OWN;
        let wanted = (dim4 * 4).div_ceil(OWN).next_power_of_two().max(4);
        Block {
            down: self.rows() / OWN,
            across: across.min(wanted),
            steps: STEPS,
        }
    }

    /// Whether a device has the workgroups and the workgroup memory for it.
    #[must_use]
    pub fn fits(self, limits: &wgpu::Limits) -> bool {
        let block = match self {
            Tile::Square64 => self.scores(),
            // Its weights take large tiles too.
            Tile::Tall | Tile::Square128 => Tile::Square128.scores(),
        };
        let threads = block.down * block.across;
        threads <= limits.max_compute_invocations_per_workgroup
            && threads <= limits.max_compute_workgroup_size_x
            && block.bytes() <= limits.max_compute_workgroup_storage_size
    }
}

/// A workgroup of a block kernel: down × across invocations, each with 8 × 8 numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Block {
    /// Invocations down the tile.
    pub down: u32,
    /// Invocations across the tile.
    pub across: u32,
    /// Most steps of k that lie in workgroup memory at a time.
    pub steps: u32,
}

impl Block {
    /// Rows of the tile.
    pub(super) fn rows(self) -> u32 {
        self.down * OWN
    }

    /// Columns of the tile.
    pub(super) fn columns(self) -> u32 {
        self.across * OWN
    }

    /// Tiles across rows of `dim4` vec4.
    pub(super) fn parts(self, dim4: u32) -> u32 {
        (dim4 * 4).div_ceil(self.columns())
    }

    /// Vec4 of a slab per step of k, each side one wider than the tile.
    fn pitch(self) -> u32 {
        (self.down + self.across) * 2 + 2
    }

    /// Steps of k that lie in workgroup memory at a time.
    fn slab(self) -> u32 {
        match self.steps * self.pitch() * 16 <= PORTABLE_BYTES {
            true => self.steps,
            false => STEPS / 2,
        }
    }

    /// Bytes of workgroup memory.
    fn bytes(self) -> u32 {
        self.slab() * self.pitch() * 16
    }

    /// Pieces of each invocation, of as many in a slab.
    fn pieces(self, all: u32) -> u32 {
        all.div_ceil(self.down * self.across)
    }

    /// Puts the numbers of its text in place of those of the other families.
    pub(super) fn put(self, variant: &mut Variant) {
        let held = self.slab() * self.pitch();
        // Rows of an invocation whose statistics the slab takes at a time.
        let merged = [8, 4, 2, 1].into_iter();
        let merged = merged
            .filter(|rows| rows * self.down * self.across <= held)
            .max()
            .unwrap_or(1);
        let own = [
            ("ROWS", OWN),
            ("COL_GROUPS", 1),
            ("ACROSS", self.across),
            ("DOWN", self.down),
            ("SLAB_STEPS", self.slab()),
            (
                "SCORE_PIECES",
                self.pieces((self.down + self.across) * 2 * (self.slab() / 4)),
            ),
            (
                "QUERY_PIECES",
                self.pieces((self.down + self.across) * 2 * self.slab()),
            ),
            (
                "WEIGHT_PIECES",
                self.pieces(self.down * 2 * (self.slab() / 4)),
            ),
            ("ROW_PIECES", self.pieces(self.across * 2 * self.slab())),
            ("MASK_WORDS", self.columns() / 32),
            ("MERGE_ROWS", merged),
            ("MERGE_ROUNDS", OWN / merged),
        ];
        variant
            .counts
            .retain(|(name, _)| own.iter().all(|(other, _)| name != other));
        variant.counts.extend(own);
        variant.flags.push("BLOCK");
    }
}
