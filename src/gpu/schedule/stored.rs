//! Scores in the scratch, in the block family: of columns of each row's own, and of losses that need
//! more of a score than registers hold beside a tile.

use super::{Bind, Schedule, backward::weight_job, u};
use crate::Want;
use crate::gpu::{
    Slot, Stage, Tile,
    job::Job,
    sizes::{TEAM, TILE},
};
use crate::loss::Score;

/// Columns of an invocation of the weights.
const OWN_COLUMNS: u64 = 8;

impl Schedule<'_> {
    /// Scores, and those of the second tables, of a chunk of weights; those of sampled columns and given
    /// ones are there already.
    pub(super) fn tile_scores(&mut self, job: Job, tile: Tile) {
        self.tile_scores_of(
            first_tables(job),
            tile,
            Slot::Candidates,
            Slot::WeightScratch,
        );
        if self.spec.second.is_some() {
            let second = self.second_job(job, 0, Score::unit_candidates);
            self.tile_scores_of(second, tile, Slot::Candidates, Slot::SecondScores);
        }
    }

    /// The scores of a job's rows with packed candidates.
    pub(super) fn tile_scores_of(&mut self, job: Job, tile: Tile, candidates: Slot, to: Slot) {
        let block = tile.weights(job);
        let across = u64::from(job.weight_pad.div_ceil(block.columns()));
        let groups = u64::from(job.row_pad / block.rows()) * across;
        let flops = 2 * u64::from(job.row_count) * u64::from(job.weight_count) * u64::from(job.dim);
        let binds = [Slot::Queries, candidates, to].map(Bind::from);
        self.push_block(Stage::TileScores, (&[], &binds), job, block, groups, flops);
    }

    /// Masks the sub-centres that do not stand for their class, in a column chunk.
    pub(super) fn stored_centres(&mut self, job: Job, tile: Tile) {
        let columns = (u64::from(job.column_begin), u64::from(job.column_count));
        let span = self.sizes.centre_stretch();
        for weights in self.weight_chunks(columns) {
            let job = weight_job(job, weights);
            self.tile_scores_of(
                first_tables(job),
                tile,
                Slot::Candidates,
                Slot::WeightScratch,
            );
            let binds = [Slot::WeightScratch, Slot::Masks].map(Bind::from);
            let items = u64::from(job.row_pad) / TILE * u64::from(job.weight_pad).div_ceil(span);
            let job = Job {
                span_width: u(span),
                ..job
            };
            self.push_items(Stage::StoredCentres, &[], &binds, job, items);
        }
    }

    /// The statistics of a chunk of columns, where scores are stored.
    pub(super) fn stored_reduce(&mut self, job: Job, columns: (u64, u64), tile: Tile) {
        if self.sizes.sampled() {
            self.sampled_scores(job);
            // Of the products that are no tiles, those with the scores are what is counted.
            let flops = self.flops(u64::from(job.row_count), u64::from(job.column_count));
            return self.stored_reduce_of(job, flops);
        }
        for weights in self.weight_chunks(columns) {
            let job = weight_job(job, weights);
            self.tile_scores(job, tile);
            self.stored_reduce_of(job, 0);
        }
    }

    fn stored_reduce_of(&mut self, job: Job, flops: u64) {
        let units = match self.sizes.row_units() {
            true => u64::from(job.row_count),
            false => self.sizes.pairs,
        };
        let job = Job {
            item_count: u(units),
            ..job
        };
        let mut binds: Vec<Bind> = [
            Slot::Candidates,
            Slot::Masks,
            Slot::PairRows,
            Slot::PairTerms,
            Slot::Partials,
            Slot::WeightScratch,
        ]
        .map(Bind::from)
        .to_vec();
        if self.spec.second.is_some() {
            binds.push(Slot::SecondScores.into());
        }
        let mut flags = self.tile_flags();
        flags.push("TEAMS");
        let first = job.column_begin + job.weight_begin;
        let spans = (first + job.weight_count).div_ceil(job.span_width) - first / job.span_width;
        let groups = units.div_ceil(self.lanes() / TEAM) * u64::from(spans);
        self.push_tiles(Stage::StoredReduce, &flags, &binds, job, groups, flops);
    }

    /// The weights of a chunk in the place of its scores, which are multiplied again unless they are
    /// there still.
    pub(super) fn stored_weights(&mut self, job: Job, want: Want, tile: Tile) {
        if !self.sizes.sampled() && !self.sizes.kept() {
            self.tile_scores(job, tile);
        }
        let mut binds: Vec<Bind> = [
            Slot::Candidates,
            Slot::Masks,
            Slot::PairOffsets,
            Slot::PairTerms,
            Slot::WeightScratch,
        ]
        .map(Bind::from)
        .to_vec();
        let mut flags = self.tile_flags();
        if self.spec.second.is_some() {
            binds.push(Slot::SecondScores.into());
        }
        self.slopes(want, &mut flags, &mut binds);
        let width = self.lanes() * OWN_COLUMNS;
        let groups = u64::from(job.row_pad) / TILE * u64::from(job.weight_pad).div_ceil(width);
        let job = Job {
            span_width: u(width),
            ..job
        };
        self.push_tiles(Stage::StoredWeights, &flags, &binds, job, groups, 0);
    }
}

/// A job on the first pair of tables.
pub(super) fn first_tables(job: Job) -> Job {
    Job {
        second_queries: 0,
        second_candidates: 0,
        ..job
    }
}
