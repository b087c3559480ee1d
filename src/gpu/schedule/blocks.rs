//! Where the block family's own texts run, and on how many workgroups.

use super::{Bind, Schedule, products::Tables, u};
use crate::gpu::{
    Block, Family, Slot, Stage, Tile,
    job::{CONTINUED, FIRST, Job, flag},
    sizes::{PRODUCT_BLOCK, ROW_BLOCK, Sizes},
};

/// Widest rows, vec4, that small tiles of the queries' product suit: 128 numbers.
const NARROW: u32 = 32;

impl Schedule<'_> {
    /// The tile in which scores are stored for other stages to read; none in other families, and where
    /// the stages with a loss have tiles of their own.
    pub(super) fn stored_scores_tile(&self) -> Option<Tile> {
        match self.family {
            Family::Block { tile, .. } if self.sizes.stored() => Some(tile),
            _ => None,
        }
    }

    /// The workgroup of a stage's block text; none where another text runs: in other families, for
    /// columns of each row's own, and, of the stages with a loss, where they read stored scores.
    pub(super) fn block_of(&self, stage: Stage, job: Job) -> Option<Block> {
        let Family::Block { tile, .. } = self.family else {
            return None;
        };
        if self.sizes.sampled() {
            return None;
        }
        match stage {
            Stage::RowReduce | Stage::Weights if self.sizes.stored() => None,
            Stage::RowReduce => Some(tile.reduced_scores()),
            Stage::Weights => Some(tile.weights(job)),
            // Where rows are narrow, and of a chunk's columns, there are few tiles: small ones, so that
            // they fill a GPU.
            Stage::GradQueries if job.dim4 <= NARROW => Some(Tile::Square64.product(job.dim4)),
            Stage::GradQueries => Some(tile.product(job.dim4)),
            Stage::GradCandidates => Some(Tile::Square64.product(job.dim4)),
            _ => None,
        }
    }

    /// The query product, block by block of the chunk's columns: as many blocks at a time as the plan
    /// holds, then their sum.
    pub(super) fn query_blocks(&mut self, job: Job, tables: Tables, block: Option<Block>) {
        let stage = Stage::GradQueries;
        let tiles = match block {
            Some(block) => u64::from(job.row_pad / block.rows() * block.parts(job.dim4)),
            None => self.product_groups(stage, job, job.row_pad),
        };
        let all = u64::from(job.weight_pad).div_ceil(PRODUCT_BLOCK);
        for (begin, count) in Sizes::chunks(all, self.sizes.query_blocks) {
            let columns = (count * PRODUCT_BLOCK)
                .min(u64::from(job.weight_count).saturating_sub(begin * PRODUCT_BLOCK));
            let job = Job {
                item_begin: u(begin),
                item_count: u(count),
                flags: match begin {
                    0 => job.flags,
                    _ => job.flags & !FIRST,
                },
                ..job
            };
            let binds = [tables.weights(), Slot::Candidates, Slot::QueryBlocks].map(Bind::from);
            let flops = 2 * u64::from(job.row_count) * columns * u64::from(job.dim);
            self.push_tiles(stage, &[], &binds, job, tiles * count, flops);
            self.last_is(block);
            let binds = [Slot::QueryBlocks, tables.query_sums()].map(Bind::from);
            let items = u64::from(job.row_pad) * u64::from(job.dim4);
            self.push_items(Stage::QueryBlocks, &[], &binds, job, items);
        }
    }

    /// The candidates' product, block by block of the chunk's rows: as many blocks at a time as the
    /// plan holds, then their sum. A single block is the sum.
    pub(super) fn candidate_blocks(&mut self, job: Job, tables: Tables, block: Block) {
        let tiles = u64::from(job.weight_pad.div_ceil(block.rows()) * block.parts(job.dim4));
        let all = u64::from(job.row_pad).div_ceil(ROW_BLOCK);
        let alone = all == 1 && job.flags & CONTINUED == 0;
        let to = match alone {
            true => tables.candidate_sums(),
            false => Slot::CandidateBlocks,
        };
        for (begin, count) in Sizes::chunks(all, self.sizes.candidate_blocks) {
            let rows =
                (count * ROW_BLOCK).min(u64::from(job.row_count).saturating_sub(begin * ROW_BLOCK));
            let job = Job {
                item_begin: u(begin),
                item_count: u(count),
                flags: job.flags | flag(CONTINUED, begin > 0),
                ..job
            };
            let binds = [tables.weights(), Slot::Queries, to].map(Bind::from);
            let flops = 2 * rows * u64::from(job.weight_count) * u64::from(job.dim);
            let stage = Stage::GradCandidates;
            self.push_block(stage, (&[], &binds), job, block, tiles * count, flops);
            if !alone {
                let binds = [to, tables.candidate_sums()].map(Bind::from);
                let items = u64::from(job.weight_pad) * u64::from(job.dim4);
                self.push_items(Stage::CandidateBlocks, &[], &binds, job, items);
            }
        }
    }

    /// Tiles of the block family's text.
    pub(super) fn push_block(
        &mut self,
        stage: Stage,
        (flags, binds): (&[&'static str], &[Bind]),
        job: Job,
        block: Block,
        groups: u64,
        flops: u64,
    ) {
        self.push_tiles(stage, flags, binds, job, groups, flops);
        self.last_is(Some(block));
    }

    /// Says whether the last dispatch is of the block family's text.
    fn last_is(&mut self, block: Option<Block>) {
        if let Some(last) = self.list.last_mut() {
            last.block = block;
        }
    }
}
