//! The trainer on a GPU: it follows the CPU, repeats itself, and its optimiser is Adam. Without an
//! adapter these tests fail.
#![cfg(feature = "train")]

#[path = "train_gpu/optimisers.rs"]
mod optimisers;

use wgloss::{
    Device, DynLoss, Engine, EngineOptions, Error,
    gpu::{Context, ContextOptions},
    loss::{Activation, Psl, Score, Sl},
    train::{
        Backend, BatchBy, Batching, CpuBackend, Draw, Folds, GpuBackend, Init, Negatives, Planted,
        Settings, Trainer,
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
        init: Init::normal(12, 1.0),
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
