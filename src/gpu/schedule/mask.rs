//! Masking columns.

use super::{Bind, Schedule};
use crate::ColumnKind;
use crate::gpu::{
    Family, Slot, Stage,
    job::{self, Job, flag},
};

impl Schedule<'_> {
    pub(super) fn mask(&mut self, job: Job) {
        let excluded = self.shape.excluded.is_some_and(|count| count > 0);
        let given = |slot: Slot| if excluded { slot } else { Slot::Nothing };
        let job = Job {
            flags: job.flags
                | flag(job::IDENTITY, !self.shape.indexed_rows)
                | flag(job::EXCLUDE, excluded)
                | flag(job::EXCLUDE_SELF, self.shape.exclude_self)
                | flag(job::KEEP_POSITIVES, self.shape.positives_in_columns)
                | flag(job::EXCLUDE_BY_QUERY, self.shape.exclude_by_query),
            ..job
        };
        let lists: [Bind; 3] = [
            self.row_ids().into(),
            given(Slot::ExcludeOffsets).into(),
            given(Slot::ExcludeIds).into(),
        ];
        let [rows, offsets, ids] = lists;
        let row_pad = u64::from(job.row_pad);
        let words = u64::from(job.column_pad / 32);
        // Given scores have no ids.
        if self.shape.given.is_some() {
            return self.clear_masks(job);
        }
        if self.sizes.sampled() {
            let binds = [
                rows,
                offsets,
                ids,
                Slot::ColumnIds.into(),
                Slot::PairOffsets.into(),
                Slot::PositiveIds.into(),
                Slot::Masks.into(),
            ];
            self.push_items(Stage::MaskSampled, &[], &binds, job, row_pad * words);
            return;
        }
        let mut binds = vec![
            rows,
            offsets,
            ids,
            Slot::PairOffsets.into(),
            Slot::PositiveIds.into(),
        ];
        let shared = self.shape.columns != ColumnKind::All;
        if shared {
            binds.extend([Bind::from(Slot::Heads), Bind::from(Slot::ColumnLinks)]);
        }
        binds.push(Slot::Masks.into());
        let flags: &[&str] = if shared { &["SHARED"] } else { &[] };
        self.clear_masks(job);
        self.push_items(Stage::Mask, flags, &binds, job, u64::from(job.row_count));
        if self.shape.columns_per_class > 1 {
            match self.family {
                Family::Block { tile, .. } => self.stored_centres(job, tile),
                _ => self.centre_masks(job),
            }
        }
    }

    fn clear_masks(&mut self, job: Job) {
        let words = u64::from(job.row_pad / 4) * u64::from(job.column_pad / 32);
        self.push_items(Stage::ClearMasks, &[], &[Slot::Masks.into()], job, words);
    }
}
