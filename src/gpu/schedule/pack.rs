//! Packing table rows and masking columns.

use super::{Bind, Schedule, ranks::candidate_job, u};
use crate::gpu::{
    Slot, Stage, TableLayout,
    job::{self, Job, flag},
    sizes::Sizes,
};
use crate::{ColumnKind, Result, loss::Score};

/// Flags of numbers that belong to the first candidates alone.
const OF_COLUMNS: u32 = job::LOG_Q | job::COLUMN_PARAMETERS | job::ENTRY_CONSTANTS;

/// Which table `pack` reads.
#[derive(Clone, Copy)]
struct Source {
    table: Slot,
    ids: Slot,
    links: Slot,
    second: bool,
    flags: u32,
}

impl Schedule<'_> {
    /// Packs rows of a table, piece by piece.
    fn pack(&mut self, source: Source, packed: Slot, job: Job) -> Result<()> {
        let layout = self.layouts.of(source.table);
        let rows = match source.table {
            Slot::QueryTable | Slot::SecondQueryTable => self.shape.queries,
            _ => self.shape.candidates,
        } as u64;
        let identity = source.flags & job::IDENTITY != 0;
        for piece in Sizes::pieces(rows, layout, self.limits, source.table_name())? {
            let (begin, end) = (
                u64::from(job.item_begin),
                u64::from(job.item_begin + job.item_count),
            );
            // The first piece also writes the padding.
            let apart = end <= piece.begin || begin >= piece.begin + piece.count;
            if identity && piece.begin != 0 && apart {
                continue;
            }
            let job = Job {
                table_rows: u(rows),
                table_begin: u(piece.begin),
                table_count: u(piece.count),
                table_stride: u(layout.stride as u64),
                flags: source.flags | job.flags,
                ..job
            };
            let mut flags = layout_flags(layout, job.dim);
            if packed == Slot::Candidates && self.sizes.sampled() {
                flags.push("SAMPLED");
            }
            let given = |flag: u32, slot: Slot| match job.flags & flag {
                0 => Slot::Nothing,
                _ => slot,
            };
            let mut binds = vec![
                Bind {
                    slot: source.table,
                    piece: Some(piece),
                },
                source.ids.into(),
                source.links.into(),
                given(job::LOG_Q, Slot::LogQ).into(),
                given(job::COLUMN_PARAMETERS, Slot::ColumnParameters).into(),
            ];
            if flags.contains(&"SAMPLED") {
                let entries = match self.spec.ranks {
                    true => Slot::EntryRanks,
                    false => Slot::EntryConstants,
                };
                binds.push(given(job::ENTRY_CONSTANTS, entries).into());
            }
            binds.extend([Bind::from(packed), Slot::Status.into()]);
            self.push_teams(Stage::Pack, flags, &binds, job, u64::from(job.item_pad));
        }
        Ok(())
    }

    /// `job` for the second tables, with their width; `unit` says of a score whether the table at
    /// hand is taken to unit length.
    pub(super) fn second_job(&self, job: Job, at: u32, unit: fn(Score) -> bool) -> Job {
        let cosine = self.spec.second.is_some_and(|second| unit(second.score));
        Job {
            dim: u(self.shape.second_dim.unwrap_or(0) as u64),
            dim4: job.second_dim4,
            packed_stride: job.second_stride,
            packed_at: at,
            flags: job.flags & !(job::COSINE | OF_COLUMNS) | flag(job::COSINE, cosine),
            ..job
        }
    }

    pub(super) fn pack_queries(&mut self, chunk: (u64, u64), count: bool) -> Result<()> {
        if self.shape.given.is_some() {
            return Ok(());
        }
        let job = self.row_job(chunk);
        let cosine = self.spec.score.unit_queries();
        let job = Job {
            item_begin: job.row_begin,
            item_count: job.row_count,
            item_pad: job.row_pad,
            flags: job.flags & !(job::COSINE | OF_COLUMNS)
                | flag(job::COSINE, cosine)
                | flag(job::COUNT, count),
            ..job
        };
        let indexed = self.shape.indexed_rows;
        let source = Source {
            table: Slot::QueryTable,
            ids: self.row_ids(),
            links: if indexed {
                Slot::RowLinks
            } else {
                Slot::Nothing
            },
            second: false,
            flags: flag(job::IDENTITY, !indexed),
        };
        let zero = flag(job::COUNT_ZERO, count && cosine);
        self.pack(
            Source {
                flags: source.flags | zero,
                ..source
            },
            Slot::Queries,
            job,
        )?;
        if self.spec.second.is_some() {
            let job = self.second_job(job, job.second_queries, Score::unit_queries);
            self.pack(
                Source {
                    table: Slot::SecondQueryTable,
                    second: true,
                    ..source
                },
                Slot::Queries,
                job,
            )?;
        }
        Ok(())
    }

    /// Packs sampled columns without their ranks, which are not known yet.
    pub(super) fn pack_unranked(&mut self, rows: (u64, u64), columns: (u64, u64)) -> Result<()> {
        let job = self.column_job(rows, columns);
        let items = job.row_pad * job.column_pad;
        let job = Job {
            item_begin: job.column_begin,
            item_count: items,
            item_pad: items,
            flags: job.flags & !job::ENTRY_CONSTANTS,
            ..job
        };
        let source = Source {
            table: Slot::CandidateTable,
            ids: Slot::ColumnIds,
            links: Slot::ColumnLinks,
            second: false,
            flags: 0,
        };
        self.pack(source, Slot::Candidates, job)
    }

    /// Packs a chunk of all candidates for `rows`, whatever the columns are.
    pub(super) fn pack_candidates(
        &mut self,
        rows: (u64, u64),
        chunk: (u64, u64),
        to: Slot,
    ) -> Result<Job> {
        let job = candidate_job(self.row_job(rows), chunk);
        let job = Job {
            flags: job.flags & !OF_COLUMNS,
            ..job
        };
        let source = Source {
            table: Slot::CandidateTable,
            ids: Slot::Nothing,
            links: Slot::Nothing,
            second: false,
            flags: job::IDENTITY,
        };
        self.pack(source, to, job)?;
        Ok(job)
    }

    pub(super) fn pack_columns(
        &mut self,
        rows: (u64, u64),
        columns: (u64, u64),
        count: bool,
    ) -> Result<()> {
        if self.shape.given.is_some() {
            self.mask(self.column_job(rows, columns));
            return Ok(());
        }
        let job = self.column_job(rows, columns);
        let count_here = count && (rows.0 == 0 || self.sizes.sampled());
        let cosine = self.spec.score.unit_candidates();
        let items = if self.sizes.sampled() {
            job.row_pad * job.column_pad
        } else {
            job.column_pad
        };
        let job = Job {
            item_begin: job.column_begin,
            item_count: if self.sizes.sampled() {
                items
            } else {
                job.column_count
            },
            item_pad: items,
            flags: job.flags | job::CANDIDATES | flag(job::COUNT, count_here),
            ..job
        };
        let all = self.shape.columns == ColumnKind::All;
        let given = |slot: Slot| if all { Slot::Nothing } else { slot };
        let source = Source {
            table: Slot::CandidateTable,
            ids: given(Slot::ColumnIds),
            links: given(Slot::ColumnLinks),
            second: false,
            flags: flag(job::IDENTITY, all),
        };
        let zero = flag(job::COUNT_ZERO, count_here && cosine);
        self.pack(
            Source {
                flags: source.flags | zero,
                ..source
            },
            Slot::Candidates,
            job,
        )?;
        if self.spec.second.is_some() {
            let job = self.second_job(job, job.second_candidates, Score::unit_candidates);
            self.pack(
                Source {
                    table: Slot::SecondCandidateTable,
                    second: true,
                    ..source
                },
                Slot::Candidates,
                job,
            )?;
        }
        self.mask(self.column_job(rows, columns));
        Ok(())
    }

    /// Packs the pairs' candidates, chunk by chunk.
    pub(super) fn pack_positives(
        &mut self,
        rows: (u64, u64),
        pairs: (u64, u64),
        count: bool,
    ) -> Result<Job> {
        let job = Job {
            pair_begin: u(pairs.0),
            pair_count: u(pairs.1),
            // Of the packed positives.
            second_candidates: u(pairs.1 * self.sizes.stride),
            ..self.row_job(rows)
        };
        if self.shape.given.is_some() {
            return Ok(job);
        }
        let pack = Job {
            item_begin: job.pair_begin,
            item_count: job.pair_count,
            item_pad: job.pair_count,
            flags: job.flags & !job::ENTRY_CONSTANTS | flag(job::COUNT, count && rows.0 == 0),
            ..job
        };
        let source = Source {
            table: Slot::CandidateTable,
            ids: Slot::PositiveIds,
            links: Slot::Nothing,
            second: false,
            flags: job::IGNORABLE,
        };
        self.pack(source, Slot::Positives, pack)?;
        if self.spec.second.is_some_and(|tile| tile.frozen) {
            let pack = self.second_job(pack, job.second_candidates, Score::unit_candidates);
            let source = Source {
                table: Slot::SecondCandidateTable,
                second: true,
                ..source
            };
            self.pack(source, Slot::Positives, pack)?;
        }
        Ok(job)
    }
}

/// Flags of the texts that read a caller's table.
pub(super) fn layout_flags(layout: TableLayout, dim: u32) -> Vec<&'static str> {
    if layout.half {
        vec!["HALF"]
    } else if layout.stride.is_multiple_of(4) && dim.is_multiple_of(4) {
        vec!["ALIGNED"]
    } else {
        Vec::new()
    }
}

impl Source {
    fn table_name(self) -> &'static str {
        match (self.table, self.second) {
            (Slot::QueryTable, _) => "queries",
            (Slot::SecondQueryTable, _) => "adv_queries",
            (_, true) => "adv_candidates",
            _ => "candidates",
        }
    }
}
