//! The positives' own term in the gradients.

use super::{
    Schedule,
    backward::{at_piece, bound},
    u,
};
use crate::Result;
use crate::gpu::{Slot, Stage, job::Job};

impl Schedule<'_> {
    /// The chunks of pairs that rows may have pairs in.
    fn pair_chunks_of(&self, (begin, count): (u64, u64)) -> Vec<(u64, u64)> {
        let mut chunks = self.pair_chunks();
        if !self.shape.many_positives {
            chunks.retain(|pairs| pairs.0 < begin + count && begin < pairs.0 + pairs.1);
        }
        chunks
    }

    /// Has the pairs' candidates packed, if others may be.
    fn packed_positives(&mut self, rows: (u64, u64), pairs: (u64, u64)) -> Result<Job> {
        if self.pair_chunks().len() > 1 || self.row_parts().len() > 1 {
            return self.pack_positives(rows, pairs, false);
        }
        Ok(Job {
            pair_begin: u(pairs.0),
            pair_count: u(pairs.1),
            ..self.row_job(rows)
        })
    }

    pub(super) fn positive_queries(&mut self, rows: (u64, u64)) -> Result<()> {
        for pairs in self.pair_chunks_of(rows) {
            let job = self.packed_positives(rows, pairs)?;
            let binds = [
                Slot::Queries.into(),
                Slot::Positives.into(),
                Slot::PairOffsets.into(),
                Slot::PairScores.into(),
                Slot::PairGradients.into(),
                Slot::QuerySums.into(),
            ];
            let items = rows.1 * self.sizes.dim4;
            self.push_items(Stage::PositiveQueries, &[], &binds, job, items);
        }
        Ok(())
    }

    /// The positives' term in the candidate gradients, behind all others, whatever the chunks.
    pub(super) fn positive_candidates(&mut self) -> Result<()> {
        let parts = self.row_parts();
        for rows in &parts {
            if parts.len() > 1 {
                self.pack_queries(*rows, false)?;
            }
            for pairs in self.pair_chunks_of(*rows) {
                let job = self.packed_positives(*rows, pairs)?;
                self.positive_candidates_of(job)?;
            }
        }
        Ok(())
    }

    fn positive_candidates_of(&mut self, job: Job) -> Result<()> {
        for piece in self.grad_pieces(Slot::GradCandidates)? {
            let binds = [
                Slot::Queries.into(),
                Slot::Positives.into(),
                Slot::PairRows.into(),
                Slot::PositiveIds.into(),
                Slot::PositiveLinks.into(),
                Slot::PairScores.into(),
                Slot::PairGradients.into(),
                bound(Slot::GradCandidates, piece),
            ];
            let items = u64::from(job.pair_count) * self.sizes.dim4;
            let job = at_piece(self, job, Slot::GradCandidates, piece);
            self.push_items(Stage::PositiveCandidates, &[], &binds, job, items);
        }
        Ok(())
    }
}
