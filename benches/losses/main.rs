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
//! Baselines beside them: in `value_and_grad` the steps of SL, PSL-relu and ArcFace on the CPU with
//! all scores stored, `stored-scores-cpu`, and on the GPU by both schemes, all scores kept or computed
//! twice, `gpu-kept` and `gpu-twice`; in `forward` the product of both tables alone, `plain-product`.
//!
//! ```text
//! cargo bench --bench losses -- 1024x16384x64            the smallest size alone
//! cargo bench --bench losses -- value_and_grad/sl/gpu    one loss on the GPU, all sizes
//! ```

mod baselines;

use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput, measurement::WallTime};
use std::{cell::OnceCell, time::Duration};
use wgloss::{
    AnyLoss, Device, DynLoss, Engine, EngineOptions, Want,
    bench::{Inputs, Step},
    loss::{Activation, Psl, registry},
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
    let engines = engines();
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
                for (device, engine) in &engines {
                    case.bench(&mut group, device, engine);
                }
                if want == gradients {
                    for (device, engine) in engines.iter().filter(|(device, _)| *device == "gpu") {
                        baselines::schemes(&mut group, (device, engine), (loss_name, &loss), size);
                    }
                    baselines::stored(&mut group, (loss_name, &loss), size);
                }
            }
            if want == Want::NOTHING {
                baselines::plain_product(&mut group, size);
                for (device, engine) in engines.iter().filter(|(device, _)| *device == "gpu") {
                    baselines::plain_tiles(&mut group, (device, engine), size);
                }
            }
        }
        group.finish();
    }
    criterion.final_summary();
}

/// The GPU, if there is one, and the CPU, with their names in ids.
fn engines() -> Vec<(&'static str, Engine)> {
    let mut engines = Vec::new();
    for (name, device) in [("gpu", Device::Gpu), ("cpu", Device::Cpu)] {
        match Engine::with_options(&EngineOptions::default().device(device)) {
            Ok(engine) => {
                println!("{name}: {}", engine.describe());
                engines.push((name, engine));
            }
            Err(error) => println!("{name}: left out, {error}"),
        }
    }
    engines
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
    fn bench(&self, group: &mut BenchmarkGroup<'_, WallTime>, device: &str, engine: &Engine) {
        let [b, n, d] = self.size;
        let id = format!("{}/{device}/{b}x{n}x{d}", self.loss_name);
        // Criterion calls the closure several times, and not at all where the filter excludes it:
        // what takes time is made by the first call.
        let inputs = OnceCell::new();
        let mut ready = None;
        group.bench_function(id, |bencher| {
            let inputs = inputs.get_or_init(|| Inputs::new(self.loss, self.size).expect("room"));
            let step = ready.get_or_insert_with(|| self.prepared(engine, inputs));
            bencher.iter(|| step.run().expect("a result"));
        });
    }

    /// Ready to be timed, after a look at the first result.
    fn prepared<'a>(&'a self, engine: &Engine, inputs: &'a Inputs) -> Step<'a> {
        let (step, output) = Step::new(engine, self.loss, inputs, self.want).expect("a result");
        let objection = inputs.objection(self.loss, self.want, &output);
        assert_eq!(objection.expect("the reference's result"), None);
        if let Some(plan) = step.plan() {
            println!(
                "plan {}, {}: {:.1} GFLOP executed, {:.1} MiB beyond inputs and gradients",
                plan.id(),
                plan.scheme(),
                plan.flops() as f64 / 1e9,
                plan.bytes() as f64 / f64::from(1 << 20)
            );
        }
        step
    }
}
