//! Checkpoints: a resumed run is the run, and anything else is refused.
#![cfg(feature = "train")]

use std::fs;
use wgloss::{
    DynLoss,
    loss::Sl,
    train::{
        BatchBy, Batching, Checkpoint, CpuBackend, Decay, Folds, Init, Negatives, Note, Optimiser,
        Planted, Schedule, Settings, SgdOptions, Trainer,
    },
};

fn planted(seed: u64) -> Folds {
    let data = Planted {
        users: 300,
        items: 150,
        interactions: 6000,
        clusters: 10,
        seed,
    };
    Folds::new(&data.generate().unwrap(), 0).unwrap()
}

fn settings(negatives: Negatives, optimiser: Optimiser, by: BatchBy) -> Settings {
    Settings {
        epochs: 6,
        batching: Batching { by, size: 200 },
        negatives,
        optimiser,
        schedule: Schedule {
            warmup: 1,
            decay: Decay::Cosine,
        },
        init: Init::normal(8, 1.0),
        eval_every: 2,
        ..Settings::default()
    }
}

fn new<'a>(
    folds: &'a Folds,
    loss: &'a dyn DynLoss,
    settings: Settings,
) -> Trainer<'a, CpuBackend<'a>> {
    let backend = CpuBackend::new(settings.start(loss, folds).unwrap()).unwrap();
    Trainer::new(folds, settings, backend).unwrap()
}

/// What bits a run has left, without times.
fn traces(trainer: &Trainer<'_, CpuBackend<'_>>) -> Vec<(u64, u64, bool)> {
    let history = trainer.history().iter();
    history
        .map(|epoch| (epoch.loss.to_bits(), epoch.rate.to_bits(), epoch.best))
        .collect()
}

/// Stops after every epoch in turn, through a file, and goes on.
fn resumes_to_the_same_bits(settings: Settings) {
    let (folds, loss) = (planted(1), Sl::new(0.2));
    let mut whole = new(&folds, &loss, settings);
    whole.run(&mut |_| {}).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    new(&folds, &loss, settings)
        .checkpoint()
        .unwrap()
        .save(&path)
        .unwrap();
    for epoch in 0..settings.epochs {
        let checkpoint = Checkpoint::load(&path).unwrap();
        assert_eq!(checkpoint.history.len(), epoch);
        let start = checkpoint.start(&loss, &folds, &settings).unwrap();
        let backend = CpuBackend::new(start).unwrap();
        let mut trainer = Trainer::resume(&folds, settings, backend, checkpoint).unwrap();
        trainer.next_epoch(&mut |_| {}).unwrap().unwrap();
        let left = trainer.checkpoint().unwrap();
        left.save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), left);
        if epoch + 1 == settings.epochs {
            assert_eq!(traces(&trainer), traces(&whole));
            assert_eq!(trainer.best(), whole.best());
            assert_eq!(left.moments, whole.checkpoint().unwrap().moments);
        }
    }
}

#[test]
fn a_run_that_is_stopped_after_every_epoch_ends_with_the_same_bits() {
    let momentum = Optimiser::Sgd(SgdOptions {
        momentum: 0.9,
        ..SgdOptions::default()
    });
    let descent = Optimiser::Sgd(SgdOptions::default());
    for (negatives, optimiser, by) in [
        (Negatives::Full, Optimiser::default(), BatchBy::Users),
        (Negatives::Sampled(20), momentum, BatchBy::Interactions),
        (
            Negatives::InBatch { log_q: true },
            descent,
            BatchBy::Interactions,
        ),
    ] {
        resumes_to_the_same_bits(settings(negatives, optimiser, by));
    }
}

#[test]
fn equal_runs_leave_equal_files() {
    let (folds, loss) = (planted(1), Sl::new(0.2));
    let settings = settings(Negatives::Full, Optimiser::default(), BatchBy::Users);
    let folder = tempfile::tempdir().unwrap();
    let file = |name| {
        let path = folder.path().join(name);
        let mut checkpoint = new(&folds, &loss, settings).checkpoint().unwrap();
        checkpoint.history.clear();
        checkpoint.save(&path).unwrap();
        fs::read(path).unwrap()
    };
    assert_eq!(file("a"), file("b"));
}

#[test]
fn another_run_is_refused_by_what_is_different() {
    let (folds, loss) = (planted(1), Sl::new(0.2));
    let settings = settings(Negatives::Full, Optimiser::default(), BatchBy::Users);
    let mut trainer = new(&folds, &loss, settings);
    trainer.next_epoch(&mut |_| {}).unwrap();
    let checkpoint = trainer.checkpoint().unwrap();
    let refusal = |loss: &dyn DynLoss, folds: &Folds, settings: Settings| {
        let start = checkpoint.start(loss, folds, &settings);
        start.err().map(|error| error.to_string())
    };
    assert_eq!(refusal(&loss, &folds, settings), None);
    let other = refusal(&loss, &planted(2), settings).unwrap();
    assert!(other.starts_with("resume: the checkpoint is of another data set"));
    let other = refusal(&Sl::new(0.1), &folds, settings).unwrap();
    assert!(
        other.contains("another loss") && other.contains("tau: 0.1"),
        "{other}"
    );
    let seeded = Settings {
        seed: 1,
        ..settings
    };
    let other = refusal(&loss, &folds, seeded).unwrap();
    assert!(
        other.contains("settings") && other.contains("seed: 1"),
        "{other}"
    );
    // More epochs change what a cosine does from the first one on.
    let longer = Settings {
        epochs: 8,
        ..settings
    };
    assert!(refusal(&loss, &folds, longer).is_some());
}

#[test]
fn a_run_may_become_longer_where_the_rates_stay() {
    let (folds, loss) = (planted(1), Sl::new(0.2));
    let short = Settings {
        epochs: 2,
        schedule: Schedule::default(),
        ..settings(Negatives::Full, Optimiser::default(), BatchBy::Users)
    };
    let long = Settings { epochs: 4, ..short };
    let mut first = new(&folds, &loss, short);
    first.run(&mut |_| {}).unwrap();
    let checkpoint = first.checkpoint().unwrap();
    let start = checkpoint.start(&loss, &folds, &long).unwrap();
    let backend = CpuBackend::new(start).unwrap();
    let mut second = Trainer::resume(&folds, long, backend, checkpoint).unwrap();
    second.run(&mut |_| {}).unwrap();
    let mut whole = new(&folds, &loss, long);
    whole.run(&mut |_| {}).unwrap();
    assert_eq!(traces(&second), traces(&whole));
}

#[test]
fn broken_files_are_named() {
    let (folds, loss) = (planted(1), Sl::new(0.2));
    let settings = settings(Negatives::Full, Optimiser::default(), BatchBy::Users);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let refusal = || {
        let error = Checkpoint::load(&path).unwrap_err().to_string();
        assert!(error.contains("checkpoint.safetensors"), "{error}");
        error
    };
    assert!(!refusal().is_empty());
    new(&folds, &loss, settings)
        .checkpoint()
        .unwrap()
        .save(&path)
        .unwrap();
    let whole = fs::read(&path).unwrap();
    for keep in [0, 7, 8, 100, whole.len() - 1] {
        fs::write(&path, &whole[..keep]).unwrap();
        let error = refusal();
        assert!(error.contains("whole safetensors"), "{keep} bytes: {error}");
    }
    // Whole, but something else.
    let best = new(&folds, &loss, settings)
        .checkpoint()
        .unwrap()
        .embeddings;
    best.save(&path, &Note::default()).unwrap();
    let error = refusal();
    assert!(error.contains("wgloss"), "{error}");
    // A header that claims to be endless.
    fs::write(&path, [[0xff; 8], [b' '; 8]].concat()).unwrap();
    refusal();
}
