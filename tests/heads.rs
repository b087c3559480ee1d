//! What heads with many classes need beside their losses: class sampling, compact gradients of the
//! sampled classes, the memory of samples.

#[path = "heads/class_sampling.rs"]
mod class_sampling;
#[path = "heads/partial_fc.rs"]
mod partial_fc;
#[path = "heads/sample_memory.rs"]
mod sample_memory;
#[path = "heads/uni_ts_face.rs"]
mod uni_ts_face;

use std::sync::LazyLock;
use wgloss::{Device, Engine, EngineOptions};

/// One device for all tests of this file.
static GPU: LazyLock<Engine> = LazyLock::new(|| engine(Device::Gpu));

fn engine(device: Device) -> Engine {
    let options = EngineOptions::default().device(device);
    Engine::with_options(&options).expect("an adapter")
}

/// Numbers in −1 to 1 that repeat nowhere soon.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 9) as f32 / (1 << 22) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}
