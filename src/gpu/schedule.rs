//! The list of dispatches of a plan: stages, what they bind, their jobs. Pure data; one short loop
//! in [`Plan::encode_part`](super::Plan::encode_part) runs it.

use super::{
    Stage, TableLayouts,
    job::{self, Job, flag},
    sizes::{COLUMN_UNIT, Limits, Piece, SUM_BLOCK, Sizes, TILE},
    slot::Slot,
};
use crate::{
    ColumnKind, ReductionKind, Result, Shape, Want,
    loss::{Outer, Pool, Score, Spec, TargetForm},
};

/// Columns that one workgroup of the weights stage walks.
pub const WEIGHT_SPAN: u64 = 128;

/// A bound buffer, or a piece of a table in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bind {
    /// The buffer.
    pub slot: Slot,
    /// Rows of the table, if not all.
    pub piece: Option<Piece>,
}

impl From<Slot> for Bind {
    fn from(slot: Slot) -> Self {
        Bind { slot, piece: None }
    }
}

/// One dispatch.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispatch {
    /// The stage.
    pub stage: Stage,
    /// Flags of its text beyond the plan's.
    pub flags: Vec<&'static str>,
    /// What it binds, in the order of the text.
    pub binds: Vec<Bind>,
    /// Its numbers.
    pub job: Job,
    /// Workgroups.
    pub grid: [u32; 2],
    /// Multiply-adds times two of the score products and gradient products.
    pub flops: u64,
}

/// Builds the list.
pub struct Schedule<'a> {
    /// The shape.
    pub shape: &'a Shape,
    /// The loss's facts.
    pub spec: &'a Spec,
    /// The cuts.
    pub sizes: &'a Sizes,
    /// How tables lie in memory.
    pub layouts: &'a TableLayouts,
    /// The device's limits.
    pub limits: &'a Limits,
    /// Invocations per workgroup.
    pub lanes: u64,
    /// Which gradients.
    pub want: Want,
    /// The list so far.
    pub list: Vec<Dispatch>,
}

/// Which table `pack` reads.
#[derive(Clone, Copy)]
struct Source {
    table: Slot,
    ids: Slot,
    links: Slot,
    second: bool,
    flags: u32,
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "ids, counts and bytes / 16 are checked to fit 32 bits"
)]
fn u(value: u64) -> u32 {
    debug_assert!(u32::try_from(value).is_ok(), "{value} fits 32 bits");
    value as u32
}

impl Schedule<'_> {
    fn base(&self) -> Job {
        let s = self.sizes;
        Job {
            rows: u(s.rows),
            pairs: u(s.pairs),
            columns: u(s.columns),
            span_width: u(s.span_width),
            spans: u(s.spans),
            dim: u(self.shape.dim as u64),
            dim4: u(s.dim4),
            packed_stride: u(s.stride),
            table_rows: u(self.shape.candidates as u64),
            second_dim4: u(s.second_dim4),
            second_stride: u(s.second_stride),
            row_total: u(s.row_total),
            thetas: u(self.spec.thetas as u64),
            per_row: match self.shape.columns {
                ColumnKind::Sampled(per_row) => u(per_row as u64),
                _ => 0,
            },
            flags: flag(job::COSINE, self.spec.score == Score::Cosine)
                | flag(job::LOG_Q, self.shape.log_q)
                | flag(job::TANGENT, self.spec.target == TargetForm::Tangent)
                | flag(
                    job::PER_GROUP,
                    self.spec.pool == Pool::Query { per_group: true },
                )
                | flag(job::LOG_MEAN, self.spec.outer == Outer::LogMeanExp)
                | flag(job::MEAN, self.shape.reduction == ReductionKind::Mean),
            ..Job::default()
        }
    }

    fn push(
        &mut self,
        stage: Stage,
        flags: &[&'static str],
        binds: &[Bind],
        mut job: Job,
        groups: u64,
    ) {
        if groups == 0 {
            return;
        }
        let x = groups.min(u64::from(self.limits.max_groups));
        job.grid_x = u(x);
        job.groups = u(groups);
        self.list.push(Dispatch {
            stage,
            flags: flags.to_vec(),
            binds: binds.to_vec(),
            job,
            grid: [u(x), u(groups.div_ceil(x))],
            flops: 0,
        });
    }

    /// One invocation per item.
    fn push_items(
        &mut self,
        stage: Stage,
        flags: &[&'static str],
        binds: &[Bind],
        job: Job,
        items: u64,
    ) {
        self.push(stage, flags, binds, job, items.div_ceil(self.lanes));
    }

    fn push_tiles(
        &mut self,
        stage: Stage,
        flags: &[&'static str],
        binds: &[Bind],
        job: Job,
        groups: u64,
        flops: u64,
    ) {
        self.push(stage, flags, binds, job, groups);
        if let Some(last) = self.list.last_mut() {
            last.flops = flops;
        }
    }

    /// The dispatches before and for the value; then, with gradients wanted, those behind.
    ///
    /// # Errors
    /// A table that cannot be cut to the binding limit.
    pub fn build(&mut self) -> Result<usize> {
        self.sorts();
        self.pair_rows();
        for chunk in self.row_chunks() {
            self.pack_queries(chunk, true)?;
            self.positives(chunk)?;
            for columns in self.column_chunks() {
                self.pack_columns(chunk, columns, true)?;
                self.reduce(chunk, columns);
            }
        }
        self.finish();
        let forward = self.list.len();
        if self.want != Want::NOTHING || self.spec.thetas > 0 {
            self.pair_gradients();
        }
        if self.want != Want::NOTHING {
            for chunk in self.row_chunks() {
                self.backward(chunk)?;
            }
        }
        Ok(forward)
    }

    fn row_chunks(&self) -> Vec<(u64, u64)> {
        Sizes::chunks(self.sizes.rows, self.sizes.row_chunk).collect()
    }

    fn pair_chunks(&self) -> Vec<(u64, u64)> {
        Sizes::chunks(self.sizes.pairs, self.sizes.pair_chunk).collect()
    }

    fn column_chunks(&self) -> Vec<(u64, u64)> {
        Sizes::chunks(self.sizes.columns, self.sizes.column_chunk).collect()
    }

    fn row_pad(&self, count: u64) -> u64 {
        count.div_ceil(self.lanes * TILE) * self.lanes * TILE
    }

    fn row_job(&self, (begin, count): (u64, u64)) -> Job {
        let row_pad = self.row_pad(count);
        Job {
            row_begin: u(begin),
            row_count: u(count),
            row_pad: u(row_pad),
            second_queries: u(row_pad * self.sizes.stride),
            ..self.base()
        }
    }

    fn column_job(&self, rows: (u64, u64), (begin, count): (u64, u64)) -> Job {
        let pad = count.div_ceil(COLUMN_UNIT) * COLUMN_UNIT;
        let job = self.row_job(rows);
        let width = if self.sizes.sampled() {
            u64::from(job.row_pad)
        } else {
            1
        };
        Job {
            column_begin: u(begin),
            column_count: u(count),
            column_pad: u(pad),
            weight_count: u(count),
            weight_pad: u(pad),
            second_candidates: u(width * pad * self.sizes.stride),
            ..job
        }
    }

    /// Sorts places by id: `links` and, for shared columns, `heads`.
    fn sort(&mut self, ids: Slot, links: Slot, count: u64, table: u64) {
        if count == 0 {
            return;
        }
        let segments = Sizes::segments(count);
        let bits = u64::from((table + 1).ilog2() + 1);
        let mut order = (Slot::OrderB, Slot::OrderA);
        for pass in 0..bits.div_ceil(4) {
            let base = self.base();
            let job = Job {
                table_rows: u(table),
                sort_count: u(count),
                sort_shift: u(pass * 4),
                sort_segments: u(segments),
                flags: base.flags | flag(job::IDENTITY, pass == 0),
                ..base
            };
            let items = segments * 16;
            let before = order.0.into();
            self.push_items(
                Stage::RadixCount,
                &[],
                &[ids.into(), before, Slot::Histogram.into()],
                job,
                items,
            );
            self.push(Stage::RadixScan, &[], &[Slot::Histogram.into()], job, 1);
            self.push_items(
                Stage::RadixScatter,
                &[],
                &[ids.into(), before, Slot::Histogram.into(), order.1.into()],
                job,
                items,
            );
            order = (order.1, order.0);
        }
        let job = Job {
            table_rows: u(table),
            sort_count: u(count),
            ..self.base()
        };
        let shared = links == Slot::ColumnLinks && !self.sizes.sampled();
        let heads = if shared {
            Slot::Heads
        } else {
            Slot::NothingWritten
        };
        let flags: &[&str] = if shared { &["HEADS"] } else { &[] };
        self.push_items(
            Stage::Occurrences,
            flags,
            &[ids.into(), order.0.into(), links.into(), heads.into()],
            job,
            count,
        );
    }

    fn sorts(&mut self) {
        let (queries, candidates) = (self.shape.queries as u64, self.shape.candidates as u64);
        if self.shape.indexed_rows {
            self.sort(Slot::RowIds, Slot::RowLinks, self.sizes.rows, queries);
        }
        if self.want.candidates {
            self.sort(
                Slot::PositiveIds,
                Slot::PositiveLinks,
                self.sizes.pairs,
                candidates,
            );
        }
        match self.shape.columns {
            ColumnKind::All => {}
            ColumnKind::Shared(n) => {
                self.sort(Slot::ColumnIds, Slot::ColumnLinks, n as u64, candidates);
            }
            ColumnKind::Sampled(n) => {
                self.sort(
                    Slot::ColumnIds,
                    Slot::ColumnLinks,
                    n as u64 * self.sizes.rows,
                    candidates,
                );
            }
        }
    }

    fn pair_rows(&mut self) {
        let given = |on: bool, slot: Slot| if on { slot } else { Slot::Nothing };
        let upstream = self.shape.reduction == ReductionKind::None;
        let base = self.base();
        let job = Job {
            flags: base.flags
                | flag(job::WEIGHTS, self.shape.weights)
                | flag(job::UPSTREAM, upstream),
            ..base
        };
        self.push_items(
            Stage::PairRows,
            &[],
            &[
                Slot::PairOffsets.into(),
                Slot::PositiveIds.into(),
                given(self.shape.weights, Slot::PairWeights).into(),
                given(upstream, Slot::Upstream).into(),
                Slot::PairRows.into(),
                Slot::PairInputs.into(),
                Slot::Status.into(),
            ],
            job,
            self.sizes.rows,
        );
        if self.spec.pool != Pool::Each {
            let job = Job {
                flags: base.flags | flag(job::IDENTITY, !self.shape.indexed_rows),
                ..base
            };
            let binds = [
                Slot::PairRows.into(),
                self.row_ids().into(),
                Slot::PairQueries.into(),
            ];
            self.push_items(Stage::PairQueries, &[], &binds, job, self.sizes.pairs);
            self.sort(
                Slot::PairQueries,
                Slot::GroupLinks,
                self.sizes.pairs,
                self.shape.queries as u64,
            );
        }
    }

    fn row_ids(&self) -> Slot {
        if self.shape.indexed_rows {
            Slot::RowIds
        } else {
            Slot::Nothing
        }
    }

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
            let mut flags = Vec::new();
            if layout.half {
                flags.push("HALF");
            } else if layout.stride % 4 == 0 && job.dim % 4 == 0 {
                flags.push("ALIGNED");
            }
            if packed == Slot::Candidates && self.sizes.sampled() {
                flags.push("SAMPLED");
            }
            let log_q = if job.flags & job::LOG_Q != 0 {
                Slot::LogQ
            } else {
                Slot::Nothing
            };
            let binds = [
                Bind {
                    slot: source.table,
                    piece: Some(piece),
                },
                source.ids.into(),
                source.links.into(),
                log_q.into(),
                packed.into(),
                Slot::Status.into(),
            ];
            self.push_items(Stage::Pack, &flags, &binds, job, u64::from(job.item_pad));
        }
        Ok(())
    }

    /// `job` for the second tables, with their width and score.
    fn second_job(&self, job: Job, at: u32) -> Job {
        let cosine = self
            .spec
            .second
            .is_some_and(|second| second.score == Score::Cosine);
        Job {
            dim: u(self.shape.second_dim.unwrap_or(0) as u64),
            dim4: job.second_dim4,
            packed_stride: job.second_stride,
            packed_at: at,
            flags: job.flags & !(job::COSINE | job::LOG_Q) | flag(job::COSINE, cosine),
            ..job
        }
    }

    fn pack_queries(&mut self, chunk: (u64, u64), count: bool) -> Result<()> {
        let job = self.row_job(chunk);
        let cosine = self.spec.score == Score::Cosine;
        let job = Job {
            item_begin: job.row_begin,
            item_count: job.row_count,
            item_pad: job.row_pad,
            flags: job.flags & !job::LOG_Q | flag(job::COUNT, count),
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
            let job = self.second_job(job, job.second_queries);
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

    fn pack_columns(&mut self, rows: (u64, u64), columns: (u64, u64), count: bool) -> Result<()> {
        let job = self.column_job(rows, columns);
        let count_here = count && (rows.0 == 0 || self.sizes.sampled());
        let cosine = self.spec.score == Score::Cosine;
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
            let job = self.second_job(job, job.second_candidates);
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

    fn mask(&mut self, job: Job) {
        let excluded = self.shape.excluded.is_some_and(|count| count > 0);
        let given = |slot: Slot| if excluded { slot } else { Slot::Nothing };
        let job = Job {
            flags: job.flags
                | flag(job::IDENTITY, !self.shape.indexed_rows)
                | flag(job::EXCLUDE, excluded)
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
        if self.sizes.sampled() {
            let binds = [
                rows,
                offsets,
                ids,
                Slot::ColumnIds.into(),
                Slot::Masks.into(),
            ];
            let words = u64::from(job.column_pad / 32);
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
        self.push_items(Stage::Mask, flags, &binds, job, row_pad);
    }

    /// Packs the pairs' candidates, chunk by chunk.
    fn pack_positives(&mut self, rows: (u64, u64), pairs: (u64, u64), count: bool) -> Result<Job> {
        let job = Job {
            pair_begin: u(pairs.0),
            pair_count: u(pairs.1),
            ..self.row_job(rows)
        };
        let pack = Job {
            item_begin: job.pair_begin,
            item_count: job.pair_count,
            item_pad: job.pair_count,
            flags: job.flags | flag(job::COUNT, count && rows.0 == 0),
            ..job
        };
        let source = Source {
            table: Slot::CandidateTable,
            ids: Slot::PositiveIds,
            links: Slot::Nothing,
            second: false,
            flags: 0,
        };
        self.pack(source, Slot::Positives, pack)?;
        Ok(job)
    }

    fn positives(&mut self, rows: (u64, u64)) -> Result<()> {
        for pairs in self.pair_chunks() {
            let job = self.pack_positives(rows, pairs, true)?;
            let binds = [
                Slot::Queries.into(),
                Slot::Positives.into(),
                Slot::PairRows.into(),
                Slot::PairInputs.into(),
                Slot::PairScores.into(),
                Slot::PairTerms.into(),
            ];
            self.push_items(Stage::PositiveScores, &[], &binds, job, pairs.1);
        }
        Ok(())
    }

    fn sampled_scores(&mut self, job: Job) {
        let tiles = u64::from(job.row_pad / 4) * u64::from(job.weight_pad);
        let binds = |to: Slot| [Slot::Queries.into(), Slot::Candidates.into(), to.into()];
        let first = Job {
            second_queries: 0,
            second_candidates: 0,
            ..job
        };
        self.push_items(
            Stage::SampledScores,
            &[],
            &binds(Slot::WeightScratch),
            first,
            tiles,
        );
        if self.spec.second.is_some() {
            let second = self.second_job(job, 0);
            self.push_items(
                Stage::SampledScores,
                &[],
                &binds(Slot::SecondScores),
                second,
                tiles,
            );
        }
    }

    /// Text flags of the two stages that hold the score tile.
    fn tile_flags(&self) -> Vec<&'static str> {
        let mut flags = Vec::new();
        let mut add = |on: bool, name: &'static str| {
            if on {
                flags.push(name);
            }
        };
        add(self.sizes.sampled(), "STORED");
        add(self.shape.log_q && !self.sizes.is_sum(), "LOG_Q_GIVEN");
        flags
    }

    fn reduce(&mut self, rows: (u64, u64), columns: (u64, u64)) {
        let job = self.column_job(rows, columns);
        let counts = Job {
            flags: job.flags | flag(job::FIRST, columns.0 == 0),
            ..job
        };
        self.push_items(
            Stage::RowCounts,
            &[],
            &[Slot::Masks.into(), Slot::RowCounts.into()],
            counts,
            rows.1,
        );
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
        let groups = u64::from(job.row_pad) / (self.lanes * TILE) * self.sizes.spans;
        let flops = self.flops(rows.1, columns.1);
        self.push_tiles(
            Stage::RowReduce,
            &self.tile_flags(),
            &binds,
            job,
            groups,
            flops,
        );
    }

    fn flops(&self, rows: u64, columns: u64) -> u64 {
        let second = self.shape.second_dim.unwrap_or(0) as u64;
        2 * rows * columns * (self.shape.dim as u64 + second)
    }

    fn finish(&mut self) {
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
        self.push_items(
            Stage::LossBlocks,
            &[],
            &binds,
            job,
            pairs.div_ceil(SUM_BLOCK),
        );
        let binds = [Slot::Blocks.into(), Slot::BatchScalars.into()];
        self.push(Stage::LossSum, &[], &binds, job, 1);
    }

    fn theta_terms(&self) -> Slot {
        if self.spec.thetas > 0 {
            Slot::ThetaTerms
        } else {
            Slot::NothingWritten
        }
    }

    fn pair_gradients(&mut self) {
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

    fn backward(&mut self, rows: (u64, u64)) -> Result<()> {
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
        self.positives_backward(rows)?;
        if self.want.queries {
            self.norm_queries(rows)?;
        }
        Ok(())
    }

    fn weights(&mut self, rows: (u64, u64), columns: (u64, u64)) -> Result<()> {
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
            let row_groups = u64::from(job.row_pad) / (self.lanes * TILE);
            let groups = row_groups * pad.div_ceil(WEIGHT_SPAN);
            let flops = if self.sizes.sampled() {
                0
            } else {
                self.flops(rows.1, count)
            };
            self.push_tiles(
                Stage::Weights,
                &self.tile_flags(),
                &binds,
                job,
                groups,
                flops,
            );
            if self.sizes.sampled() {
                self.sampled_products(job)?;
            } else {
                self.products(job, row_groups)?;
            }
        }
        Ok(())
    }

    fn products(&mut self, job: Job, row_groups: u64) -> Result<()> {
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

    fn sampled_products(&mut self, job: Job) -> Result<()> {
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
    fn grad_pieces(&self, slot: Slot) -> Result<Vec<Piece>> {
        let (rows, what) = match slot {
            Slot::GradQueries => (self.shape.queries, "grad_queries"),
            _ => (self.shape.candidates, "grad_candidates"),
        };
        Sizes::pieces(rows as u64, self.layouts.of(slot), self.limits, what)
    }

    fn positives_backward(&mut self, rows: (u64, u64)) -> Result<()> {
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
                flags: job.flags | flag(job::IDENTITY, !indexed),
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
