//! The list of dispatches of a plan: stages, what they bind, their jobs. Pure data; one short loop
//! in [`Plan::encode_part`](super::Plan::encode_part) runs it.

mod backward;
mod blocks;
mod centres;
mod column_parameters;
mod forward;
mod jobs;
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
    job::Job,
    sizes::{Limits, Piece, Sizes, TEAM},
    slot::Slot,
};
use crate::{Result, Shape, Want, loss::Spec};

pub use kth_largest::KEYS;
pub use ranks::STORED_KEYS;

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
}
