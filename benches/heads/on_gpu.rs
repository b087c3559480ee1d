//! The fused step on a device: plan and buffers are made before the clock starts.

use crate::{
    data::{self, Data},
    print_bytes, stored,
};
use wgloss::{
    Want,
    gpu::{Buffers, Context, Plan, PlanOptions, Slice, TableLayouts, upload},
    wgpu,
};

pub struct OnGpu {
    plan: Plan,
    buffers: Buffers,
}

impl OnGpu {
    /// Runs once, tells what is held, and compares with the ordinary step.
    pub fn prepared(context: &Context, data: &Data) -> OnGpu {
        let before = allocated(context);
        let batch = data.batch();
        let shape = batch.shape().expect("a good batch");
        let (layouts, options) = (TableLayouts::dense(&shape), PlanOptions::default());
        let plan = Plan::new(context, &data.loss, &shape, &layouts, &options).expect("a plan");
        let buffers = upload(context, &batch, Want::BOTH).expect("enough device memory");
        let ready = OnGpu { plan, buffers };
        ready.run();
        println!("plan {}", ready.plan.id());
        print_bytes("gpu", ready.plan.bytes(), "as the plan tells");
        if let (Some(before), Some(after)) = (before, allocated(context)) {
            let tables = 2 * (data.features.len() + data.classes.len());
            let own = 4 * (tables + data.labels.len()) as u64;
            print_bytes("gpu", after - before - own, "as the allocator counts");
        }
        ready.compare(data);
        ready
    }

    /// Records, submits once, waits.
    pub fn run(&self) {
        let context = self.plan.context();
        let mut encoder = context.device().create_command_encoder(&Default::default());
        (self.plan.encode(&mut encoder, &self.buffers)).expect("buffers that fit");
        context.queue().submit([encoder.finish()]);
        let wait = wgpu::PollType::wait_indefinitely();
        (context.device().poll(wait)).expect("a device that is not lost");
    }

    fn compare(&self, data: &Data) {
        let wanted = [&self.buffers.grad_queries, &self.buffers.grad_candidates];
        let ranges: Vec<Slice> = wanted.into_iter().flatten().cloned().collect();
        let (results, gradients) = self.plan.read(&ranges).expect("results");
        let mut gradients = gradients
            .into_iter()
            .map(|words| -> Vec<f32> { words.into_iter().map(f32::from_bits).collect() });
        let mut next = || gradients.next().expect("two gradients");
        let (features, classes) = (next(), next());
        let mut stored = stored(data);
        data::compare(stored.step(), results.value, &features, &classes);
    }
}

/// Bytes of buffers that the driver reports, without wgpu's own.
fn allocated(context: &Context) -> Option<u64> {
    let report = context.device().generate_allocator_report()?;
    let buffers = report.allocations.iter();
    let own = buffers.filter(|allocation| !allocation.name.contains("wgpu internal"));
    Some(own.map(|allocation| allocation.size).sum())
}
