//! From the value to the gradients.

use super::{Bind, Schedule, WEIGHT_SPAN, u};
use crate::gpu::{
    Slot, Stage,
    job::{self, Job, flag},
    sizes::{COLUMN_UNIT, Piece, SUM_BLOCK, Sizes, TILE},
};
use crate::{ColumnKind, Result, Want, loss::Pool};

impl Schedule<'_> {
    pub(super) fn pair_gradients(&mut self) {
        let job = self.base();
        let pairs = self.sizes.pairs;
        let binds = [
            Slot::BatchScalars.into(),
            Slot::PairScores.into(),
            Slot::PairResults.into(),
            Slot::PairTerms.into(),
            Slot::PairGradients.into(),
            self.theta_terms().into(),
        ];
        self.push_items(Stage::PairGradients, &[], &binds, job, pairs);
        if self.spec.pool != Pool::Each && self.want != Want::NOTHING {
            let binds = [
                Slot::PairResults.into(),
                Slot::GroupLinks.into(),
                Slot::PairGradients.into(),
            ];
            self.push_items(Stage::PoolBackward, &[], &binds, job, pairs);
        }
        if self.spec.thetas > 0 {
            let thetas = self.spec.thetas as u64;
            let binds = [Slot::ThetaTerms.into(), Slot::ThetaBlocks.into()];
            self.push_items(
                Stage::ThetaBlocks,
                &[],
                &binds,
                job,
                pairs.div_ceil(SUM_BLOCK) * thetas,
            );
            let binds = [Slot::ThetaBlocks.into(), Slot::GradTheta.into()];
            self.push_items(Stage::ThetaSum, &[], &binds, job, thetas);
        }
    }

    /// Zeros in gradients whose rows lie apart; dense ones are cleared by a command.
    pub(super) fn clear_gradients(&mut self) -> Result<()> {
        for slot in [Slot::GradQueries, Slot::GradCandidates] {
            let dense = self.layouts.of(slot).stride == self.shape.dim;
            if dense || self.accumulate || !self.want.wants(slot) {
                continue;
            }
            for piece in self.grad_pieces(slot)? {
                let job = self.at_piece(self.base(), slot, piece);
                let binds = [bound(slot, piece)];
                let items = piece.count * self.shape.dim as u64;
                self.push_items(Stage::ClearGradient, &[], &binds, job, items);
            }
        }
        Ok(())
    }

    /// Everything of a chunk of rows but the positives' term in the candidate gradients.
    pub(super) fn backward(&mut self, rows: (u64, u64)) -> Result<()> {
        let parts = self.parts_of(rows);
        let together = parts.len() == 1 || self.sizes.sampled();
        let queries = Want {
            candidates: together && self.want.candidates,
            ..self.want
        };
        if queries != Want::NOTHING {
            for part in &parts {
                self.backward_part(*part, queries)?;
            }
        }
        if !together && self.want.candidates {
            self.candidates_of_parts(&parts)?;
        }
        Ok(())
    }

    fn backward_part(&mut self, rows: (u64, u64), want: Want) -> Result<()> {
        let parts = self.row_parts().len();
        if parts > 1 {
            self.pack_queries(rows, false)?;
        }
        let column_chunks = self.column_chunks();
        for columns in &column_chunks {
            let job = self.column_job(rows, *columns);
            if column_chunks.len() > 1 || (parts > 1 && self.sizes.sampled()) {
                self.pack_columns(rows, *columns, false)?;
                if self.sizes.sampled() {
                    self.sampled_scores(job);
                }
            } else if parts > 1 {
                self.mask(job);
            }
            for weights in self.weight_chunks(*columns) {
                let job = weight_job(job, weights);
                self.weights(job, want);
                if want.column_parameters {
                    self.column_sums(job);
                }
                if self.sizes.sampled() {
                    self.sampled_products(job, want)?;
                    continue;
                }
                if want.queries {
                    self.grad_queries(job);
                }
                if want.candidates {
                    self.grad_candidates(job);
                    self.norm_candidates(job)?;
                }
            }
        }
        if want.queries {
            self.positive_queries(rows)?;
            self.norm_queries(rows)?;
        }
        Ok(())
    }

    /// The candidates' sums of a chunk of rows that is too large for one binding: columns by columns,
    /// over all parts of the rows, so that parts do not show in the bits.
    fn candidates_of_parts(&mut self, parts: &[(u64, u64)]) -> Result<()> {
        for columns in self.column_chunks() {
            self.pack_columns(parts[0], columns, false)?;
            for weights in self.weight_chunks(columns) {
                for (nth, part) in parts.iter().enumerate() {
                    self.pack_queries(*part, false)?;
                    let job = self.column_job(*part, columns);
                    self.mask(job);
                    let job = weight_job(job, weights);
                    let candidates = Want {
                        candidates: true,
                        ..Want::NOTHING
                    };
                    self.weights(job, candidates);
                    self.grad_candidates(Job {
                        flags: job.flags | flag(job::CONTINUED, nth > 0),
                        ..job
                    });
                }
                let job = weight_job(self.column_job(parts[0], columns), weights);
                self.norm_candidates(job)?;
            }
        }
        Ok(())
    }

    /// Ranges of a chunk's columns whose weights are held at a time, from its first column on.
    fn weight_chunks(&self, columns: (u64, u64)) -> Vec<(u64, u64)> {
        Sizes::chunks(columns.1, self.sizes.weight_chunk).collect()
    }

    fn weights(&mut self, job: Job, want: Want) {
        let mut binds: Vec<Bind> = [
            Slot::Queries,
            Slot::Candidates,
            Slot::Masks,
            Slot::PairOffsets,
            Slot::PairTerms,
            Slot::WeightScratch,
        ]
        .map(Bind::from)
        .to_vec();
        let sampled = self.sizes.sampled();
        if sampled && self.spec.second.is_some() {
            binds.push(Slot::SecondScores.into());
        }
        let groups = self.row_groups(job) * u64::from(job.weight_pad).div_ceil(WEIGHT_SPAN);
        let flops = if sampled {
            0
        } else {
            self.flops(u64::from(job.row_count), u64::from(job.weight_count))
        };
        let mut flags = self.tile_flags();
        if want.column_parameters {
            flags.push("COLUMN_SLOPES");
            binds.push(Slot::ColumnSlopes.into());
        }
        self.push_tiles(Stage::Weights, &flags, &binds, job, groups, flops);
    }

    fn row_groups(&self, job: Job) -> u64 {
        u64::from(job.row_pad) / (self.lanes * TILE)
    }

    fn product_flops(&self, job: Job) -> u64 {
        2 * u64::from(job.row_count) * u64::from(job.weight_count) * self.shape.dim as u64
    }

    fn grad_queries(&mut self, job: Job) {
        let binds = [
            Slot::WeightScratch.into(),
            Slot::Candidates.into(),
            Slot::QuerySums.into(),
        ];
        let groups = self.row_groups(job) * self.sizes.dim4 / self.sizes.parts();
        let flops = self.product_flops(job);
        self.push_tiles(Stage::GradQueries, &[], &binds, job, groups, flops);
    }

    fn grad_candidates(&mut self, job: Job) {
        let binds = [
            Slot::WeightScratch.into(),
            Slot::Queries.into(),
            Slot::CandidateSums.into(),
        ];
        let parts = self.sizes.dim4 / self.sizes.parts();
        let groups = u64::from(job.weight_pad).div_ceil(self.lanes * TILE) * parts;
        let flops = self.product_flops(job);
        self.push_tiles(Stage::GradCandidates, &[], &binds, job, groups, flops);
    }

    fn norm_candidates(&mut self, job: Job) -> Result<()> {
        let all = self.shape.columns == ColumnKind::All;
        let given = |slot: Slot| if all { Slot::Nothing } else { slot };
        let begin = u64::from(job.column_begin + job.weight_begin);
        let end = begin + u64::from(job.weight_count);
        for piece in self.grad_pieces(Slot::GradCandidates)? {
            if all && (end <= piece.begin || begin >= piece.begin + piece.count) {
                continue;
            }
            let job = Job {
                flags: job.flags | flag(job::IDENTITY, all),
                ..self.at_piece(job, Slot::GradCandidates, piece)
            };
            let binds = [
                Slot::CandidateSums.into(),
                Slot::Candidates.into(),
                given(Slot::ColumnIds).into(),
                given(Slot::ColumnLinks).into(),
                bound(Slot::GradCandidates, piece),
            ];
            let items = u64::from(job.weight_count);
            self.push_items(Stage::NormCandidates, &[], &binds, job, items);
        }
        Ok(())
    }

    fn sampled_products(&mut self, job: Job, want: Want) -> Result<()> {
        if want.scores {
            let binds = [Slot::WeightScratch, Slot::GradColumnScores].map(Bind::from);
            let items = u64::from(job.row_count) * u64::from(job.column_count);
            self.push_items(Stage::GivenGradients, &[], &binds, job, items);
        }
        if want.queries {
            let binds = [
                Slot::WeightScratch.into(),
                Slot::Candidates.into(),
                Slot::QuerySums.into(),
            ];
            let items = u64::from(job.row_count) * self.sizes.dim4;
            self.push_items(Stage::SampledQueries, &[], &binds, job, items);
        }
        if want.candidates {
            for piece in self.grad_pieces(Slot::GradCandidates)? {
                let binds = [
                    Slot::WeightScratch.into(),
                    Slot::Queries.into(),
                    Slot::Candidates.into(),
                    Slot::ColumnIds.into(),
                    Slot::ColumnLinks.into(),
                    bound(Slot::GradCandidates, piece),
                ];
                let items = u64::from(job.row_count) * u64::from(job.column_count);
                let job = self.at_piece(job, Slot::GradCandidates, piece);
                self.push_items(Stage::SampledCandidates, &[], &binds, job, items);
            }
        }
        Ok(())
    }

    /// Pieces of a gradient.
    pub(super) fn grad_pieces(&self, slot: Slot) -> Result<Vec<Piece>> {
        let (rows, what) = match slot {
            Slot::GradQueries => (self.shape.queries, "grad_queries"),
            _ => (self.shape.candidates, "grad_candidates"),
        };
        Sizes::pieces(rows as u64, self.layouts.of(slot), self.limits, what)
    }

    fn norm_queries(&mut self, rows: (u64, u64)) -> Result<()> {
        let indexed = self.shape.indexed_rows;
        let links = if indexed {
            Slot::RowLinks
        } else {
            Slot::Nothing
        };
        let job = self.row_job(rows);
        for piece in self.grad_pieces(Slot::GradQueries)? {
            let job = Job {
                flags: job.flags & !job::COSINE
                    | flag(job::COSINE, self.spec.score.unit_queries())
                    | flag(job::IDENTITY, !indexed),
                ..self.at_piece(job, Slot::GradQueries, piece)
            };
            let binds = [
                Slot::QuerySums.into(),
                Slot::Queries.into(),
                self.row_ids().into(),
                links.into(),
                Slot::PairOffsets.into(),
                Slot::PairScores.into(),
                Slot::PairGradients.into(),
                bound(Slot::GradQueries, piece),
            ];
            self.push_items(Stage::NormQueries, &[], &binds, job, rows.1);
        }
        Ok(())
    }

    /// A job on a piece of a gradient.
    pub(super) fn at_piece(&self, job: Job, slot: Slot, piece: Piece) -> Job {
        Job {
            table_begin: u(piece.begin),
            table_count: u(piece.count),
            table_stride: u(self.layouts.of(slot).stride as u64),
            ..job
        }
    }
}

/// A piece of a gradient.
pub(super) fn bound(slot: Slot, piece: Piece) -> Bind {
    Bind {
        slot,
        piece: Some(piece),
    }
}

/// A job on some of the chunk's columns.
fn weight_job(job: Job, (begin, count): (u64, u64)) -> Job {
    let first = job.column_begin == 0 && begin == 0;
    Job {
        weight_begin: u(begin),
        weight_count: u(count),
        weight_pad: u(count.div_ceil(COLUMN_UNIT) * COLUMN_UNIT),
        flags: job.flags | flag(job::FIRST, first),
        ..job
    }
}
