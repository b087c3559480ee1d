//! One step of a loss in Burn, timed in a process of its own.
//!
//! ```sh
//! burn-steps sl 1024x16384x64 5
//! ```
//!
//! prints one line of JSON, as `steps.py` does. A step is written as people write it: value by tensor
//! operations, both gradients by autodiff.

use std::{error::Error, process::ExitCode, time::Instant};

use burn::{
    nn::loss::CrossEntropyLossConfig,
    tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData, activation::relu},
};

type Loss = fn(Tensor<2>, Tensor<2>, Tensor<2, Int>) -> Tensor<1>;

const LOSSES: [(&str, Loss); 4] = [
    ("sl", sl),
    ("psl-relu", psl_relu),
    ("psl-tanh", psl_tanh),
    ("arc_face", arc_face),
];

/// Burn counts in u32, and its ids are i32.
const MOST: usize = i32::MAX as usize;

fn normalize(rows: Tensor<2>) -> Tensor<2> {
    let lengths = rows.clone().square().sum_dim(1).sqrt();
    rows / lengths.clamp_min(1e-12)
}

fn cosines(queries: Tensor<2>, candidates: Tensor<2>) -> Tensor<2> {
    normalize(queries).matmul(normalize(candidates).transpose())
}

/// Burn has none. As in its log_softmax, the maximum is a constant to autodiff.
fn log_sum_exp(rows: Tensor<2>) -> Tensor<2> {
    let most = rows.clone().detach().max_dim(1);
    (rows - most.clone()).exp().sum_dim(1).log() + most
}

/// The rows with each one's positive replaced.
fn replace(rows: Tensor<2>, positives: Tensor<2, Int>, values: Tensor<2>) -> Tensor<2> {
    rows.scatter(1, positives, values, IndexingUpdateOp::Assign)
}

fn without(rows: Tensor<2>, positives: Tensor<2, Int>) -> Tensor<2> {
    let values = Tensor::full(positives.dims(), f32::NEG_INFINITY, &rows.device());
    replace(rows, positives, values)
}

fn sl(queries: Tensor<2>, candidates: Tensor<2>, positives: Tensor<2, Int>) -> Tensor<1> {
    let tau = 0.1;
    let scores = cosines(queries, candidates) / tau;
    let positive = scores.clone().gather(1, positives.clone());
    (log_sum_exp(without(scores, positives)) - positive).mean()
}

fn psl(
    queries: Tensor<2>,
    candidates: Tensor<2>,
    positives: Tensor<2, Int>,
    log_activation: fn(Tensor<2>) -> Tensor<2>,
) -> Tensor<1> {
    let (tau, scale) = (0.1, 0.5);
    let scores = cosines(queries, candidates) * scale;
    let d = scores.clone() - scores.gather(1, positives.clone());
    let z = log_activation(d) / tau;
    log_sum_exp(without(z, positives)).mean()
}

fn psl_relu(queries: Tensor<2>, candidates: Tensor<2>, positives: Tensor<2, Int>) -> Tensor<1> {
    psl(queries, candidates, positives, |d| relu(d + 1).log())
}

fn psl_tanh(queries: Tensor<2>, candidates: Tensor<2>, positives: Tensor<2, Int>) -> Tensor<1> {
    psl(queries, candidates, positives, |d| (d.tanh() + 1).log())
}

fn arc_face(queries: Tensor<2>, candidates: Tensor<2>, positives: Tensor<2, Int>) -> Tensor<1> {
    let (scale, margin) = (64.0, 0.5);
    let cosine = cosines(queries, candidates);
    let positive = cosine.clone().gather(1, positives.clone());
    let angle = positive.clamp(-1.0 + 1e-7, 1.0 - 1e-7).acos();
    let logits = replace(cosine, positives.clone(), (angle + margin).cos()) * scale;
    let cross_entropy = CrossEntropyLossConfig::new().init(&logits.device());
    cross_entropy.forward(logits, positives.squeeze_dim(1))
}

/// The generator of `wgloss::bench::Inputs`, so that values can be compared.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.0 >> 40
    }

    fn table(&mut self, rows: usize, dim: usize, device: &Device) -> Tensor<2> {
        let number = |_| self.next() as f32 / (1 << 23) as f32 - 1.0;
        let numbers: Vec<f32> = (0..rows * dim).map(number).collect();
        Tensor::from_data(TensorData::new(numbers, [rows, dim]), device).require_grad()
    }

    fn ids(&mut self, count: usize, below: usize, device: &Device) -> Tensor<2, Int> {
        let ids: Vec<i64> = (0..count)
            .map(|_| (self.next() % below as u64) as i64)
            .collect();
        Tensor::from_data(TensorData::new(ids, [count, 1]), device)
    }
}

fn positive(number: &str) -> Option<usize> {
    number.parse().ok().filter(|&number| number > 0)
}

fn three(size: &str) -> Option<[usize; 3]> {
    let numbers: Option<Vec<usize>> = size.split('x').map(positive).collect();
    numbers?.try_into().ok()
}

/// Burn does not tell it.
fn burn_version() -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let after = lock.split_once("name = \"burn\"\nversion = \"");
    after
        .and_then(|(_, rest)| rest.split('"').next())
        .unwrap_or("?")
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, size, repeats] = arguments.as_slice() else {
        return Err("usage: burn-steps LOSS BxNxD REPEATS".into());
    };
    let Some((_, loss)) = LOSSES.iter().find(|(known, _)| known == name) else {
        let known = LOSSES.map(|(name, _)| name).join(", ");
        return Err(format!("unknown loss `{name}`; there are {known}").into());
    };
    let Some([b, n, d]) = three(size) else {
        return Err(format!("`{size}` is no size; BxNxD is, such as 1024x16384x64").into());
    };
    let Some(repeats) = positive(repeats) else {
        return Err(format!("`{repeats}` is no number of steps").into());
    };
    if [b.checked_mul(n), b.checked_mul(d), n.checked_mul(d)]
        .iter()
        .any(|count| count.is_none_or(|count| count > MOST))
    {
        return Err(format!("`{size}` is too large: no table may have over {MOST} numbers").into());
    }
    // The best adapter, a software one where there is no other: the choice of `--device gpu` too.
    let (device, setup) = Device::wgpu_options().init_with_setup()?;
    let adapter = setup.adapter.get_info();
    let device = device.autodiff();
    let mut random = Random(1);
    let queries = random.table(b, d, &device);
    let candidates = random.table(n, d, &device);
    let positives = random.ids(b, n, &device);

    let step = || -> Result<f32, Box<dyn Error>> {
        let value = loss(queries.clone(), candidates.clone(), positives.clone());
        let mut gradients = value.backward();
        // Kept until the device is done, so that they are computed.
        let _gradients = (
            queries.grad_remove(&mut gradients).ok_or("no gradient")?,
            candidates
                .grad_remove(&mut gradients)
                .ok_or("no gradient")?,
        );
        let value = value.try_into_scalar()?;
        device.sync()?;
        Ok(value)
    };

    // This one compiles and tunes the kernels.
    let value = step()?;
    let mut seconds = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        step()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    // Its pools keep what a step needed; what tuning needed goes first.
    device.memory_cleanup();
    step()?;
    let inputs = 4 * ((b + n) * d + b) as i64;
    let gradients = 4 * ((b + n) * d) as i64;
    let held = device.memory_pool_usage();
    let bytes = held.map(|held| held.bytes_reserved as i64 - inputs - gradients);
    let report = serde_json::json!({
        "seconds": seconds,
        "bytes": bytes,
        "value": value,
        "version": format!("{} on {}", burn_version(), adapter.name),
        "threads": null,
        "adapter": adapter.name,
    });
    println!("{report}");
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("burn-steps: {error}");
            ExitCode::FAILURE
        }
    }
}
