//! The gradient of the column parameters.

use super::{Bind, Schedule};
use crate::ColumnKind;
use crate::gpu::{
    Slot, Stage,
    job::{self, Job, flag},
};

impl Schedule<'_> {
    /// The gradient of the column parameters, as far as the weight chunk goes.
    pub(super) fn column_sums(&mut self, job: Job) {
        let all = self.shape.columns == ColumnKind::All;
        let given = |slot: Slot| if all { Slot::Nothing } else { slot };
        let binds = [
            Slot::ColumnSlopes,
            given(Slot::ColumnIds),
            given(Slot::ColumnLinks),
            Slot::GradColumnParameters,
        ]
        .map(Bind::from);
        let (stage, items) = if self.sizes.sampled() {
            (Stage::SampledColumnSums, job.row_count * job.column_count)
        } else {
            (Stage::ColumnSums, job.weight_count)
        };
        let job = Job {
            flags: job.flags | flag(job::IDENTITY, all),
            ..job
        };
        self.push_items(stage, &[], &binds, job, u64::from(items));
    }

    pub(super) fn positive_columns(&mut self) {
        let binds = [
            Slot::PositiveIds,
            Slot::PositiveLinks,
            Slot::PairScores,
            Slot::PairGradients,
            Slot::GradColumnParameters,
        ]
        .map(Bind::from);
        self.push_items(
            Stage::PositiveColumns,
            &[],
            &binds,
            self.base(),
            self.sizes.pairs,
        );
    }
}
