//! The trainer: that it repeats itself, which epoch it keeps, what it refuses.
#![cfg(feature = "train")]

use wgloss::{
    DynLoss, Error, Result,
    loss::{Score, Sl, registry},
    train::{
        Backend, BatchBy, Batching, CpuBackend, Dataset, Embeddings, Folds, Init, Interactions,
        LossState, Moments, Negatives, Optimiser, Planted, Settings, Step, Trainer,
    },
};

fn planted() -> Folds {
    let data = Planted {
        users: 1000,
        items: 500,
        interactions: 30_000,
        clusters: 20,
        seed: 3,
    };
    Folds::new(&data.generate().unwrap(), 0).unwrap()
}

fn settings(by: BatchBy, size: usize) -> Settings {
    Settings {
        epochs: 20,
        batching: Batching { by, size },
        init: Init::normal(16, 1.0),
        eval_every: 2,
        ..Settings::default()
    }
}

fn train<'a>(
    folds: &'a Folds,
    loss: &'a dyn DynLoss,
    settings: Settings,
) -> Trainer<'a, CpuBackend<'a>> {
    let backend = CpuBackend::new(settings.start(loss, folds).unwrap()).unwrap();
    let mut trainer = Trainer::new(folds, settings, backend).unwrap();
    trainer.run(&mut |_| {}).unwrap();
    trainer
}

#[test]
fn a_seed_decides_every_bit_on_any_number_of_threads() {
    let folds = planted();
    let loss = Sl::new(0.2);
    let run = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let settings = Settings {
            epochs: 2,
            seed,
            ..settings(BatchBy::Interactions, 1024)
        };
        let trainer = pool.build().unwrap();
        trainer.install(|| train(&folds, &loss, settings).best().cloned().unwrap())
    };
    let first = run(1, 5);
    assert_eq!(first, run(1, 5));
    assert_eq!(first, run(3, 5));
    assert_ne!(first.embeddings, run(1, 6).embeddings);
}

/// A backend that has been told how good it is after each epoch: for how many users it ranks the
/// validation items first; for the others it ranks them last.
struct Script<'a> {
    folds: &'a Folds,
    good: &'a [usize],
    /// The epoch whose losses are NaN, from 1.
    fails: usize,
    steps: usize,
    epoch: usize,
}

impl Backend for Script<'_> {
    fn step(&mut self, _step: &Step, _rate: f64) -> Result<()> {
        self.steps += 1;
        Ok(())
    }

    fn take_losses(&mut self) -> Result<Vec<f32>> {
        self.epoch += 1;
        let loss = if self.epoch == self.fails {
            f32::NAN
        } else {
            1.0
        };
        Ok(vec![loss; std::mem::take(&mut self.steps)])
    }

    fn embeddings(&mut self) -> Result<Embeddings> {
        let (users, items) = (self.folds.train.users(), self.folds.train.items());
        let mut model = Embeddings {
            dim: users,
            queries: vec![0.0; users * users],
            candidates: vec![0.0; items * users],
        };
        for user in 0..users {
            model.queries[user * users + user] = 1.0;
            for &item in self.folds.validation.of(user) {
                let good = user < self.good[self.epoch - 1];
                model.candidates[item as usize * users + user] = if good { 1.0 } else { -1.0 };
            }
        }
        Ok(model)
    }

    fn moments(&mut self) -> Result<[Moments; 2]> {
        Ok([Moments::default(), Moments::default()])
    }

    fn step_adversary(&mut self, _step: &Step, _rate: f64) -> Result<()> {
        unreachable!("the script's loss has no adversary")
    }

    fn renew_quantiles(&mut self) -> Result<()> {
        unreachable!("the script's loss reads no quantiles")
    }

    fn state(&mut self) -> Result<LossState> {
        Ok(LossState::default())
    }

    fn scalars(&mut self) -> Result<Vec<f64>> {
        Ok(Vec::new())
    }

    fn plans(&self) -> Vec<String> {
        vec!["a script".into()]
    }

    fn loss(&self) -> &dyn DynLoss {
        &Sl {
            tau: 0.1,
            positive_in_sum: false,
            score: wgloss::loss::Score::Cosine,
            score_scale: 1.0,
        }
    }

    fn describe(&self) -> String {
        "a script".into()
    }
}

/// Eight users with distinct items, 20 each, so that a wrong ranking finds nothing.
fn small(items_per_user: u32) -> Folds {
    let items = |user: u32| (0..items_per_user).map(|i| (user * 7 + i) % 100).collect();
    let lists: Vec<Vec<u32>> = (0..8).map(items).collect();
    let train = Interactions::from_lists(100, &lists).unwrap();
    let test = Interactions::from_lists(100, &vec![vec![99]; 8]).unwrap();
    Folds::new(&Dataset { train, test }, 0).unwrap()
}

fn script<'a>(folds: &'a Folds, good: &'a [usize], fails: usize) -> Trainer<'a, Script<'a>> {
    let backend = Script {
        folds,
        good,
        fails,
        steps: 0,
        epoch: 0,
    };
    let settings = Settings {
        epochs: good.len(),
        eval_every: 1,
        ..Settings::default()
    };
    Trainer::new(folds, settings, backend).unwrap()
}

#[test]
fn the_best_epoch_is_kept_and_of_equals_the_later() {
    let folds = small(20);
    let mut trainer = script(&folds, &[2, 5, 3, 5, 1], 0);
    trainer.run(&mut |_| {}).unwrap();
    assert_eq!(trainer.best().unwrap().epoch, 4);
    let best: Vec<bool> = trainer.history().iter().map(|epoch| epoch.best).collect();
    assert_eq!(best, [true, true, false, true, false]);
    let ndcg = trainer.best().unwrap().validation.unwrap().ndcg;
    assert_eq!(ndcg, 5.0 / 8.0);
}

#[test]
fn validation_comes_as_often_as_asked_and_at_the_end() {
    let folds = small(20);
    let good = [1; 8];
    let mut trainer = script(&folds, &good, 0);
    let settings = Settings {
        eval_every: 3,
        ..*trainer.settings()
    };
    trainer = Trainer::new(&folds, settings, script_backend(&folds, &good)).unwrap();
    trainer.run(&mut |_| {}).unwrap();
    let validated = |epoch: &&wgloss::train::EpochRecord| epoch.validation.is_some();
    let epochs: Vec<usize> = (trainer.history().iter().filter(validated))
        .map(|epoch| epoch.epoch)
        .collect();
    assert_eq!(epochs, [3, 6, 8]);
}

fn script_backend<'a>(folds: &'a Folds, good: &'a [usize]) -> Script<'a> {
    Script {
        folds,
        good,
        fails: 0,
        steps: 0,
        epoch: 0,
    }
}

#[test]
fn without_anything_to_validate_on_the_last_epoch_is_kept() {
    let folds = small(1);
    assert!(folds.validation.is_empty());
    let mut trainer = script(&folds, &[1, 1, 1], 0);
    trainer.run(&mut |_| {}).unwrap();
    let best = trainer.best().unwrap();
    assert_eq!((best.epoch, best.validation), (3, None));
    assert_eq!(trainer.test(&[5]).unwrap().unwrap().users, 8);
}

#[test]
fn divergence_is_told_and_what_was_good_is_kept() {
    let folds = small(20);
    let mut trainer = script(&folds, &[2, 5, 3, 5], 3);
    let error = trainer.run(&mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 3, .. }), "{error}");
    assert!(error.to_string().contains("learning_rate: 0.1"), "{error}");
    assert_eq!(trainer.best().unwrap().epoch, 2);
    assert_eq!(trainer.history().len(), 2);
}

#[test]
fn a_huge_learning_rate_diverges_without_a_panic() {
    let folds = small(20);
    let settings = Settings {
        optimiser: Optimiser::default().with_learning_rate(1e30),
        ..Settings::default()
    };
    // Cosines have no scale; dot products overflow.
    let loss = Sl {
        score: Score::Dot,
        ..Sl::new(0.2)
    };
    let backend = CpuBackend::new(settings.start(&loss, &folds).unwrap()).unwrap();
    let mut trainer = Trainer::new(&folds, settings, backend).unwrap();
    let error = trainer.run(&mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Diverged { .. }), "{error}");
}

#[test]
fn every_loss_of_the_registry_can_be_trained_or_says_why_not() {
    let folds = small(20);
    let settings = Settings {
        negatives: Negatives::Sampled(5),
        ..Settings::default()
    };
    for loss in registry::all() {
        let start = settings.start(loss.as_dyn(), &folds).unwrap();
        let refused = CpuBackend::new(start).err().map(|error| error.to_string());
        let reason = match loss.as_dyn().spec().name {
            "sup_con" | "nt_xent" => Some("compares samples with themselves"),
            "s2s_bce" => Some("takes a number per item from the caller"),
            _ => None,
        };
        match (reason, refused) {
            (None, None) => {}
            (Some(reason), Some(error)) if error.contains(reason) => {}
            (_, refused) => panic!("{loss:?}: {refused:?}"),
        }
    }
}

#[test]
fn what_cannot_be_trained_is_refused_before_the_first_step() {
    let folds = small(20);
    let refusal = |loss: &dyn DynLoss, settings: Settings| {
        let start = settings.start(loss, &folds);
        let error = start.and_then(CpuBackend::new).unwrap_err();
        error.to_string()
    };
    assert!(refusal(&Sl::new(-1.0), Settings::default()).starts_with("sl: tau = -1"));
    let mut settings = Settings::default();
    settings.optimiser = settings.optimiser.with_learning_rate(f64::NAN);
    assert!(refusal(&Sl::new(0.1), settings).contains("learning_rate"));
    settings = Settings::default();
    settings.init.dim = 0;
    assert!(refusal(&Sl::new(0.1), settings).starts_with("dim"));
}
