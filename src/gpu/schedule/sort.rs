//! Sorting places by id, and what is known of every pair beforehand.

use super::{Bind, Schedule, u};
use crate::gpu::{
    Family, Slot, Stage,
    job::{self, Job, flag},
    sizes::Sizes,
};
use crate::{ColumnKind, ReductionKind, loss::Pool};

/// Places up to which a GPU compares all with all: it is done sooner than with the many small
/// dispatches of a sort.
const SHORT: u64 = 4096;

impl Schedule<'_> {
    /// Sorts places by id: `links` and, for shared columns, `heads`.
    pub(super) fn sort(&mut self, ids: Slot, links: Slot, count: u64, table: u64) {
        if count == 0 {
            return;
        }
        let sampled = links == Slot::ColumnLinks && self.sizes.sampled();
        if count <= SHORT && !sampled && matches!(self.family, Family::Block { .. }) {
            return self.occurrences(Stage::ShortOccurrences, &[ids], links, count, table);
        }
        let segments = Sizes::segments(count);
        let bits = u64::from((table + 1).ilog2() + 1);
        let mut order = (Slot::OrderB, Slot::OrderA);
        if sampled {
            let job = Job {
                sort_count: u(count),
                ..self.base()
            };
            self.push_items(Stage::SampledOrder, &[], &[order.0.into()], job, count);
        }
        for pass in 0..bits.div_ceil(4) {
            let base = self.base();
            let job = Job {
                table_rows: u(table),
                sort_count: u(count),
                sort_shift: u(pass * 4),
                sort_segments: u(segments),
                flags: base.flags | flag(job::IDENTITY, pass == 0 && !sampled),
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
        let from = [ids, order.0];
        self.occurrences(Stage::Occurrences, &from, links, count, table);
    }

    /// What is known of places with the same id.
    fn occurrences(&mut self, stage: Stage, from: &[Slot], links: Slot, count: u64, table: u64) {
        let job = Job {
            table_rows: u(table),
            sort_count: u(count),
            ..self.base()
        };
        let shared = links == Slot::ColumnLinks && !self.sizes.sampled();
        let (heads, flags) = match shared {
            true => (Slot::Heads, vec!["HEADS"]),
            false => (Slot::NothingWritten, vec![]),
        };
        let binds = from.iter().copied().chain([links, heads]);
        let binds: Vec<Bind> = binds.map(Bind::from).collect();
        match stage {
            Stage::ShortOccurrences => self.push_teams(stage, flags, &binds, job, count),
            _ => self.push_items(stage, &flags, &binds, job, count),
        }
    }

    pub(super) fn sort_rows(&mut self) {
        if self.shape.indexed_rows {
            let queries = self.shape.queries as u64;
            self.sort(Slot::RowIds, Slot::RowLinks, self.sizes.rows, queries);
        }
    }

    /// Sorts positives and columns, once positives are candidates.
    pub(super) fn sorts(&mut self) {
        if self.shape.given.is_some() {
            return;
        }
        let candidates = self.shape.candidates as u64;
        if self.want.candidates || self.want.column_parameters {
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

    pub(super) fn pair_rows(&mut self) {
        let given = |on: bool, slot: Slot| if on { slot } else { Slot::Nothing };
        let upstream = self.shape.reduction == ReductionKind::None;
        let parameters = self.row_parameters();
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
                parameters.into(),
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

    /// Where the numbers of batch rows are, gathered if they belong to queries.
    fn row_parameters(&mut self) -> Slot {
        if self.shape.row_parameters == 0 {
            return Slot::Nothing;
        }
        if !self.parameters_by_query() {
            return Slot::RowParameters;
        }
        let to = Slot::GatheredParameters;
        let binds = [Slot::RowIds, Slot::RowParameters, to].map(super::Bind::from);
        let (job, rows) = (self.base(), self.sizes.rows);
        self.push_items(Stage::RowParameters, &[], &binds, job, rows);
        to
    }

    /// Whether row parameters belong to queries, and rows are not the queries themselves.
    pub(super) fn parameters_by_query(&self) -> bool {
        self.shape.parameters_by_query && self.shape.indexed_rows
    }

    pub(super) fn row_ids(&self) -> Slot {
        if self.shape.indexed_rows {
            Slot::RowIds
        } else {
            Slot::Nothing
        }
    }
}
