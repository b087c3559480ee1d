//! How a step grows with the number of candidates: beside the plain product of the same shape, by
//! turns in one run, at B = 1,024 and D = 64.
//!
//! A step is SL's value and both gradients. On the CPU the product is one of queries and candidates,
//! up to 16,384 candidates at a time into the same room, so that its time is not that of writing
//! gigabytes. On a GPU it is the score tiles of the plan's own family with next to no loss, their
//! rows summed. The ratio is the median of those of all turns. Memory is what a step holds at most
//! beyond inputs and gradients: an allocator counts on the CPU, the plan tells on a GPU.
//!
//! ```text
//! cargo bench --bench scaling               both devices
//! cargo bench --bench scaling -- cpu        one of them
//! ```

#[path = "../counted/mod.rs"]
mod counted;

use counted::{Counted, most_held};
use std::{
    env,
    time::{Duration, Instant},
};
use wgloss::{
    Device, Engine, EngineOptions, Want,
    bench::{Inputs, Operand, Step, median, product},
    loss::{S2sNaive, Sl},
};

#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// B and D.
const ROWS: usize = 1024;
const DIM: usize = 64;
/// N.
const CANDIDATES: [usize; 6] = [1 << 14, 1 << 16, 1 << 18, 1 << 19, 1 << 20, 1 << 21];
/// Turns.
const TURNS: usize = 7;

fn main() {
    // cargo adds a flag of its own.
    let wanted: Vec<String> = env::args()
        .skip(1)
        .filter(|it| !it.starts_with("--"))
        .collect();
    println!(
        "| device | N | product | step | ratio | of the first | beyond inputs and gradients |"
    );
    println!("|---|---|---|---|---|---|---|");
    for device in [Device::Cpu, Device::Gpu] {
        if !wanted.is_empty() && !wanted.contains(&device.to_string()) {
            continue;
        }
        match Engine::with_options(&EngineOptions::default().device(device)) {
            Ok(engine) => scale(&engine),
            Err(error) => println!("\n{device}: left out, {error}"),
        }
    }
}

/// The rows of one device.
fn scale(engine: &Engine) {
    let mut first = None;
    for candidates in CANDIDATES {
        let row = Row::measured(engine, candidates);
        let first = *first.get_or_insert(row.ratio);
        println!(
            "| {} | {candidates} | {:.1} ms | {:.1} ms | {:.2} | {:.2} | {:.1} MiB |",
            engine.device(),
            1e3 * row.product.as_secs_f64(),
            1e3 * row.step.as_secs_f64(),
            row.ratio,
            row.ratio / first,
            row.bytes as f64 / f64::from(1 << 20)
        );
    }
}

/// Medians of all turns.
struct Row {
    product: Duration,
    step: Duration,
    ratio: f64,
    bytes: u64,
}

impl Row {
    fn measured(engine: &Engine, candidates: usize) -> Row {
        let (sl, plain) = (Sl::default(), S2sNaive::default());
        let inputs = Inputs::new(&sl, [ROWS, candidates, DIM]).expect("room");
        let (mut step, output) = Step::new(engine, &sl, &inputs, Want::BOTH).expect("a result");
        let objection = inputs.objection(&sl, Want::BOTH, &output);
        assert_eq!(objection.expect("the reference's result"), None);
        drop(output);
        let (_, counted) = most_held(|| step.run());
        let bytes = step.plan().map_or(counted, wgloss::gpu::Plan::bytes);
        let mut product = match engine.context() {
            Some(_) => {
                let made = Step::new(engine, &plain, &inputs, Want::NOTHING);
                Product::Tiles(made.expect("a result").0)
            }
            None => Product::Plain(PlainProduct::new(candidates)),
        };
        let (mut products, mut steps, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        product.run();
        step.warm_up().expect("a result");
        for _ in 0..TURNS {
            products.push(product.run());
            steps.push(step.run().expect("a result"));
            let last = |times: &[Duration]| times[times.len() - 1].as_secs_f64();
            ratios.push(last(&steps) / last(&products));
        }
        ratios.sort_by(f64::total_cmp);
        Row {
            product: median(&products),
            step: median(&steps),
            ratio: ratios[TURNS / 2],
            bytes,
        }
    }
}

enum Product<'a> {
    Tiles(Step<'a>),
    Plain(PlainProduct),
}

impl Product<'_> {
    fn run(&mut self) -> Duration {
        match self {
            Product::Tiles(step) => step.run().expect("a result"),
            Product::Plain(product) => product.run(),
        }
    }
}

/// The tables, and room for the products with the first candidates.
struct PlainProduct {
    queries: Vec<f32>,
    candidates: Vec<f32>,
    out: Vec<f32>,
}

impl PlainProduct {
    fn new(candidates: usize) -> Self {
        PlainProduct {
            queries: vec![0.5; ROWS * DIM],
            candidates: vec![0.25; candidates * DIM],
            out: vec![0.0; ROWS * CANDIDATES[0]],
        }
    }

    fn run(&mut self) -> Duration {
        let start = Instant::now();
        for part in self.candidates.chunks(CANDIDATES[0] * DIM) {
            let columns = Operand::rows(part, DIM).transposed();
            product(
                &mut self.out,
                Operand::rows(&self.queries, DIM),
                columns,
                1.0,
            );
        }
        start.elapsed()
    }
}
