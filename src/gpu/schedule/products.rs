//! The products that know no loss, and the step from unit vectors back to the tables' rows: for the
//! tables of a batch and, with their own weights, for the second ones.

use super::{
    Bind, Schedule,
    backward::{at_piece, bound},
};
use crate::gpu::{
    Slot, Stage,
    job::{self, Job, flag},
    sizes::{LaneTile, Piece, Sizes},
};
use crate::{ColumnKind, Result, loss::Score};

/// Which pair of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    /// Those of the scores.
    First,
    /// Those of the second tile.
    Second,
}

impl Tables {
    pub(super) fn weights(self) -> Slot {
        self.pick(Slot::WeightScratch, Slot::SecondScores)
    }

    fn sampled_scores(self) -> Slot {
        self.pick(Slot::SampledScores, Slot::SecondSampledScores)
    }

    pub(super) fn query_sums(self) -> Slot {
        self.pick(Slot::QuerySums, Slot::SecondQuerySums)
    }

    pub(super) fn candidate_sums(self) -> Slot {
        self.pick(Slot::CandidateSums, Slot::SecondCandidateSums)
    }

    fn grad_queries(self) -> Slot {
        self.pick(Slot::GradQueries, Slot::GradSecondQueries)
    }

    fn grad_candidates(self) -> Slot {
        self.pick(Slot::GradCandidates, Slot::GradSecondCandidates)
    }

    fn pick(self, first: Slot, second: Slot) -> Slot {
        match self {
            Tables::First => first,
            Tables::Second => second,
        }
    }
}

impl Schedule<'_> {
    /// A job on one pair of packed tables; `unit` says of a score whether the side at hand is taken
    /// to unit length.
    fn on(&self, tables: Tables, job: Job, unit: fn(Score) -> bool) -> Job {
        match tables {
            Tables::First => Job {
                second_queries: 0,
                second_candidates: 0,
                flags: job.flags & !job::COSINE | flag(job::COSINE, unit(self.spec.score)),
                ..job
            },
            Tables::Second => Job {
                flags: self.second_job(job, 0, unit).flags | job::SECOND_TABLES,
                ..self.second_job(job, 0, unit)
            },
        }
    }

    /// Workgroups per column of tiles, in the stages with a loss.
    pub(super) fn tile_rows(&self, job: Job, tile: LaneTile) -> u64 {
        u64::from(job.row_pad) / (self.lanes() * u64::from(tile.rows))
    }

    fn product_flops(job: Job) -> u64 {
        2 * u64::from(job.row_count) * u64::from(job.weight_count) * u64::from(job.dim)
    }

    /// Workgroups of a product whose lanes own `count` rows or columns between them.
    pub(super) fn product_groups(&self, stage: Stage, job: Job, count: u32) -> u64 {
        let lanes = self.family.lanes();
        Sizes::product_tile(stage, &job, lanes).map_or(0, |tile| {
            u64::from(count.div_ceil(lanes * tile.own)) * u64::from(job.dim4) / tile.parts
        })
    }

    pub(super) fn grad_queries(&mut self, job: Job, tables: Tables) {
        let job = self.on(tables, job, Score::unit_candidates);
        let block = self.block_of(Stage::GradQueries, job);
        self.query_blocks(job, tables, block);
    }

    pub(super) fn grad_candidates(&mut self, job: Job, tables: Tables) {
        let job = self.on(tables, job, Score::unit_candidates);
        if let Some(block) = self.block_of(Stage::GradCandidates, job) {
            return self.candidate_blocks(job, tables, block);
        }
        let binds = [tables.weights(), Slot::Queries, tables.candidate_sums()].map(Bind::from);
        let flops = Self::product_flops(job);
        let groups = self.product_groups(Stage::GradCandidates, job, job.weight_pad);
        let continued = job.flags & job::CONTINUED != 0;
        let flags: &[&str] = if continued { &["GOES_ON"] } else { &[] };
        self.push_tiles(Stage::GradCandidates, flags, &binds, job, groups, flops);
    }

    pub(super) fn norm_candidates(&mut self, job: Job, tables: Tables) -> Result<()> {
        // Compact gradients have a row per column, whatever its candidate.
        let all = self.shape.columns == ColumnKind::All || self.want.compact;
        let given = |slot: Slot| if all { Slot::Nothing } else { slot };
        let begin = u64::from(job.column_begin + job.weight_begin);
        let end = begin + u64::from(job.weight_count);
        let slot = tables.grad_candidates();
        for piece in self.grad_pieces(slot)? {
            if all && (end <= piece.begin || begin >= piece.begin + piece.count) {
                continue;
            }
            let job = self.on(tables, job, Score::unit_candidates);
            let job = Job {
                flags: job.flags | flag(job::IDENTITY, all),
                ..at_piece(self, job, slot, piece)
            };
            let binds = [
                tables.candidate_sums().into(),
                Slot::Candidates.into(),
                given(Slot::ColumnIds).into(),
                given(Slot::ColumnLinks).into(),
                bound(slot, piece),
            ];
            let columns = u64::from(job.weight_count);
            match self.shape.columns == ColumnKind::All {
                true => self.push_teams(Stage::NormCandidates, vec![], &binds, job, columns),
                false => self.push_items(Stage::NormCandidates, &[], &binds, job, columns),
            }
        }
        Ok(())
    }

    /// Sampled columns: the queries' sums.
    pub(super) fn sampled_queries(&mut self, job: Job, tables: Tables) {
        let job = self.on(tables, job, Score::unit_candidates);
        let binds = [tables.weights(), Slot::Candidates, tables.query_sums()].map(Bind::from);
        let items = u64::from(job.row_count) * u64::from(job.dim4);
        self.push_items(Stage::SampledQueries, &[], &binds, job, items);
    }

    /// Sampled columns: the candidates' gradients.
    pub(super) fn sampled_candidates(&mut self, job: Job, tables: Tables) -> Result<()> {
        let job = self.on(tables, job, Score::unit_candidates);
        let slot = tables.grad_candidates();
        for piece in self.grad_pieces(slot)? {
            let binds = [
                tables.weights().into(),
                tables.sampled_scores().into(),
                Slot::Queries.into(),
                Slot::Candidates.into(),
                Slot::ColumnIds.into(),
                Slot::ColumnLinks.into(),
                bound(slot, piece),
            ];
            let items =
                u64::from(job.row_count) * u64::from(job.column_count) * u64::from(job.dim4);
            let job = at_piece(self, job, slot, piece);
            self.push_items(Stage::SampledCandidates, &[], &binds, job, items);
        }
        Ok(())
    }

    pub(super) fn norm_queries(&mut self, rows: (u64, u64), tables: Tables) -> Result<()> {
        let indexed = self.shape.indexed_rows;
        let links = match indexed {
            true => Slot::RowLinks,
            false => Slot::Nothing,
        };
        let job = self.on(tables, self.row_job(rows), Score::unit_queries);
        let slot = tables.grad_queries();
        for piece in self.grad_pieces(slot)? {
            let job = Job {
                flags: job.flags | flag(job::IDENTITY, !indexed),
                ..at_piece(self, job, slot, piece)
            };
            let binds = [
                tables.query_sums().into(),
                Slot::Queries.into(),
                self.row_ids().into(),
                links.into(),
                Slot::PairOffsets.into(),
                Slot::PairScores.into(),
                Slot::PairGradients.into(),
                bound(slot, piece),
            ];
            self.push_items(Stage::NormQueries, &[], &binds, job, rows.1);
        }
        Ok(())
    }

    /// Pieces of a gradient.
    pub(super) fn grad_pieces(&self, slot: Slot) -> Result<Vec<Piece>> {
        let [candidates, second] = self.want.candidate_rows(self.shape);
        let (rows, what) = match slot {
            Slot::GradQueries => (self.shape.queries, "grad_queries"),
            Slot::GradSecondQueries => (self.shape.queries, "grad_second_queries"),
            Slot::GradSecondCandidates => (second, "grad_second_candidates"),
            _ => (candidates, "grad_candidates"),
        };
        Sizes::pieces(rows as u64, self.layouts.of(slot), self.limits, what)
    }
}
