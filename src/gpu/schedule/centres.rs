//! Classes with several sub-centres: which candidate stands for its class.

use super::{Bind, Schedule, pack::layout_flags, u};
use crate::Result;
use crate::gpu::{
    Slot, Stage,
    job::{self, Job, flag},
    sizes::{Sizes, TILE},
};

impl Schedule<'_> {
    /// Positives from classes to candidates.
    pub(super) fn positive_centres(&mut self) -> Result<()> {
        let layout = self.layouts.of(Slot::CandidateTable);
        let candidates = self.shape.candidates as u64;
        let pieces = Sizes::pieces(candidates, layout, self.limits, "candidates")?;
        for rows in self.row_parts() {
            self.pack_queries(rows, false)?;
            for (at, piece) in pieces.iter().enumerate() {
                let job = self.row_job(rows);
                let job = Job {
                    table_begin: u(piece.begin),
                    table_count: u(piece.count),
                    table_stride: u(layout.stride as u64),
                    flags: job.flags
                        | flag(job::FIRST, at == 0)
                        | flag(job::LAST, at + 1 == pieces.len()),
                    ..job
                };
                let table = Bind {
                    slot: Slot::CandidateTable,
                    piece: Some(*piece),
                };
                let binds = [
                    table,
                    Slot::Queries.into(),
                    Slot::PairRows.into(),
                    Slot::PositiveIds.into(),
                    Slot::CentreScores.into(),
                    Slot::Status.into(),
                ];
                let flags = layout_flags(layout, job.dim);
                let pairs = self.sizes.pairs;
                self.push_items(Stage::PositiveCentres, &flags, &binds, job, pairs);
            }
        }
        Ok(())
    }

    /// Masks the sub-centres that do not stand for their class, in a column chunk.
    pub(super) fn centre_masks(&mut self, job: Job) {
        let span = self.sizes.centre_span();
        let binds = [Slot::Queries, Slot::Candidates, Slot::Masks].map(Bind::from);
        let rows = u64::from(job.row_pad) / (self.lanes() * TILE);
        let groups = rows * u64::from(job.column_pad).div_ceil(span);
        let flops = self.flops(u64::from(job.row_count), u64::from(job.column_count));
        let job = Job {
            span_width: u(span),
            ..job
        };
        self.push_tiles(Stage::CentreMasks, &[], &binds, job, groups, flops);
    }
}
