//! Where the block family's own texts run, and on how many workgroups.

use super::{Bind, Schedule};
use crate::gpu::{Block, Family, Stage, job::Job};

impl Schedule<'_> {
    /// The workgroup of a stage's block text; none where the other text runs: in other families, for
    /// columns of each row's own, and in the stages with a score tile where rows have several
    /// statistics, scores a second tile, or the loss more than one learnt scalar.
    pub(super) fn block_of(&self, stage: Stage, job: Job) -> Option<Block> {
        let Family::Block { tile, .. } = self.family else {
            return None;
        };
        if self.sizes.sampled() {
            return None;
        }
        let plain = self.sizes.row_units() && self.spec.second.is_none();
        match stage {
            Stage::RowReduce if plain && self.spec.learnt() <= 1 => Some(tile.scores()),
            Stage::Weights if plain => Some(tile.scores()),
            Stage::GradQueries | Stage::GradCandidates => Some(tile.product(job.dim4)),
            _ => None,
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
        if let Some(last) = self.list.last_mut() {
            last.block = Some(block);
        }
    }
}
