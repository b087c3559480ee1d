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

    pub(super) fn backward(&mut self, rows: (u64, u64)) -> Result<()> {
        let (row_chunks, column_chunks) = (self.row_chunks().len(), self.column_chunks().len());
        if row_chunks > 1 {
            self.pack_queries(rows, false)?;
        }
        for columns in self.column_chunks() {
            if column_chunks > 1 || (row_chunks > 1 && self.sizes.sampled()) {
                self.pack_columns(rows, columns, false)?;
                if self.sizes.sampled() {
                    self.sampled_scores(self.column_job(rows, columns));
                }
            } else if row_chunks > 1 {
                self.mask(self.column_job(rows, columns));
            }
            self.weights(rows, columns)?;
        }
        if self.shape.given.is_none() {
            self.positives_backward(rows)?;
        }
        if self.want.queries {
            self.norm_queries(rows)?;
        }
        Ok(())
    }

    pub(super) fn weights(&mut self, rows: (u64, u64), columns: (u64, u64)) -> Result<()> {
        for (begin, count) in Sizes::chunks(columns.1, self.sizes.weight_chunk) {
            let pad = count.div_ceil(COLUMN_UNIT) * COLUMN_UNIT;
            let first = columns.0 == 0 && begin == 0;
            let job = self.column_job(rows, columns);
            let job = Job {
                weight_begin: u(begin),
                weight_count: u(count),
                weight_pad: u(pad),
                flags: job.flags | flag(job::FIRST, first),
                ..job
            };
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
            if self.sizes.sampled() && self.spec.second.is_some() {
                binds.push(Slot::SecondScores.into());
            }
            let mut flags = self.tile_flags();
            if self.want.column_parameters {
                flags.push("COLUMN_SLOPES");
                binds.push(Slot::ColumnSlopes.into());
            }
            let row_groups = u64::from(job.row_pad) / (self.lanes * TILE);
            let groups = row_groups * pad.div_ceil(WEIGHT_SPAN);
            let flops = if self.sizes.sampled() {
                0
            } else {
                self.flops(rows.1, count)
            };
            self.push_tiles(Stage::Weights, &flags, &binds, job, groups, flops);
            if self.want.column_parameters {
                self.column_sums(job);
            }
            if self.sizes.sampled() {
                self.sampled_products(job)?;
            } else {
                self.products(job, row_groups)?;
            }
        }
        Ok(())
    }

    /// The gradient of the column parameters, as far as the weight chunk goes.
    fn column_sums(&mut self, job: Job) {
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

    pub(super) fn products(&mut self, job: Job, row_groups: u64) -> Result<()> {
        let parts = self.sizes.dim4 / self.sizes.parts();
        let flops =
            2 * u64::from(job.row_count) * u64::from(job.weight_count) * self.shape.dim as u64;
        if self.want.queries {
            let binds = [
                Slot::WeightScratch.into(),
                Slot::Candidates.into(),
                Slot::QuerySums.into(),
            ];
            self.push_tiles(
                Stage::GradQueries,
                &[],
                &binds,
                job,
                row_groups * parts,
                flops,
            );
        }
        if !self.want.candidates {
            return Ok(());
        }
        let binds = [
            Slot::WeightScratch.into(),
            Slot::Queries.into(),
            Slot::CandidateSums.into(),
        ];
        let groups = u64::from(job.weight_pad).div_ceil(self.lanes * TILE) * parts;
        self.push_tiles(Stage::GradCandidates, &[], &binds, job, groups, flops);
        let all = self.shape.columns == ColumnKind::All;
        let given = |slot: Slot| if all { Slot::Nothing } else { slot };
        let (begin, end) = {
            let begin = u64::from(job.column_begin + job.weight_begin);
            (begin, begin + u64::from(job.weight_count))
        };
        for piece in self.grad_pieces(Slot::GradCandidates)? {
            if all && (end <= piece.begin || begin >= piece.begin + piece.count) {
                continue;
            }
            let job = Job {
                flags: job.flags | flag(job::IDENTITY, all),
                ..at_piece(job, piece)
            };
            let binds = [
                Slot::CandidateSums.into(),
                Slot::Candidates.into(),
                given(Slot::ColumnIds).into(),
                given(Slot::ColumnLinks).into(),
                Bind {
                    slot: Slot::GradCandidates,
                    piece: Some(piece),
                },
            ];
            self.push_items(
                Stage::NormCandidates,
                &[],
                &binds,
                job,
                u64::from(job.weight_count),
            );
        }
        Ok(())
    }

    pub(super) fn sampled_products(&mut self, job: Job) -> Result<()> {
        if self.want.scores {
            let binds = [Slot::WeightScratch, Slot::GradColumnScores].map(Bind::from);
            let items = u64::from(job.row_count) * u64::from(job.column_count);
            self.push_items(Stage::GivenGradients, &[], &binds, job, items);
        }
        if self.want.queries {
            let binds = [
                Slot::WeightScratch.into(),
                Slot::Candidates.into(),
                Slot::QuerySums.into(),
            ];
            let items = u64::from(job.row_count) * self.sizes.dim4;
            self.push_items(Stage::SampledQueries, &[], &binds, job, items);
        }
        if self.want.candidates {
            for piece in self.grad_pieces(Slot::GradCandidates)? {
                let binds = [
                    Slot::WeightScratch.into(),
                    Slot::Queries.into(),
                    Slot::Candidates.into(),
                    Slot::ColumnIds.into(),
                    Slot::ColumnLinks.into(),
                    Bind {
                        slot: Slot::GradCandidates,
                        piece: Some(piece),
                    },
                ];
                let items = u64::from(job.row_count) * u64::from(job.column_count);
                self.push_items(
                    Stage::SampledCandidates,
                    &[],
                    &binds,
                    at_piece(job, piece),
                    items,
                );
            }
        }
        Ok(())
    }

    /// Pieces of a gradient, which is dense f32.
    pub(super) fn grad_pieces(&self, slot: Slot) -> Result<Vec<Piece>> {
        let (rows, what) = match slot {
            Slot::GradQueries => (self.shape.queries, "grad_queries"),
            _ => (self.shape.candidates, "grad_candidates"),
        };
        Sizes::pieces(rows as u64, self.layouts.of(slot), self.limits, what)
    }

    pub(super) fn positives_backward(&mut self, rows: (u64, u64)) -> Result<()> {
        let again = self.pair_chunks().len() > 1 || self.row_chunks().len() > 1;
        for pairs in self.pair_chunks() {
            let job = if again {
                self.pack_positives(rows, pairs, false)?
            } else {
                Job {
                    pair_begin: u(pairs.0),
                    pair_count: u(pairs.1),
                    ..self.row_job(rows)
                }
            };
            if self.want.queries {
                let binds = [
                    Slot::Queries.into(),
                    Slot::Positives.into(),
                    Slot::PairOffsets.into(),
                    Slot::PairScores.into(),
                    Slot::PairGradients.into(),
                    Slot::QuerySums.into(),
                ];
                self.push_items(
                    Stage::PositiveQueries,
                    &[],
                    &binds,
                    job,
                    rows.1 * self.sizes.dim4,
                );
            }
            if !self.want.candidates {
                continue;
            }
            for piece in self.grad_pieces(Slot::GradCandidates)? {
                let binds = [
                    Slot::Queries.into(),
                    Slot::Positives.into(),
                    Slot::PairRows.into(),
                    Slot::PositiveIds.into(),
                    Slot::PositiveLinks.into(),
                    Slot::PairScores.into(),
                    Slot::PairGradients.into(),
                    Bind {
                        slot: Slot::GradCandidates,
                        piece: Some(piece),
                    },
                ];
                let items = pairs.1 * self.sizes.dim4;
                self.push_items(
                    Stage::PositiveCandidates,
                    &[],
                    &binds,
                    at_piece(job, piece),
                    items,
                );
            }
        }
        Ok(())
    }

    pub(super) fn norm_queries(&mut self, rows: (u64, u64)) -> Result<()> {
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
                ..at_piece(job, piece)
            };
            let binds = [
                Slot::QuerySums.into(),
                Slot::Queries.into(),
                self.row_ids().into(),
                links.into(),
                Slot::PairOffsets.into(),
                Slot::PairScores.into(),
                Slot::PairGradients.into(),
                Bind {
                    slot: Slot::GradQueries,
                    piece: Some(piece),
                },
            ];
            self.push_items(Stage::NormQueries, &[], &binds, job, rows.1);
        }
        Ok(())
    }
}

fn at_piece(job: Job, piece: Piece) -> Job {
    Job {
        table_begin: u(piece.begin),
        table_count: u(piece.count),
        ..job
    }
}
