//! Time per evaluation of every loss of the registry, and of PSL-relu, on the GPU and on the CPU; at
//! sizes beyond the first of SL, PSL-relu and BSL.
//!
//! Losses that rank have four sampled columns per row, all others every candidate. Losses of pairs of
//! samples compare B of N samples with all N.
//!
//! Groups: `forward` (value and row losses) and `value_and_grad` (value and both gradients).
//! Throughput is in score elements, B·N per evaluation. On the GPU the plan is made and the inputs
//! uploaded before the clock starts; an iteration records, submits once and waits. Before it is
//! timed, a result is compared with the f64 reference: whole at the smallest size, on a few rows
//! at the others.
//!
//! ```text
//! cargo bench --bench losses -- 1024x16384x64            the smallest size alone
//! cargo bench --bench losses -- value_and_grad/sl/gpu    one loss on the GPU, all sizes
//! ```

mod data;

use criterion::{
    Bencher, BenchmarkGroup, Criterion, SamplingMode, Throughput, measurement::WallTime,
};
use data::Data;
use std::{hint::black_box, time::Duration};
use wgloss::{
    AnyLoss, Device, DynLoss, Engine, EngineOptions, Output, Want,
    cpu::{self, Gradient, Gradients},
    gpu::{Buffers, Context, Plan, PlanOptions, Slice, TableLayouts, upload},
    loss::{Activation, Psl, registry},
    wgpu,
};

/// B × N × D.
const SIZES: [[usize; 3]; 3] = [
    [1024, 16_384, 64],
    [4096, 65_536, 128],
    [256, 1_000_000, 128],
];

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
    let context = engine.as_ref().ok().and_then(Engine::context);
    println!("CPU: {} threads", rayon_threads());
    // As a training step has it: an adversary moves in steps of its own.
    let gradients = Want {
        second: false,
        ..Want::BOTH
    };
    for (name, want) in [("forward", Want::NOTHING), ("value_and_grad", gradients)] {
        let mut group = criterion.benchmark_group(name);
        // Evaluations take from milliseconds to minutes: each sample is the same number of them.
        group.sampling_mode(SamplingMode::Flat);
        for size in SIZES {
            group.throughput(Throughput::Elements((size[0] * size[1]) as u64));
            for (loss_name, loss) in losses() {
                if size != SIZES[0] && !EVERYWHERE.contains(&loss_name) {
                    continue;
                }
                let case = Case {
                    loss_name,
                    loss: loss.as_dyn(),
                    size,
                    want,
                };
                case.bench(&mut group, context);
            }
        }
        group.finish();
    }
    criterion.final_summary();
}

/// What `rayon` will use: all cores, or what its environment variable says.
fn rayon_threads() -> usize {
    std::env::var("RAYON_NUM_THREADS")
        .ok()
        .and_then(|number| number.parse().ok())
        .filter(|number| *number > 0)
        .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
        .unwrap_or(1)
}

/// Losses that are timed at every size.
const EVERYWHERE: [&str; 3] = ["sl", "psl-relu", "bsl"];

fn losses() -> Vec<(&'static str, AnyLoss)> {
    let named = registry::all().into_iter();
    let mut all: Vec<_> = named
        .map(|loss| (loss.as_dyn().spec().name, loss))
        .collect();
    all.push(("psl-relu", AnyLoss::Psl(Psl::new(Activation::Relu, 0.1))));
    all
}

/// One loss at one size.
struct Case<'a> {
    loss_name: &'static str,
    loss: &'a dyn DynLoss,
    size: [usize; 3],
    want: Want,
}

impl Case<'_> {
    fn bench(&self, group: &mut BenchmarkGroup<'_, WallTime>, context: Option<&Context>) {
        let [b, n, d] = self.size;
        // Criterion calls the closures several times, and not at all where the filter excludes
        // them: what takes time is made by the first call.
        if let Some(context) = context {
            let mut ready = None;
            group.bench_function(format!("{}/gpu/{b}x{n}x{d}", self.loss_name), |bencher| {
                let ready = ready.get_or_insert_with(|| OnGpu::new(self, context));
                bencher.iter(|| ready.run());
            });
        }
        let mut ready = None;
        group.bench_function(format!("{}/cpu/{b}x{n}x{d}", self.loss_name), |bencher| {
            ready
                .get_or_insert_with(|| OnCpu::new(self))
                .bench(self, bencher);
        });
    }
}

/// A plan with its buffers.
struct OnGpu {
    plan: Plan,
    buffers: Buffers,
}

impl OnGpu {
    fn new(case: &Case<'_>, context: &Context) -> OnGpu {
        let data = Data::new(case);
        let batch = data.batch();
        let shape = batch.shape().expect("a good batch");
        let options = PlanOptions {
            want: case.want,
            ..PlanOptions::default()
        };
        let layouts = TableLayouts::dense(&shape);
        let plan = Plan::new(context, case.loss, &shape, &layouts, &options).expect("a plan");
        println!(
            "plan {}: {:.1} GFLOP executed, {:.1} MiB beyond inputs and gradients",
            plan.id(),
            plan.flops() as f64 / 1e9,
            plan.bytes() as f64 / f64::from(1 << 20)
        );
        let buffers = upload(context, &batch, case.want).expect("enough device memory");
        let ready = OnGpu { plan, buffers };
        ready.run();
        data.compare(case, &ready.output());
        ready
    }

    /// Records, submits once, waits.
    fn run(&self) {
        let context = self.plan.context();
        let mut encoder = context.device().create_command_encoder(&Default::default());
        self.plan
            .encode(&mut encoder, &self.buffers)
            .expect("buffers that fit");
        context.queue().submit([encoder.finish()]);
        let wait = wgpu::PollType::wait_indefinitely();
        context
            .device()
            .poll(wait)
            .expect("a device that is not lost");
    }

    fn output(&self) -> Output<f32> {
        let wanted = [&self.buffers.grad_queries, &self.buffers.grad_candidates];
        let ranges: Vec<Slice> = wanted.into_iter().flatten().cloned().collect();
        let (results, gradients) = self.plan.read(&ranges).expect("results");
        let mut gradients = gradients
            .into_iter()
            .map(|words| words.into_iter().map(f32::from_bits).collect::<Vec<f32>>());
        Output {
            value: results.value,
            row_losses: results.row_losses,
            grad_queries: gradients.next(),
            grad_candidates: gradients.next(),
            ..Output::default()
        }
    }
}

/// The inputs, and room for the gradients.
struct OnCpu {
    data: Data,
    grad_queries: Vec<f32>,
    grad_candidates: Vec<f32>,
}

impl OnCpu {
    fn new(case: &Case<'_>) -> OnCpu {
        let data = Data::new(case);
        let output = cpu::evaluate::<f32>(case.loss, &data.batch(), case.want).expect("a result");
        data.compare(case, &output);
        OnCpu {
            data,
            grad_queries: output.grad_queries.unwrap_or_default(),
            grad_candidates: output.grad_candidates.unwrap_or_default(),
        }
    }

    fn bench(&mut self, case: &Case<'_>, bencher: &mut Bencher<'_>) {
        let batch = self.data.batch();
        let options = cpu::Options::default();
        bencher.iter(|| {
            let gradient = |wanted: bool, out| wanted.then_some(Gradient { out, add: false });
            let gradients = Gradients {
                queries: gradient(case.want.queries, self.grad_queries.as_mut_slice()),
                candidates: gradient(case.want.candidates, self.grad_candidates.as_mut_slice()),
                ..Gradients::default()
            };
            let output = cpu::evaluate_into::<f32>(case.loss, &batch, gradients, &options);
            black_box(output.expect("a result").value)
        });
    }
}
