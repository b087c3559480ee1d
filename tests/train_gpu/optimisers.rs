//! The optimisers on a GPU: against their formulas, and in pieces.

use crate::{checked, context};
use wgloss::{
    gpu::{Context, ContextOptions, read_back},
    train::{Adam, AdamOptions, GpuOptimiser, Moments, Optimiser, Sgd, SgdOptions},
};

const OPTIONS: AdamOptions = AdamOptions {
    learning_rate: 0.1,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.01,
};

/// Numbers of several magnitudes, and zeros.
fn numbers(len: usize, seed: usize) -> Vec<f32> {
    let number = |i: usize| {
        let hash = (i * 7919 + seed * 104_729) * 2_654_435_761 % 4_294_967_296;
        let unit = hash as f64 / 2_147_483_648.0 - 1.0;
        (unit * 10f64.powi((hash / 13 % 7) as i32 - 5)) as f32
            * f32::from(u8::from(!hash.is_multiple_of(11)))
    };
    (0..len).map(number).collect()
}

/// The table after some steps, with gradients from [`numbers`].
fn steps_of(context: &Context, optimiser: Optimiser, len: usize, steps: usize) -> Vec<f32> {
    let moments = Moments::zero(&optimiser, len);
    let mut moved = GpuOptimiser::new(context, &numbers(len, 0), optimiser, &moments).unwrap();
    for step in 1..=steps {
        let gradient = numbers(len, step);
        let bytes: Vec<u8> = gradient.iter().flat_map(|x| x.to_le_bytes()).collect();
        (context.queue()).write_buffer(&moved.gradient().buffer, 0, &bytes);
        let mut encoder = context.device().create_command_encoder(&Default::default());
        moved
            .encode(optimiser.learning_rate(), &mut encoder)
            .unwrap();
        context.queue().submit([encoder.finish()]);
    }
    let words = read_back(context, &[moved.table().clone()]).unwrap();
    words[0].iter().map(|&word| f32::from_bits(word)).collect()
}

/// The published formula for one number, in f64.
fn published(start: f32, gradients: impl Iterator<Item = f32>) -> f64 {
    let AdamOptions {
        learning_rate,
        beta1,
        beta2,
        epsilon,
        weight_decay,
    } = OPTIONS;
    let (mut x, mut m, mut v) = (f64::from(start), 0.0, 0.0);
    for (step, gradient) in (1..).zip(gradients) {
        let g = f64::from(gradient) + weight_decay * x;
        m = beta1 * m + (1.0 - beta1) * g;
        v = beta2 * v + (1.0 - beta2) * g * g;
        let (mean, square) = (m / (1.0 - beta1.powi(step)), v / (1.0 - beta2.powi(step)));
        x -= learning_rate * mean / (square.sqrt() + epsilon);
    }
    x
}

#[test]
fn adam_takes_the_published_steps() {
    let (len, steps) = (5000, 12);
    let moved = steps_of(&checked(), Optimiser::Adam(OPTIONS), len, steps);
    let gradients: Vec<Vec<f32>> = (1..=steps).map(|step| numbers(len, step)).collect();
    let start = numbers(len, 0);
    let mut on_cpu = start.clone();
    let mut adam = Adam::new(len, OPTIONS).unwrap();
    for gradient in &gradients {
        adam.step(&mut on_cpu, gradient).unwrap();
    }
    let mut worst = [0f64; 2];
    for (i, &x) in moved.iter().enumerate() {
        let expected = published(start[i], gradients.iter().map(|gradient| gradient[i]));
        // Each step moves by at most about the learning rate, and rounds parameter and move.
        let unit = f64::from(f32::EPSILON) * (expected.abs() + OPTIONS.learning_rate);
        worst[0] = worst[0].max((f64::from(x) - expected).abs() / unit);
        worst[1] = worst[1].max((f64::from(x) - f64::from(on_cpu[i])).abs() / unit);
    }
    println!("off the formula by {worst:?} units: the formula in f64, the CPU");
    assert!(worst[0] < 2.0 * steps as f64, "{worst:?}");
    assert!(worst[1] < steps as f64, "{worst:?}");
}

#[test]
fn descent_takes_the_steps_of_the_cpu() {
    for momentum in [0.0, 0.9] {
        let options = SgdOptions {
            learning_rate: 0.5,
            momentum,
            weight_decay: 0.01,
        };
        let (len, steps) = (5000, 6);
        let moved = steps_of(&checked(), Optimiser::Sgd(options), len, steps);
        let mut on_cpu = numbers(len, 0);
        let mut sgd = Sgd::new(len, options).unwrap();
        for step in 1..=steps {
            sgd.step(&mut on_cpu, &numbers(len, step)).unwrap();
        }
        for (gpu, cpu) in moved.iter().zip(&on_cpu) {
            let error = (gpu - cpu).abs();
            assert!(error <= 1e-5 * cpu.abs().max(1.0), "{gpu} {cpu}");
        }
    }
}

#[test]
fn optimisers_have_the_same_bits_in_pieces_and_folded() {
    let small = ContextOptions {
        max_binding: Some(1500),
        max_groups: Some(2),
        ..ContextOptions::default()
    };
    let descent = SgdOptions {
        momentum: 0.9,
        ..SgdOptions::default()
    };
    for optimiser in [Optimiser::Adam(OPTIONS), Optimiser::Sgd(descent)] {
        for len in [1, 63, 5000] {
            let whole = steps_of(&checked(), optimiser, len, 3);
            let cut = steps_of(&context(small.clone()), optimiser, len, 3);
            let bits = |table: Vec<f32>| table.into_iter().map(f32::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(whole), bits(cut));
        }
    }
}

#[test]
fn optimisers_refuse_bad_settings_and_moments() {
    let new = |optimiser, moments: &Moments| {
        let made = GpuOptimiser::new(&checked(), &[1.0], optimiser, moments);
        made.unwrap_err().to_string()
    };
    let bad = Optimiser::Adam(AdamOptions {
        beta1: 1.0,
        ..OPTIONS
    });
    let error = new(bad, &Moments::zero(&bad, 1));
    assert!(error.starts_with("adam: beta1 = 1"), "{error}");
    let good = Optimiser::Adam(OPTIONS);
    let error = new(good, &Moments::zero(&good, 2));
    assert!(error.starts_with("moments: "), "{error}");
}
