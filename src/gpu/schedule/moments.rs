//! Second moments in place of the score tile, for losses whose z is a multiple of s².

use super::{Bind, Schedule, products::Tables, u};
use crate::Result;
use crate::gpu::{
    Slot, Stage,
    job::{self, Job, flag},
    sizes::{MOMENT_BLOCK, Sizes},
};

impl Schedule<'_> {
    /// K, the candidates' second moments.
    pub(super) fn square_moments(&mut self) -> Result<()> {
        for columns in self.column_chunks() {
            let job = self.pack_candidates((0, self.sizes.row_part), columns, Slot::Candidates)?;
            let job = Job {
                item_begin: 0,
                item_count: job.column_count,
                ..job
            };
            let moments = [Slot::Candidates, Slot::SquareMoments];
            self.moments(job, moments, columns.0 == 0, None);
        }
        Ok(())
    }

    /// Adds the second moments of a job's packed rows to what is there, unless they are the `first`.
    fn moments(&mut self, job: Job, [rows, to]: [Slot; 2], first: bool, weights: Option<Slot>) {
        let count = u64::from(job.item_count);
        let squares = self.sizes.dim4 * self.sizes.dim4;
        for (begin, count) in Sizes::chunks(count, self.sizes.moment_blocks * MOMENT_BLOCK) {
            let job = Job {
                item_begin: job.item_begin + u(begin),
                item_count: u(count),
                ..job
            };
            let mut binds = vec![Bind::from(rows)];
            binds.extend(weights.map(Bind::from));
            binds.push(Slot::MomentBlocks.into());
            let flags: &[&str] = if weights.is_some() {
                &["WEIGHTED"]
            } else {
                &[]
            };
            let blocks = count.div_ceil(MOMENT_BLOCK);
            self.push_items(Stage::MomentBlocks, flags, &binds, job, blocks * squares);
            let job = Job {
                item_count: u(blocks),
                flags: job.flags | flag(job::FIRST, first && begin == 0),
                ..job
            };
            let binds = [Slot::MomentBlocks, to].map(Bind::from);
            self.push_items(Stage::MomentSum, &[], &binds, job, squares * 4);
        }
    }

    /// Kx of the packed queries.
    pub(super) fn query_images(&mut self, rows: (u64, u64)) {
        let job = self.row_job(rows);
        let slots = [Slot::Queries, Slot::SquareMoments, Slot::QueryImages];
        self.images(job, (0, rows.1), slots);
    }

    fn images(&mut self, job: Job, (begin, count): (u64, u64), slots: [Slot; 3]) {
        let job = Job {
            item_begin: u(begin),
            item_count: u(count),
            ..job
        };
        let items = count * self.sizes.dim4;
        self.push_items(Stage::MomentImages, &[], &slots.map(Bind::from), job, items);
    }

    /// R of the rows, as far as the packed columns go.
    pub(super) fn moment_rows(&mut self, job: Job) {
        let binds = [
            Slot::Queries,
            Slot::Candidates,
            Slot::QueryImages,
            Slot::Masks,
            Slot::Partials,
        ]
        .map(Bind::from);
        let job = Job {
            flags: job.flags | flag(job::FIRST, job.column_begin == 0),
            ..job
        };
        self.push_items(
            Stage::MomentRows,
            &[],
            &binds,
            job,
            u64::from(job.row_count),
        );
    }

    /// What every row weighs, once that is known.
    pub(super) fn moment_weights(&mut self) {
        let binds = [Slot::PairOffsets, Slot::PairTerms, Slot::RowWeights].map(Bind::from);
        let (job, rows) = (self.base(), self.sizes.rows);
        self.push_items(Stage::MomentWeights, &[], &binds, job, rows);
    }

    /// The gradients of a chunk of rows: queries part by part, candidates column by column over all
    /// parts, so that parts do not show in the bits.
    pub(super) fn moments_backward(&mut self, parts: &[(u64, u64)]) -> Result<()> {
        for (nth, part) in parts.iter().enumerate() {
            self.pack_queries(*part, false)?;
            if self.want.candidates {
                let job = Job {
                    item_begin: 0,
                    item_count: u(part.1),
                    ..self.row_job(*part)
                };
                let moments = [Slot::Queries, Slot::WeightedMoments];
                self.moments(job, moments, nth == 0, Some(Slot::RowWeights));
            }
            if self.want.queries {
                self.query_images(*part);
                for columns in self.column_chunks() {
                    self.pack_columns(*part, columns, false)?;
                    self.moment_queries(self.column_job(*part, columns));
                }
                self.positive_queries(*part)?;
                self.norm_queries(*part, Tables::First)?;
            }
        }
        if self.want.candidates {
            self.moment_candidates(parts)?;
        }
        Ok(())
    }

    fn moment_queries(&mut self, job: Job) {
        let binds = [
            Slot::Queries,
            Slot::Candidates,
            Slot::QueryImages,
            Slot::Masks,
            Slot::RowWeights,
            Slot::QuerySums,
        ]
        .map(Bind::from);
        self.push_items(
            Stage::MomentQueries,
            &[],
            &binds,
            job,
            u64::from(job.row_pad),
        );
    }

    fn moment_candidates(&mut self, parts: &[(u64, u64)]) -> Result<()> {
        let binds = [
            Slot::Queries,
            Slot::Candidates,
            Slot::Masks,
            Slot::RowWeights,
            Slot::CandidateSums,
        ]
        .map(Bind::from);
        for columns in self.column_chunks() {
            self.pack_columns(parts[0], columns, false)?;
            for weights in self.weight_chunks(columns) {
                let job = super::backward::weight_job(self.column_job(parts[0], columns), weights);
                let slots = [Slot::Candidates, Slot::WeightedMoments, Slot::CandidateSums];
                self.images(job, weights, slots);
                for part in parts {
                    if parts.len() > 1 {
                        self.pack_queries(*part, false)?;
                        self.mask(self.column_job(*part, columns));
                    }
                    let job = super::backward::weight_job(self.column_job(*part, columns), weights);
                    self.push_items(Stage::MomentCandidates, &[], &binds, job, weights.1);
                }
                self.norm_candidates(job, Tables::First)?;
            }
        }
        Ok(())
    }
}
