//! A plan with the lists that its steps are uploaded to: [`Planned`].

use super::padded::{Capacity, Padded};
use crate::{
    DynLoss, Result, Shape,
    gpu::{Buffers, Context, Plan, PlanOptions, Slice, TableLayouts},
    train::Step,
};

/// Serves all steps that fit its capacity.
#[derive(Debug)]
pub struct Planned {
    capacity: Capacity,
    plan: Plan,
    buffers: Buffers,
    /// Kept for its memory.
    padded: Padded,
}

impl Planned {
    /// A plan for steps of `capacity` on the tables, lists and gradients of `resident`.
    ///
    /// # Errors
    /// The device has no room.
    pub fn new(
        context: &Context,
        loss: &dyn DynLoss,
        shape: &Shape,
        capacity: Capacity,
        resident: Buffers,
    ) -> Result<Self> {
        let Capacity { rows, pairs } = capacity;
        let shape = Shape {
            rows,
            pairs,
            ..shape.clone()
        };
        let layouts = TableLayouts::dense(&shape);
        let plan = Plan::new(context, loss, &shape, &layouts, &PlanOptions::default())?;
        let list = |label, words: usize| {
            let usage = wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
            Some(Slice::whole(&context.buffer(
                label,
                words as u64 * 4,
                usage,
            )))
        };
        let buffers = Buffers {
            rows: list("rows", rows),
            positive_offsets: list("positive offsets", rows + 1),
            positives: list("positives", pairs),
            ..resident
        };
        Ok(Planned {
            capacity,
            plan,
            buffers,
            padded: Padded::default(),
        })
    }

    /// What it has room for.
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// Uploads the ids of a step and records its evaluation.
    ///
    /// # Errors
    /// The device is lost.
    pub fn encode(&mut self, step: &Step, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        self.padded.fill(step, self.capacity);
        let queue = self.plan.context().queue();
        for (to, list) in [
            (&self.buffers.rows, &self.padded.rows),
            (&self.buffers.positive_offsets, &self.padded.offsets),
            (&self.buffers.positives, &self.padded.positives),
        ] {
            if let Some(to) = to {
                queue.write_buffer(&to.buffer, to.offset, bytemuck::cast_slice(list));
            }
        }
        self.plan.encode(encoder, &self.buffers)
    }
}
