//! The trainer on a GPU: it follows the CPU, repeats itself, and its optimiser is Adam. Without an
//! adapter these tests fail.
#![cfg(feature = "train")]

use wgloss::{
    Device, DynLoss, Engine, EngineOptions, Error,
    gpu::{Context, ContextOptions, read_back},
    loss::{Activation, Psl, Score, Sl},
    train::{
        Adam, AdamOptions, Backend, BatchBy, Batching, CpuBackend, Draw, Folds, GpuBackend,
        GpuOptimiser, Init, Moments, Negatives, Optimiser, Planted, Settings, Sgd, SgdOptions,
        Trainer,
    },
};

fn context(options: ContextOptions) -> Context {
    let mut wanted = EngineOptions::default().device(Device::Gpu);
    wanted.context = options;
    let engine = Engine::with_options(&wanted).unwrap_or_else(|error| {
        panic!("these tests need an adapter; a software one (Mesa's lavapipe) will do: {error}")
    });
    engine.context().unwrap().clone()
}

fn checked() -> Context {
    context(ContextOptions {
        checked: true,
        ..ContextOptions::default()
    })
}

fn planted(users: usize, interactions: usize) -> Folds {
    let data = Planted {
        users,
        items: 200,
        interactions,
        clusters: 10,
        seed: 3,
    };
    Folds::new(&data.generate().unwrap(), 0).unwrap()
}

/// Neither size divides the number of users or interactions.
const BATCHES: [(BatchBy, usize); 2] = [(BatchBy::Users, 64), (BatchBy::Interactions, 500)];

fn settings((by, size): (BatchBy, usize)) -> Settings {
    Settings {
        epochs: 4,
        batching: Batching { by, size },
        init: Init {
            dim: 12,
            deviation: 1.0,
        },
        eval_every: 2,
        ..Settings::default()
    }
}

fn train<'a, B: Backend>(folds: &'a Folds, settings: Settings, backend: B) -> Trainer<'a, B> {
    let mut trainer = Trainer::new(folds, settings, backend).unwrap();
    trainer.run(&mut |_| {}).unwrap();
    trainer
}

fn on_gpu<'a>(
    context: &Context,
    folds: &'a Folds,
    loss: &'a dyn DynLoss,
    settings: Settings,
) -> Trainer<'a, GpuBackend<'a>> {
    let start = settings.start(loss, folds).unwrap();
    train(folds, settings, GpuBackend::new(context, start).unwrap())
}

#[test]
fn training_follows_the_cpu() {
    let (context, folds) = (checked(), planted(300, 6000));
    let psl = Psl {
        activation: Activation::Relu,
        tau: 0.1,
        ..Psl::default()
    };
    let losses: [&dyn DynLoss; 2] = [&Sl::new(0.2), &psl];
    for loss in losses {
        for batch in BATCHES {
            let settings = settings(batch);
            let start = settings.start(loss, &folds).unwrap();
            let cpu = train(&folds, settings, CpuBackend::new(start).unwrap());
            let gpu = on_gpu(&context, &folds, loss, settings);
            for (a, b) in cpu.history().iter().zip(gpu.history()) {
                println!("{loss:?} by {batch:?}: {} {}", a.loss, b.loss);
                // Where a gradient is about 0, Adam moves by its sign: rounding grows.
                let tolerance = if a.epoch == 1 { 1e-5 } else { 1e-3 };
                assert!((a.loss - b.loss).abs() < tolerance * a.loss.abs());
                if let (Some(a), Some(b)) = (a.validation, b.validation) {
                    println!("NDCG {} {}", a.ndcg, b.ndcg);
                    assert!((a.ndcg - b.ndcg).abs() < 0.03 * a.ndcg);
                }
            }
        }
    }
}

#[test]
fn the_same_steps_give_the_same_bits_under_any_limits() {
    // The users' table does not fit the small binding.
    let folds = planted(3000, 10_000);
    let loss = Sl::new(0.2);
    let small = ContextOptions {
        max_binding: Some(512 << 10),
        max_groups: Some(7),
        ..ContextOptions::default()
    };
    let contexts = [ContextOptions::default(), small].map(context);
    for batch in BATCHES {
        let run = |context| {
            let settings = Settings {
                epochs: 2,
                init: Init::default(),
                ..settings(batch)
            };
            let trainer = on_gpu(context, &folds, &loss, settings);
            let losses: Vec<f64> = trainer.history().iter().map(|epoch| epoch.loss).collect();
            (trainer.best().cloned(), losses)
        };
        let first = run(&contexts[0]);
        assert_eq!(first, run(&contexts[0]));
        assert_eq!(first, run(&contexts[1]));
    }
}

#[test]
fn a_table_with_a_number_that_is_not_finite_is_an_error() {
    let (context, folds) = (checked(), planted(300, 6000));
    let loss = Sl::new(0.2);
    let settings = settings(BATCHES[0]);
    let mut start = settings.start(&loss, &folds).unwrap();
    start.embeddings.candidates[0] = f32::NAN;
    let backend = GpuBackend::new(&context, start).unwrap();
    let mut trainer = Trainer::new(&folds, settings, backend).unwrap();
    let error = trainer.run(&mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 1, .. }), "{error}");
}

#[test]
fn numbers_out_of_bounds_are_an_error_and_the_best_epoch_is_kept() {
    let (context, folds) = (checked(), planted(300, 6000));
    // Cosines have no scale; dot products overflow.
    let loss = Sl {
        score: Score::Dot,
        ..Sl::new(0.2)
    };
    let mut settings = settings(BATCHES[1]);
    settings.optimiser = settings.optimiser.with_learning_rate(1e30);
    let backend = GpuBackend::new(&context, settings.start(&loss, &folds).unwrap()).unwrap();
    let mut trainer = Trainer::new(&folds, settings, backend).unwrap();
    let error = trainer.run(&mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 1, .. }), "{error}");
    assert!(trainer.best().is_none());
}

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

/// Every kind of negatives, in every kind of batch.
#[test]
fn training_follows_the_cpu_with_drawn_negatives() {
    let (context, folds) = (checked(), planted(300, 6000));
    let shared = Negatives::Shared {
        count: 90,
        draw: Draw::Popularity,
        log_q: true,
    };
    let loss = Sl::new(0.2);
    for negatives in [
        Negatives::Sampled(20),
        Negatives::InBatch { log_q: false },
        shared,
    ] {
        for batch in BATCHES {
            let settings = Settings {
                epochs: 2,
                negatives,
                ..settings(batch)
            };
            let start = settings.start(&loss, &folds).unwrap();
            let cpu = train(&folds, settings, CpuBackend::new(start).unwrap());
            let gpu = on_gpu(&context, &folds, &loss, settings);
            for (a, b) in cpu.history().iter().zip(gpu.history()) {
                println!("{negatives:?} by {batch:?}: {} {}", a.loss, b.loss);
                let tolerance = if a.epoch == 1 { 1e-5 } else { 1e-3 };
                assert!((a.loss - b.loss).abs() < tolerance * a.loss.abs());
            }
        }
    }
}

/// Also where plans have come and gone before the checkpoint.
#[test]
fn a_resumed_run_has_the_same_bits() {
    let (context, folds) = (checked(), planted(300, 6000));
    let loss = Sl::new(0.2);
    for negatives in [Negatives::Full, Negatives::InBatch { log_q: true }] {
        let settings = Settings {
            negatives,
            ..settings(BATCHES[0])
        };
        let whole = on_gpu(&context, &folds, &loss, settings);
        let start = settings.start(&loss, &folds).unwrap();
        let backend = GpuBackend::new(&context, start).unwrap();
        let mut first = Trainer::new(&folds, settings, backend).unwrap();
        first.next_epoch(&mut |_| {}).unwrap();
        let checkpoint = first.checkpoint().unwrap();
        drop(first);
        let start = checkpoint.start(&loss, &folds, &settings).unwrap();
        let backend = GpuBackend::new(&context, start).unwrap();
        let mut second = Trainer::resume(&folds, settings, backend, checkpoint).unwrap();
        second.run(&mut |_| {}).unwrap();
        assert_eq!(whole.best(), second.best());
        let losses = |trainer: &Trainer<'_, GpuBackend<'_>>| -> Vec<f64> {
            trainer.history().iter().map(|epoch| epoch.loss).collect()
        };
        assert_eq!(losses(&whole), losses(&second));
    }
}
