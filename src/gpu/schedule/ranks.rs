//! Where positives and sampled columns stand among all candidates.

use super::{Bind, Schedule, backward::weight_job, stored::first_tables, u};
use crate::Result;
use crate::gpu::{
    Family, Slot, Stage, Tile,
    job::Job,
    sizes::{COLUMN_UNIT, Sizes, TILE},
};

/// Candidates that one workgroup counts, least and most.
const SPANS: [u64; 2] = [32, 512];
/// Rounds of its loops over keys, for 8 candidates and four rows at a time: software Vulkan ends an
/// invocation's loops, all together, after 65,535 rounds, and says nothing.
const ROUNDS: u64 = 1 << 15;
/// The same where scores are stored.
const STORED_SPAN: u64 = 2048;
/// Keys of a row that one workgroup counts there: their counts lie in registers, for four rows each.
pub const STORED_KEYS: u64 = 5;

impl Schedule<'_> {
    /// Ranks of all positives and sampled columns, before the loss sees any score.
    pub(super) fn ranks(&mut self) -> Result<()> {
        for rows in self.row_parts() {
            self.pack_queries(rows, false)?;
            for pairs in self.pair_chunks() {
                let job = self.pack_positives(rows, pairs, false)?;
                let binds = [
                    Slot::Queries,
                    Slot::Positives,
                    Slot::PairRows,
                    Slot::PairKeys,
                    Slot::PairCounts,
                ]
                .map(Bind::from);
                self.push_items(Stage::RankKeys, &["PAIRS"], &binds, job, pairs.1);
            }
            for columns in self.column_chunks() {
                self.pack_unranked(rows, columns)?;
                let job = self.column_job(rows, columns);
                let binds = [
                    Slot::Queries,
                    Slot::Candidates,
                    Slot::EntryKeys,
                    Slot::EntryCounts,
                ]
                .map(Bind::from);
                let items = rows.1 * columns.1;
                self.push_items(Stage::RankKeys, &[], &binds, job, items);
            }
            let candidates = self.shape.candidates as u64;
            for chunk in Sizes::chunks(candidates, self.sizes.rank_chunk) {
                let job = self.pack_candidates(rows, chunk, Slot::RankCandidates)?;
                self.rank_count(job, Slot::RankCandidates, true, false);
            }
        }
        let (pairs, entries) = (self.sizes.pairs, self.sizes.rows * self.sizes.columns);
        for (counts, ranks, items) in [
            (Slot::PairCounts, Slot::PairRanks, pairs),
            (Slot::EntryCounts, Slot::EntryRanks, entries),
        ] {
            let job = Job {
                item_count: u(items),
                ..self.base()
            };
            let binds = [counts, ranks].map(Bind::from);
            self.push_items(Stage::RankValues, &[], &binds, job, items);
        }
        Ok(())
    }

    /// Counts, for the rows and candidates of a job, how many score more than each key. `again`: right
    /// after the same for other keys.
    pub(super) fn rank_count(&mut self, job: Job, candidates: Slot, pairs: bool, again: bool) {
        if let Some(tile) = self.counted_tile(job) {
            return self.stored_count(job, tile, candidates, pairs, again);
        }
        let [least, most] = SPANS;
        let keys = TILE * u64::from(job.per_row.max(1));
        let span = (ROUNDS / keys * 8 / least * least).clamp(least, most);
        let job = Job {
            span_width: u(span),
            ..job
        };
        let mut binds = vec![Bind::from(Slot::Queries), candidates.into()];
        if pairs {
            binds.extend([Slot::PairOffsets, Slot::PairKeys, Slot::PairCounts].map(Bind::from));
        }
        binds.extend([Slot::EntryKeys, Slot::EntryCounts].map(Bind::from));
        let flags: &[&str] = if pairs { &["PAIRS"] } else { &[] };
        let row_groups = u64::from(job.row_pad) / (self.lanes() * TILE);
        let groups = row_groups * u64::from(job.column_pad).div_ceil(span);
        let (rows, columns) = (u64::from(job.row_count), u64::from(job.column_count));
        let flops = 2 * rows * columns * self.shape.dim as u64;
        self.push_tiles(Stage::RankCount, flags, &binds, job, groups, flops);
    }

    /// The tile in which scores are stored to be counted; none in other families, and where rows make no
    /// whole tiles.
    fn counted_tile(&self, job: Job) -> Option<Tile> {
        match self.family {
            Family::Block { tile, .. } if job.row_pad.is_multiple_of(tile.rows()) => Some(tile),
            _ => None,
        }
    }

    /// The counts from stored scores, a chunk at a time. A single chunk's are there still when its
    /// candidates are counted again.
    fn stored_count(&mut self, job: Job, tile: Tile, candidates: Slot, pairs: bool, again: bool) {
        let columns = (u64::from(job.column_begin), u64::from(job.column_count));
        let chunks = self.weight_chunks(columns);
        let there = again && chunks.len() == 1;
        for chunk in chunks {
            let job = Job {
                span_width: u(STORED_SPAN),
                ..weight_job(first_tables(job), chunk)
            };
            if !there {
                self.tile_scores_of(job, tile, candidates, Slot::WeightScratch);
            }
            let spans = u64::from(job.weight_count).div_ceil(STORED_SPAN);
            if pairs {
                let binds = [
                    Slot::WeightScratch,
                    Slot::PairRows,
                    Slot::PairKeys,
                    Slot::PairCounts,
                ]
                .map(Bind::from);
                let groups = self.sizes.pairs * spans;
                self.push(Stage::StoredCount, &["PAIRS"], &binds, job, groups);
            }
            let binds = [Slot::WeightScratch, Slot::EntryKeys, Slot::EntryCounts].map(Bind::from);
            let quads = u64::from(job.row_count).div_ceil(TILE);
            let blocks = u64::from(job.per_row).div_ceil(STORED_KEYS);
            self.push(Stage::StoredCount, &[], &binds, job, quads * blocks * spans);
        }
    }
}

/// The numbers of a job on a chunk of all candidates.
pub(super) fn candidate_job(job: Job, (begin, count): (u64, u64)) -> Job {
    let pad = count.div_ceil(COLUMN_UNIT) * COLUMN_UNIT;
    Job {
        column_begin: u(begin),
        column_count: u(count),
        column_pad: u(pad),
        item_begin: u(begin),
        item_count: u(count),
        item_pad: u(pad),
        ..job
    }
}
