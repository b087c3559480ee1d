//! One value-and-gradient step of ArcFace over a million classes: fused, on the GPU and on the CPU,
//! and beside it an ordinary implementation that stores the logits, on the CPU.
//!
//! Beside the times that criterion takes, each prints the bytes it held at most: inputs, gradients,
//! and what it needs beyond. On the GPU they are those the plan tells and those the driver's
//! allocator counts; on the CPU an allocator counts them. Before anything is timed, results are
//! compared: the ordinary step's value and gradients with those of the fused steps.
//!
//! ```text
//! cargo bench --bench heads
//! ```

#[path = "../counted/mod.rs"]
mod counted;
mod data;
mod on_gpu;
#[path = "../stored_scores/mod.rs"]
mod stored_scores;

use counted::Counted;
use criterion::{Criterion, SamplingMode, Throughput};
use data::Data;
use on_gpu::OnGpu;
use std::{hint::black_box, time::Duration};
use stored_scores::{Rows, StoredScores};
use wgloss::{
    AnyLoss, Device, Engine, EngineOptions,
    cpu::{self, Gradient, Gradients},
};

#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// B, N, D.
const SIZE: [usize; 3] = [256, 1_000_000, 128];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let engine = Engine::with_options(&EngineOptions::default().device(Device::Gpu));
    match &engine {
        Ok(engine) => println!("GPU: {}", engine.describe()),
        Err(error) => println!("GPU: left out, {error}"),
    }
    let data = Data::new(SIZE);
    let [b, n, d] = SIZE;
    let mut group = criterion.benchmark_group(format!("arc_face/{b}x{n}x{d}"));
    // A step takes seconds: each sample is the same number of them.
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements((b * n) as u64));
    // Criterion calls the closures several times, and not at all where the filter excludes them:
    // what takes time is made by the first call.
    let mut stored = None;
    group.bench_function("stored_logits", |bencher| {
        let stored = stored.get_or_insert_with(|| prepared(&data));
        bencher.iter(|| black_box(stored.step().value));
    });
    drop(stored);
    let mut fused = None;
    group.bench_function("cpu", |bencher| {
        let fused = fused.get_or_insert_with(|| OnCpu::prepared(&data));
        bencher.iter(|| black_box(fused.step(&data)));
    });
    drop(fused);
    if let Some(context) = engine.as_ref().ok().and_then(Engine::context) {
        let mut fused = None;
        group.bench_function("gpu", |bencher| {
            let fused = fused.get_or_insert_with(|| OnGpu::prepared(context, &data));
            bencher.iter(|| fused.run());
        });
    }
    group.finish();
    criterion.final_summary();
}

/// The ordinary step.
fn stored(data: &Data) -> StoredScores<'_> {
    let rows = Rows::of(&AnyLoss::ArcFace(data.loss.clone())).expect("it is written");
    StoredScores::new(rows, &data.batch())
}

/// The same, run once; prints what that took.
fn prepared(data: &Data) -> StoredScores<'_> {
    let mut stored = stored(data);
    let (_, beyond) = counted::most_held(|| stored.step().value);
    print_bytes("stored_logits", beyond, "counted by the allocator");
    stored
}

/// Prints what was held at most, beside what inputs and gradients take by themselves.
fn print_bytes(what: &str, beyond: u64, source: &str) {
    let [b, n, d] = SIZE;
    let own = (2 * (b + n) * d * 4 + b * 4) as u64;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "{what}: {:.1} MiB of inputs and gradients, {:.1} MiB beyond, {:.3} times ({source})",
        mib(own),
        mib(beyond),
        (own + beyond) as f64 / own as f64
    );
}

/// The fused step on slices, and room for the gradients.
struct OnCpu {
    grad_features: Vec<f32>,
    grad_classes: Vec<f32>,
}

impl OnCpu {
    /// Runs once, counts what that took, and compares with the ordinary step.
    fn prepared(data: &Data) -> OnCpu {
        let mut fused = OnCpu {
            grad_features: vec![0.0; data.features.len()],
            grad_classes: vec![0.0; data.classes.len()],
        };
        let (value, beyond) = counted::most_held(|| fused.step(data));
        print_bytes("cpu", beyond, "counted by the allocator");
        let mut stored = stored(data);
        data::compare(
            stored.step(),
            value,
            &fused.grad_features,
            &fused.grad_classes,
        );
        fused
    }

    fn step(&mut self, data: &Data) -> f32 {
        let gradient = |out| Some(Gradient { out, add: false });
        let gradients = Gradients {
            queries: gradient(&mut self.grad_features[..]),
            candidates: gradient(&mut self.grad_classes[..]),
            ..Gradients::default()
        };
        let options = cpu::Options::default();
        let output = cpu::evaluate_into(&data.loss, &data.batch(), gradients, &options);
        output.expect("a result").value
    }
}
