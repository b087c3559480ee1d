//! Times of stages by the device's clock.

use crate::{
    case::Case,
    device::{Prepared, bits, context, context_with, of_eight},
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use wgloss::{
    Batch, DynLoss, Error, adapter,
    gpu::{Context, ContextOptions, PlanOptions, Stage},
    loss::{AdaFace, Sl},
    wgpu,
};

/// Times an evaluation, and compares what is told with the plan, with the wall clock and with an
/// ordinary evaluation.
fn compare(context: &Context, loss: &dyn DynLoss, batch: &Batch<'_>, options: &PlanOptions) {
    let prepared = Prepared::new(context, loss, batch, options, f32::NAN);
    let (plan, buffers) = (&prepared.plan, &prepared.buffers);
    let expected = bits(&prepared.run());
    if !context
        .device()
        .features()
        .contains(wgpu::Features::TIMESTAMP_QUERY)
    {
        let error = plan.time_stages(buffers).expect_err("there is no clock");
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
        return;
    }
    let start = Instant::now();
    let times = plan.time_stages(buffers).expect("stage times");
    let wall = start.elapsed();
    assert_eq!(bits(&prepared.read()), expected);
    let stages: BTreeSet<Stage> = (0..plan.parts()).map(|at| plan.stage(at)).collect();
    let told: Vec<Stage> = times.iter().map(|time| time.stage).collect();
    assert_eq!(told.iter().copied().collect::<BTreeSet<_>>(), stages);
    assert_eq!(told.len(), stages.len(), "each once: {told:?}");
    let dispatches: usize = times.iter().map(|time| time.dispatches).sum();
    assert_eq!(dispatches, plan.parts());
    assert_eq!(
        times.iter().map(|time| time.flops).sum::<u64>(),
        plan.flops()
    );
    for time in &times {
        assert!(time.flops == 0 || time.time > Duration::ZERO, "{time:?}");
    }
    let sum: Duration = times.iter().map(|time| time.time).sum();
    assert!(sum < wall, "{sum:?} within {wall:?}: {times:?}");
}

pub fn of_every_stage() {
    let case = Case::new([70, 3000, 12]);
    compare(
        context(),
        &Sl::new(0.2),
        &case.batch(),
        &PlanOptions::default(),
    );
    // A copy between two stages.
    let loss = AdaFace::default();
    let scalars: Vec<f64> = DynLoss::scalars(&loss)
        .iter()
        .map(|scalar| scalar.initial)
        .collect();
    let batch = case.batch().theta(&scalars).expect("the state fits");
    compare(context(), &loss, &batch, &PlanOptions::default());
}

pub fn of_more_dispatches_than_a_query_set_holds() {
    let case = Case::new([8, 200_000, 1]);
    let options = PlanOptions {
        scratch_bytes: Some(128 << 10),
        ..PlanOptions::default()
    };
    let context = context_with(&of_eight());
    compare(&context, &Sl::new(0.2), &case.batch(), &options);
}

pub fn without_a_clock_are_an_error() {
    let adapters = adapter::adapters();
    let infos: Vec<_> = adapters.iter().map(wgpu::Adapter::get_info).collect();
    let place = adapter::pick(&infos, None).expect("an adapter");
    let request = adapters[place].request_device(&wgpu::DeviceDescriptor::default());
    let (device, queue) = pollster::block_on(request).expect("a device");
    let context = Context::new(&device, &queue, &ContextOptions::default()).expect("it will do");
    compare(
        &context,
        &Sl::new(0.2),
        &Case::new([3, 9, 4]).batch(),
        &PlanOptions::default(),
    );
}
