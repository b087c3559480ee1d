//! From scores to the value.

use super::{Bind, Schedule};
use crate::gpu::{
    Slot, Stage,
    job::{self, Job, flag},
    sizes::{COUNT_WORDS, SUM_BLOCK},
};
use crate::{
    Result,
    loss::{Pool, Score},
};

impl Schedule<'_> {
    pub(super) fn positives(&mut self, rows: (u64, u64)) -> Result<()> {
        for pairs in self.pair_chunks() {
            let job = self.pack_positives(rows, pairs, true)?;
            let (mut flags, mut binds) = self.positive_inputs();
            if self.spec.batch_statistics {
                flags.push("BATCH_STATISTICS");
                binds.push(Slot::BatchStatistics.into());
            }
            if self.spec.column_parameters {
                flags.push("COLUMNS");
            }
            if self.spec.ranks {
                flags.push("RANKS");
                binds.push(Slot::PairRanks.into());
            }
            if self.spec.norm_slope {
                flags.push("NORM_SLOPE");
            }
            binds.extend([Bind::from(Slot::PairScores), Slot::PairTerms.into()]);
            if self.shape.given.is_some() {
                binds.push(Slot::Status.into());
            }
            self.push_items(Stage::PositiveScores, &flags, &binds, job, pairs.1);
        }
        Ok(())
    }

    /// Flags of `positive_scores`, and what it reads in all of its forms.
    pub(super) fn positive_inputs(&self) -> (Vec<&'static str>, Vec<Bind>) {
        let reference = match self.shape.given {
            Some(true) => Slot::ReferencePositives,
            _ => Slot::Nothing,
        };
        let (flags, sides) = match self.shape.given {
            None => (Vec::new(), [Slot::Queries, Slot::Positives]),
            Some(_) => (vec!["GIVEN"], [Slot::GivenPositives, reference]),
        };
        let binds = sides.into_iter().chain([Slot::PairRows, Slot::PairInputs]);
        let mut flags = flags;
        if self.spec.second.is_some_and(|tile| tile.frozen) {
            flags.push("REFERENCE_TABLES");
        }
        (flags, binds.map(Bind::from).collect())
    }

    fn given_scores(&mut self, job: Job, tiles: u64) {
        let reference = match self.shape.given {
            Some(true) => Slot::ReferenceColumns,
            _ => Slot::Nothing,
        };
        let binds = [
            Slot::GivenColumns,
            reference,
            Slot::WeightScratch,
            Slot::Status,
        ]
        .map(Bind::from);
        let job = Job {
            flags: job.flags | job::COUNT,
            ..job
        };
        self.push_items(Stage::GivenScores, &[], &binds, job, tiles);
    }

    pub(super) fn sampled_scores(&mut self, job: Job) {
        let tiles = u64::from(job.row_pad / 4) * u64::from(job.weight_pad);
        if self.shape.given.is_some() {
            return self.given_scores(job, tiles);
        }
        let binds =
            |to: Slot, kept: Slot| [Slot::Queries, Slot::Candidates, to, kept].map(Bind::from);
        let first = Job {
            second_queries: 0,
            second_candidates: 0,
            ..job
        };
        self.push_items(
            Stage::SampledScores,
            &[],
            &binds(Slot::WeightScratch, Slot::SampledScores),
            first,
            tiles,
        );
        if self.spec.second.is_some() {
            let second = self.second_job(job, 0, Score::unit_candidates);
            self.push_items(
                Stage::SampledScores,
                &[],
                &binds(Slot::SecondScores, Slot::SecondSampledScores),
                second,
                tiles,
            );
        }
    }

    /// Text flags of the two stages that hold the score tile.
    pub(super) fn tile_flags(&self) -> Vec<&'static str> {
        let mut flags = Vec::new();
        let mut add = |on: bool, name: &'static str| {
            if on {
                flags.push(name);
            }
        };
        add(self.sizes.sampled(), "STORED");
        add(self.sizes.sampled(), "SAMPLED");
        let log_q = self.shape.log_q && !self.sizes.is_sum();
        add(log_q, "LOG_Q_GIVEN");
        let entries = self.spec.entry_constants || self.spec.ranks;
        let numbers = self.spec.column_parameters || entries;
        add(log_q || numbers, "RECORDS");
        flags
    }

    pub(super) fn reduce(&mut self, rows: (u64, u64), columns: (u64, u64)) {
        let job = self.column_job(rows, columns);
        let parts = u64::from(job.column_pad / 32).div_ceil(COUNT_WORDS);
        self.push_items(
            Stage::RowCounts,
            &[],
            &[Slot::Masks.into(), Slot::RowCounts.into()],
            job,
            rows.1.div_ceil(4) * parts,
        );
        if self.sizes.moments {
            return self.moment_rows(job);
        }
        if let Some(tile) = self.stored_scores_tile() {
            return self.stored_reduce(job, columns, tile);
        }
        let mut binds: Vec<Bind> = [
            Slot::Queries,
            Slot::Candidates,
            Slot::Masks,
            Slot::PairOffsets,
            Slot::PairTerms,
            Slot::Partials,
        ]
        .map(Bind::from)
        .to_vec();
        if self.sizes.sampled() {
            self.sampled_scores(job);
            binds.push(Slot::WeightScratch.into());
            if self.spec.second.is_some() {
                binds.push(Slot::SecondScores.into());
            }
        }
        let flops = self.flops(rows.1, columns.1);
        let mut flags = self.tile_flags();
        if self.sizes.kept() {
            flags.push("KEPT");
            binds.push(Slot::WeightScratch.into());
        }
        // The spans of this chunk: workgroups of others would leave some cores without work.
        let width = self.sizes.span_width;
        let spans = (columns.0 + columns.1).div_ceil(width) - columns.0 / width;
        if let Some(block) = self.block_of(Stage::RowReduce, job) {
            let groups = u64::from(job.row_pad / block.rows()) * spans;
            return self.push_block(
                Stage::RowReduce,
                (&flags, &binds),
                job,
                block,
                groups,
                flops,
            );
        }
        let tile = self.sizes.loss_tile(self.family.lanes());
        let groups = self.tile_rows(job, tile) * spans;
        self.push_tiles(Stage::RowReduce, &flags, &binds, job, groups, flops);
    }

    pub(super) fn flops(&self, rows: u64, columns: u64) -> u64 {
        let second = self.shape.second_dim.unwrap_or(0) as u64;
        2 * rows * columns * (self.shape.dim as u64 + second)
    }

    pub(super) fn finish(&mut self) {
        let job = self.base();
        let pairs = self.sizes.pairs;
        if self.spec.pool != Pool::Each {
            let binds = [
                Slot::PairScores.into(),
                Slot::GroupLinks.into(),
                Slot::PairResults.into(),
            ];
            self.push_items(Stage::PoolTargets, &[], &binds, job, pairs);
        }
        let binds = [
            Slot::Partials.into(),
            Slot::PairRows.into(),
            Slot::RowCounts.into(),
            Slot::PairScores.into(),
            Slot::PairTerms.into(),
            Slot::PairResults.into(),
            self.theta_terms().into(),
            Slot::Status.into(),
        ];
        let flags: &[&str] = if self.spec.pool == Pool::Each {
            &[]
        } else {
            &["POOL"]
        };
        self.push_items(Stage::RowFinish, flags, &binds, job, pairs);
        let binds = [
            Slot::PairScores.into(),
            Slot::PairResults.into(),
            Slot::Blocks.into(),
        ];
        let blocks = pairs.div_ceil(SUM_BLOCK);
        self.push_teams(Stage::LossBlocks, vec![], &binds, job, blocks);
        let binds = [Slot::Blocks.into(), Slot::BatchScalars.into()];
        self.push(Stage::LossSum, &[], &binds, job, 1);
    }

    /// Row parameters after the evaluation, where the loss renews them.
    pub(super) fn row_state(&mut self) {
        if !self.spec.row_state {
            return;
        }
        let by_query = self.parameters_by_query();
        let given = |slot: Slot| if by_query { slot } else { Slot::Nothing };
        let binds = [
            Slot::PairOffsets,
            Slot::PairScores,
            Slot::PairTerms,
            Slot::PairResults,
            given(Slot::RowIds),
            given(Slot::RowLinks),
            Slot::RowParametersAfter,
        ]
        .map(Bind::from);
        let base = self.base();
        let job = Job {
            flags: base.flags | flag(job::BY_QUERY, by_query),
            ..base
        };
        let rows = self.sizes.rows;
        self.push_items(Stage::RowState, &["STATE"], &binds, job, rows);
    }

    pub(super) fn theta_terms(&self) -> Slot {
        if self.spec.learnt() > 0 {
            Slot::ThetaTerms
        } else {
            Slot::NothingWritten
        }
    }
}
