//! Each query's K-th largest score with any candidate.

use super::{Bind, Schedule, u};
use crate::Result;
use crate::gpu::{
    Slot, Stage,
    job::{self, Job, flag},
    sizes::Sizes,
};

/// Keys per row and pass: what four bits tell apart.
pub const KEYS: u64 = 15;

impl Schedule<'_> {
    /// The passes for every row of the table, into place `parameter` of its row parameters.
    ///
    /// # Errors
    /// A table that cannot be cut to the binding limit.
    pub fn build_kth_largest(&mut self, kth: u32, parameter: u32) -> Result<()> {
        let candidates = self.shape.candidates as u64;
        let chunks: Vec<_> = Sizes::chunks(candidates, self.sizes.column_chunk).collect();
        for rows in self.row_parts() {
            self.pack_queries(rows, true)?;
            let keyed = Job {
                per_row: u(KEYS),
                kth,
                parameter,
                ..self.row_job(rows)
            };
            self.kth_step(keyed, 32);
            let mut packed = None;
            for shift in (0..32).step_by(4).rev() {
                for chunk in &chunks {
                    let kept = packed.filter(|_| chunks.len() == 1);
                    let job = match kept {
                        Some(job) => job,
                        None => self.pack_candidates(rows, *chunk, Slot::Candidates)?,
                    };
                    packed = Some(job);
                    let job = Job {
                        per_row: keyed.per_row,
                        ..job
                    };
                    let again = kept.is_some();
                    self.rank_count(job, Slot::Candidates, false, again);
                }
                self.kth_step(keyed, shift);
            }
        }
        Ok(())
    }

    /// Takes in the counts of the digit at `shift`; 32 before the first.
    fn kth_step(&mut self, job: Job, shift: u32) {
        let binds = [
            Slot::KthLows,
            Slot::EntryKeys,
            Slot::EntryCounts,
            Slot::RowParametersAfter,
        ]
        .map(Bind::from);
        let job = Job {
            sort_shift: shift,
            flags: job.flags | flag(job::FIRST, shift == 32) | flag(job::LAST, shift == 0),
            ..job
        };
        let rows = u64::from(job.row_count);
        self.push_items(Stage::KthStep, &[], &binds, job, rows);
    }
}
