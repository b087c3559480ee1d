//! A plan with the lists that its steps are uploaded to: [`Planned`].

use super::padded::{Capacity, Padded};
use crate::{
    ColumnKind, DynLoss, Result, Shape, Want,
    gpu::{Buffers, Context, Plan, PlanOptions, Slice, TableLayouts},
    train::{Step, adversary::Side},
};

/// Serves all steps of one side and its capacity.
#[derive(Debug)]
pub struct Planned {
    side: Side,
    capacity: Capacity,
    shape: Shape,
    plan: Plan,
    buffers: Buffers,
    /// Kept for its memory.
    padded: Padded,
}

impl Planned {
    /// A plan for steps of `side` and `capacity` on the tables, lists and gradients of `resident`.
    ///
    /// # Errors
    /// The device has no room.
    pub fn new(
        context: &Context,
        loss: &dyn DynLoss,
        shape: &Shape,
        (side, capacity): (Side, Capacity),
        resident: Buffers,
    ) -> Result<Self> {
        let shape = capacity.shape(shape);
        let layouts = TableLayouts::dense(&shape);
        let options = PlanOptions {
            want: wanted(side),
            ..PlanOptions::default()
        };
        let context = &context.tuned(loss, &shape)?;
        let plan = Plan::new(context, loss, &shape, &layouts, &options)?;
        plan.set_factor(factor(side));
        let list = |label, words: usize| {
            let usage = wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
            let buffer = context.buffer(label, words as u64 * 4, usage);
            Some(Slice::whole(&buffer))
        };
        let columns = match shape.columns {
            ColumnKind::All => None,
            ColumnKind::Shared(count) => list("columns", count),
            ColumnKind::Sampled(count) => list("columns", shape.rows * count),
        };
        let offsets = shape.many_positives.then_some(shape.rows + 1);
        let buffers = Buffers {
            rows: list("rows", shape.rows),
            positive_offsets: offsets.and_then(|count| list("positive offsets", count)),
            positives: list("positives", shape.pairs),
            columns,
            ..resident
        };
        Ok(Planned {
            side,
            capacity,
            shape,
            plan,
            buffers,
            padded: Padded::default(),
        })
    }

    /// Whose steps, and what it has room for.
    pub fn serves(&self) -> (Side, Capacity) {
        (self.side, self.capacity)
    }

    /// What its bits depend on beside its steps.
    pub fn id(&self) -> String {
        self.plan.id()
    }

    /// Uploads the ids of a step; `spare` is masked in every row.
    pub fn upload(&mut self, step: &Step, spare: u32) {
        self.padded.fill(step, &self.shape, spare);
        let queue = self.plan.context().queue();
        for (to, list) in [
            (&self.buffers.rows, &self.padded.rows),
            (&self.buffers.positive_offsets, &self.padded.offsets),
            (&self.buffers.positives, &self.padded.positives),
            (&self.buffers.columns, &self.padded.columns),
        ] {
            if let Some(to) = to {
                queue.write_buffer(&to.buffer, to.offset, bytemuck::cast_slice(list));
            }
        }
    }

    /// Records the evaluation of the step that was uploaded.
    ///
    /// # Errors
    /// The device is lost.
    pub fn encode(&mut self, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        self.plan.encode(encoder, &self.buffers)
    }
}

/// The gradients that a side's steps take.
fn wanted(side: Side) -> Want {
    match side {
        Side::Model => Want {
            queries: true,
            candidates: true,
            ..Want::NOTHING
        },
        Side::Adversary => Want {
            second: true,
            ..Want::NOTHING
        },
    }
}

/// What a side's value is of the loss. Descending along the negative loss is ascending along the
/// loss.
pub fn factor(side: Side) -> f32 {
    match side {
        Side::Model => 1.0,
        Side::Adversary => -1.0,
    }
}
