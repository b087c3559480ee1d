//! What targets see of the whole batch, and θ that follows from it.

use super::{Bind, Schedule, u};
use crate::Result;
use crate::gpu::{
    Slot, Stage,
    job::{self, Job, flag},
    sizes::{SUM_BLOCK, TABLE_BLOCK},
};

impl Schedule<'_> {
    /// A pass over the pairs before all others: what the target sees of the whole batch.
    pub(super) fn batch_statistics(&mut self) -> Result<()> {
        let (mut flags, mut binds) = self.positive_inputs();
        flags.push("BATCH_VALUES");
        binds.push(Slot::BatchValues.into());
        let negatives = self.spec.negative_mean;
        if negatives {
            self.table_sum()?;
            flags.push("NEGATIVE_MEAN");
            binds.extend([Slot::TableSum, Slot::BatchNegatives].map(Bind::from));
        }
        for rows in self.row_parts() {
            self.pack_queries(rows, false)?;
            for pairs in self.pair_chunks() {
                let job = self.pack_positives(rows, pairs, false)?;
                self.push_items(Stage::PositiveScores, &flags, &binds, job, pairs.1);
            }
        }
        let (job, blocks) = (self.base(), self.sizes.pairs.div_ceil(SUM_BLOCK));
        let binds = [
            Slot::PairInputs,
            Slot::BatchValues,
            if negatives {
                Slot::BatchNegatives
            } else {
                Slot::Nothing
            },
            Slot::BatchBlocks,
        ];
        let flags: &[&str] = if negatives { &["NEGATIVE_MEAN"] } else { &[] };
        let binds = binds.map(Bind::from);
        self.push_items(Stage::BatchBlocks, flags, &binds, job, blocks);
        let binds = [Slot::BatchBlocks, Slot::BatchStatistics].map(Bind::from);
        self.push(Stage::BatchStatistics, &[], &binds, job, 1);
        if self.spec.theta_state {
            let binds = [Slot::BatchStatistics, Slot::ThetaAfter].map(Bind::from);
            self.push(Stage::ThetaState, &[], &binds, job, 1);
        }
        Ok(())
    }

    /// The sum of all candidates, as scores see them.
    fn table_sum(&mut self) -> Result<()> {
        for columns in self.column_chunks() {
            let job = self.pack_candidates((0, self.sizes.row_part), columns, Slot::Candidates)?;
            let blocks = columns.1.div_ceil(TABLE_BLOCK);
            let binds = [Slot::Candidates, Slot::TableBlocks].map(Bind::from);
            let items = blocks * self.sizes.dim4;
            self.push_items(Stage::TableBlocks, &[], &binds, job, items);
            let job = Job {
                item_count: u(blocks),
                flags: job.flags | flag(job::FIRST, columns.0 == 0),
                ..job
            };
            let binds = [Slot::TableBlocks, Slot::TableSum].map(Bind::from);
            self.push_items(Stage::TableSum, &[], &binds, job, self.sizes.dim4);
        }
        Ok(())
    }
}
