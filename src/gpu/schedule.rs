//! The list of dispatches of a plan: stages, what they bind, their jobs. Pure data; one short loop
//! in [`Plan::encode_part`](super::Plan::encode_part) runs it.

mod backward;
mod blocks;
mod centres;
mod column_parameters;
mod forward;
mod kth_largest;
mod mask;
mod moments;
mod pack;
mod positives;
mod products;
mod ranks;
mod sort;
mod statistics;
mod stored;

use super::{
    Block, Family, Stage, TableLayouts,
    job::{self, Job, flag},
    sizes::{COLUMN_UNIT, Limits, Piece, Sizes, TEAM},
    slot::Slot,
};
use crate::{
    ColumnKind, ReductionKind, Result, Shape, Want,
    loss::{Outer, Pool, Score, Spec, TargetForm},
};

pub use kth_largest::KEYS;

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
    /// The tile, where the block family's text of the stage is the one that runs.
    pub block: Option<Block>,
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
    /// How kernels are written.
    pub family: Family,
    /// Which gradients.
    pub want: Want,
    /// Whether gradients are added to what is there.
    pub accumulate: bool,
    /// The list so far.
    pub list: Vec<Dispatch>,
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
            thetas: u(self.spec.learnt() as u64),
            row_parameters: u(self.shape.row_parameters as u64),
            per_class: u(self.shape.columns_per_class as u64),
            query_rows: u(self.shape.queries as u64),
            per_row: match self.shape.columns {
                ColumnKind::Sampled(per_row) => u(per_row as u64),
                _ => 0,
            },
            flags: flag(job::COSINE, self.spec.score.unit_candidates())
                | flag(job::PROJECTION, self.spec.score == Score::Projection)
                | flag(job::LOG_Q, self.shape.log_q)
                | flag(job::COLUMN_PARAMETERS, self.shape.column_parameters)
                | flag(
                    job::ENTRY_CONSTANTS,
                    self.shape.entry_constants || self.spec.ranks,
                )
                | flag(job::REFERENCE, self.shape.given == Some(true))
                | flag(job::COMPACT, self.want.compact)
                | flag(job::ABSENT_ROWS, self.spec.absent_positives)
                | flag(job::TANGENT, self.spec.target == TargetForm::Tangent)
                | self.pool_flags()
                | flag(job::EMPTY_ROWS, self.spec.empty_rows)
                | flag(job::LOG_MEAN, self.spec.outer == Outer::LogMeanExp)
                | flag(job::MEAN, self.shape.reduction == ReductionKind::Mean),
            ..Job::default()
        }
    }

    fn pool_flags(&self) -> u32 {
        match self.spec.pool {
            Pool::Each => 0,
            Pool::Query { per_group, sum } => {
                flag(job::PER_GROUP, per_group) | flag(job::POOL_SUM, sum)
            }
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
            block: None,
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
        self.push(stage, flags, binds, job, items.div_ceil(self.lanes()));
    }

    /// One invocation per item on processors, and a team of them on GPUs.
    fn push_teams(
        &mut self,
        stage: Stage,
        mut flags: Vec<&'static str>,
        binds: &[Bind],
        job: Job,
        items: u64,
    ) {
        let team = match self.family {
            Family::Block { .. } => {
                flags.push("TEAMS");
                TEAM
            }
            Family::Subgroup { .. } | Family::Plain { .. } => 1,
        };
        self.push_items(stage, &flags, binds, job, items * team);
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
        self.sort_rows();
        self.pair_rows();
        if self.shape.columns_per_class > 1 {
            self.positive_centres()?;
        }
        self.sorts();
        if self.spec.ranks {
            self.ranks()?;
        }
        if self.spec.batch_statistics {
            self.batch_statistics()?;
        }
        if self.sizes.moments {
            self.square_moments()?;
        }
        for part in self.row_parts() {
            self.pack_queries(part, true)?;
            self.positives(part)?;
            if self.sizes.moments {
                self.query_images(part);
            }
            for columns in self.column_chunks() {
                self.pack_columns(part, columns, true)?;
                self.reduce(part, columns);
            }
        }
        self.finish();
        self.row_state();
        let forward = self.list.len();
        if self.want != Want::NOTHING || self.spec.learnt() > 0 {
            self.pair_gradients();
        }
        if self.want.column_parameters {
            self.positive_columns();
        }
        if self.want.scores {
            let binds = [
                Slot::PairScores,
                Slot::PairGradients,
                Slot::GradPositiveScores,
            ]
            .map(Bind::from);
            let (job, pairs) = (self.base(), self.sizes.pairs);
            self.push_items(Stage::GivenPositives, &[], &binds, job, pairs);
        }
        if self.want != Want::NOTHING {
            self.clear_gradients()?;
            if self.sizes.moments {
                self.moment_weights();
            }
            for chunk in self.row_chunks() {
                self.backward(chunk)?;
            }
            if self.want.candidates {
                self.positive_candidates()?;
            }
        }
        Ok(forward)
    }

    fn row_chunks(&self) -> Vec<(u64, u64)> {
        Sizes::chunks(self.sizes.rows, self.sizes.row_chunk).collect()
    }

    /// The parts that a chunk of rows is packed in.
    fn parts_of(&self, (begin, count): (u64, u64)) -> Vec<(u64, u64)> {
        let parts = Sizes::chunks(count, self.sizes.row_part);
        parts.map(|(at, count)| (begin + at, count)).collect()
    }

    /// The parts of all chunks.
    fn row_parts(&self) -> Vec<(u64, u64)> {
        let chunks = self.row_chunks().into_iter();
        chunks.flat_map(|chunk| self.parts_of(chunk)).collect()
    }

    fn pair_chunks(&self) -> Vec<(u64, u64)> {
        Sizes::chunks(self.sizes.pairs, self.sizes.pair_chunk).collect()
    }

    fn column_chunks(&self) -> Vec<(u64, u64)> {
        Sizes::chunks(self.sizes.columns, self.sizes.column_chunk).collect()
    }

    /// Invocations per workgroup of all stages but the block family's own.
    pub(super) fn lanes(&self) -> u64 {
        u64::from(self.family.lanes())
    }

    fn row_pad(&self, count: u64) -> u64 {
        let unit = self.family.row_unit(self.sizes.sampled());
        count.div_ceil(unit) * unit
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
}
