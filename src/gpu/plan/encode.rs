//! Recording a plan.

use super::{GRADIENTS, Plan, THETA_AT};
use crate::Result;
use crate::gpu::{Buffers, Stage, job::JOB_STRIDE, schedule::Dispatch, slot::Slot};
use std::ops::Range;

impl Plan {
    /// Consecutive parts of at most about `flops` each, to stay below a watchdog.
    #[must_use]
    pub fn split(&self, flops: u64) -> Vec<Range<usize>> {
        let (mut parts, mut begin, mut sum) = (Vec::new(), 0, 0);
        for (at, dispatch) in self.dispatches.iter().enumerate() {
            if sum > 0 && sum + dispatch.flops > flops {
                parts.push(begin..at);
                (begin, sum) = (at, 0);
            }
            sum += dispatch.flops;
        }
        parts.push(begin..self.dispatches.len());
        parts
    }

    /// Records the whole evaluation; neither submits nor waits.
    ///
    /// # Errors
    /// A missing or too small buffer, a bad offset, a lost device.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder, buffers: &Buffers) -> Result<()> {
        self.encode_part(encoder, buffers, 0..self.parts())
    }

    /// Records the part of the evaluation that gives value and row losses.
    ///
    /// # Errors
    /// As [`Plan::encode`].
    pub fn encode_forward(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        buffers: &Buffers,
    ) -> Result<()> {
        self.encode_part(encoder, buffers, 0..self.forward)
    }

    /// Records some of the dispatches, in order.
    ///
    /// # Errors
    /// As [`Plan::encode`].
    pub fn encode_part(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        buffers: &Buffers,
        part: Range<usize>,
    ) -> Result<()> {
        self.encode_timed(encoder, buffers, part, None)
    }

    /// As [`Plan::encode_part`], with the times before and after a part of one stage.
    pub(super) fn encode_timed(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        buffers: &Buffers,
        part: Range<usize>,
        times: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) -> Result<()> {
        self.context.check_lost()?;
        let groups = self.bind(buffers)?;
        if part.start == 0 {
            self.encode_copies(encoder, buffers);
        }
        let mut begin = part.start;
        if let Some(at) = self.theta_state().filter(|at| part.contains(at)) {
            self.encode_pass(encoder, &groups, begin..at + 1, times.clone());
            let (state, bytes) = (&self.own[&Slot::ThetaAfter], self.shape.thetas as u64 * 4);
            encoder.copy_buffer_to_buffer(state, 0, &self.parameters, THETA_AT, bytes);
            begin = at + 1;
        }
        self.encode_pass(encoder, &groups, begin..part.end, times);
        if let (Some(value), true) = (&buffers.value, part.end >= self.forward) {
            let scalars = &self.own[&Slot::BatchScalars];
            encoder.copy_buffer_to_buffer(scalars, 0, &value.buffer, value.offset, 4);
        }
        if let (Some(grad), true) = (&buffers.grad_theta, part.end == self.parts()) {
            let (own, bytes) = (&self.own[&Slot::GradTheta], self.learnt() as u64 * 4);
            encoder.copy_buffer_to_buffer(own, 0, &grad.buffer, grad.offset, bytes);
        }
        if let (Some(after), true) = (&buffers.theta_after, part.end == self.parts())
            && self.theta_state().is_some()
        {
            let (own, bytes) = (&self.own[&Slot::ThetaAfter], self.shape.thetas as u64 * 4);
            encoder.copy_buffer_to_buffer(own, 0, &after.buffer, after.offset, bytes);
        }
        if let (Some(status), true) = (&buffers.status, part.end == self.parts()) {
            let counts = &self.own[&Slot::Status];
            encoder.copy_buffer_to_buffer(counts, 0, &status.buffer, status.offset, 8);
        }
        Ok(())
    }

    /// The dispatch behind which θ is what the batch makes of it.
    pub(in crate::gpu) fn theta_state(&self) -> Option<usize> {
        let state = |dispatch: &Dispatch| dispatch.stage == Stage::ThetaState;
        self.dispatches.iter().position(state)
    }

    /// How many scalars have gradients.
    pub(in crate::gpu) fn learnt(&self) -> usize {
        match self.theta_state() {
            Some(_) => 0,
            None => self.shape.thetas,
        }
    }

    fn encode_pass(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        groups: &[wgpu::BindGroup],
        part: Range<usize>,
        timestamp_writes: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) {
        if part.is_empty() {
            return;
        }
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("wgloss"),
            timestamp_writes,
        });
        for at in part {
            let dispatch = &self.dispatches[at];
            let offset = u32::try_from(at * JOB_STRIDE).unwrap_or(u32::MAX);
            pass.set_pipeline(&self.pipelines[at].pipeline);
            pass.set_bind_group(0, &groups[at], &[offset]);
            pass.dispatch_workgroups(dispatch.grid[0], dispatch.grid[1], 1);
        }
    }

    /// Copies lists and θ, clears counts and, unless added to, the gradients.
    fn encode_copies(&self, encoder: &mut wgpu::CommandEncoder, buffers: &Buffers) {
        for (_, from, slot, words) in self.lists(buffers) {
            if let (Some(from), true) = (from, words > 0) {
                let (to, at) = match slot {
                    Some(slot) => (&self.own[&slot], 0),
                    None => (&self.parameters, THETA_AT),
                };
                let bytes = words as u64 * 4;
                encoder.copy_buffer_to_buffer(&from.buffer, from.offset, to, at, bytes);
            }
        }
        // Rows without a live pair keep what they have.
        if let (Some(from), Some(to)) = (&buffers.row_parameters, &buffers.row_parameters_after)
            && from != to
        {
            let bytes = self.shape.parameters() as u64 * 4;
            encoder.copy_buffer_to_buffer(&from.buffer, from.offset, &to.buffer, to.offset, bytes);
        }
        encoder.clear_buffer(&self.own[&Slot::Status], 0, None);
        encoder.clear_buffer(&self.own[&Slot::Heads], 0, None);
        encoder.clear_buffer(&self.own[&Slot::RowCounts], 0, None);
        if self.options.accumulate {
            return;
        }
        for slot in GRADIENTS {
            // Between rows that lie apart is what is not ours; a stage clears those.
            let apart = matches!(slot, Slot::GradQueries | Slot::GradCandidates)
                && self.layouts.of(slot).stride != self.shape.dim;
            let (_, grad, bytes) = self.named(buffers, slot);
            if let (Some(grad), true) = (grad, !apart && self.options.want.wants(slot)) {
                encoder.clear_buffer(&grad.buffer, grad.offset, Some(bytes));
            }
        }
    }
}
