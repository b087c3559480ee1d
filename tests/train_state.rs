//! Losses that learn or remember something beside the embeddings: it is moved, kept and restored as
//! it should be. The tests on a GPU fail without an adapter.
#![cfg(feature = "train")]

#[path = "train_state/gpu.rs"]
mod gpu;
#[path = "train_state/losses.rs"]
mod losses;
#[path = "train_state/refusals.rs"]
mod refusals;

use losses::{Learning, Referring, Remembering};
use wgloss::{
    DynLoss,
    loss::{AdvInfoNce, Score},
    train::{
        Adversary, AdversarySchedule, Backend, BatchBy, Batching, Checkpoint, CpuBackend,
        Embeddings, Folds, Init, InitKind, LossState, Moved, Negatives, Optimiser, Planted,
        Settings, SgdOptions, Start, Trainer,
    },
};

fn planted() -> Folds {
    let data = Planted {
        users: 200,
        items: 120,
        interactions: 4000,
        clusters: 10,
        seed: 1,
    };
    Folds::new(&data.generate().unwrap(), 0).unwrap()
}

fn settings() -> Settings {
    Settings {
        epochs: 6,
        batching: Batching {
            by: BatchBy::Interactions,
            size: 500,
        },
        init: Init::normal(8, 1.0),
        eval_every: 2,
        quantile_every: 2,
        adversary: Adversary {
            schedule: AdversarySchedule::Replace { every: 3 },
            optimiser: Adversary::default().optimiser.with_learning_rate(0.05),
            ..Adversary::default()
        },
        ..Settings::default()
    }
}

fn sampled() -> Settings {
    Settings {
        negatives: Negatives::Sampled(20),
        ..settings()
    }
}

fn descent(momentum: f64) -> Optimiser {
    Optimiser::Sgd(SgdOptions {
        learning_rate: 0.125,
        momentum,
        weight_decay: 0.0,
    })
}

/// What a test trains on.
type Made<'a, B> = &'a dyn Fn(Start<'a>) -> B;

fn on_cpu(start: Start<'_>) -> CpuBackend<'_> {
    CpuBackend::new(start).unwrap()
}

fn new<'a, B: Backend>(
    folds: &'a Folds,
    loss: &'a dyn DynLoss,
    settings: Settings,
    made: Made<'a, B>,
) -> Trainer<'a, B> {
    let backend = made(settings.start(loss, folds).unwrap());
    Trainer::new(folds, settings, backend).unwrap()
}

/// Stops after every epoch in turn, through a file, and goes on: everything at the end is that of a
/// run that was not stopped. Gives that state.
fn resumes_to_the_same_bits<'a, B: Backend>(
    folds: &'a Folds,
    loss: &'a dyn DynLoss,
    settings: Settings,
    made: Made<'a, B>,
) -> LossState {
    let mut whole = new(folds, loss, settings, made);
    whole.run(&mut |_| {}).unwrap();
    let whole = whole.checkpoint().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let mut first = new(folds, loss, settings, made);
    first.checkpoint().unwrap().save(&path).unwrap();
    drop(first);
    for _ in 0..settings.epochs {
        let checkpoint = Checkpoint::load(&path).unwrap();
        let backend = made(checkpoint.start(loss, folds, &settings).unwrap());
        let mut trainer = Trainer::resume(folds, settings, backend, checkpoint).unwrap();
        trainer.next_epoch(&mut |_| {}).unwrap().unwrap();
        let left = trainer.checkpoint().unwrap();
        left.save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), left);
    }
    let resumed = Checkpoint::load(&path).unwrap();
    assert_eq!(resumed.state, whole.state);
    assert_eq!(resumed.embeddings, whole.embeddings);
    assert_eq!(resumed.moments, whole.moments);
    assert_eq!(resumed.best, whole.best);
    let losses = |of: &Checkpoint| -> Vec<(Moved, u64)> {
        let epochs = of.history.iter();
        epochs.map(|of| (of.moved, of.loss.to_bits())).collect()
    };
    assert_eq!(losses(&resumed), losses(&whole));
    whole.state
}

#[test]
fn a_run_with_state_that_is_stopped_after_every_epoch_ends_with_the_same_bits() {
    let folds = planted();
    let adversary = AdvInfoNce::default();
    let momentum = Settings {
        optimiser: descent(0.9),
        ..settings()
    };
    let before = Settings {
        adversary: Adversary {
            schedule: AdversarySchedule::Before {
                every: 2,
                at_most: 2,
            },
            ..settings().adversary
        },
        ..sampled()
    };
    let remembering = Remembering { k: 3 };
    let cases: [(&dyn DynLoss, Settings); 6] = [
        (&Learning, settings()),
        (&Learning, momentum),
        (&remembering, sampled()),
        (&adversary, settings()),
        (&adversary, before),
        (&Referring, settings()),
    ];
    for (loss, settings) in cases {
        let start = settings.start(loss, &folds).unwrap().state;
        let end = resumes_to_the_same_bits(&folds, loss, settings, &on_cpu);
        // Something was to be kept.
        let frozen = loss.spec().second.is_some_and(|tile| tile.frozen);
        assert_eq!(end == start, frozen, "{loss:?}");
    }
}

#[test]
fn scalars_take_the_optimisers_steps_and_stop_at_their_bounds() {
    let folds = planted();
    let settings = Settings {
        optimiser: descent(0.0),
        epochs: 1,
        ..settings()
    };
    let mut backend = on_cpu(settings.start(&Learning, &folds).unwrap());
    let dealer = wgloss::train::Dealer::new(
        &folds.train,
        settings.batching,
        settings.negatives,
        settings.seed,
    );
    let step = dealer.unwrap().epoch(1).next().unwrap();
    let rate = settings.optimiser.learning_rate();
    let [mut first, mut second, _] = Learning::INITIAL;
    for _ in 0..30 {
        backend.step(&step, rate).unwrap();
        first = (first - rate * 2.0 * (first + 1.0)).clamp(0.0, 10.0);
        // Ascends at twice the rate; the bound is taken after the first scalar has moved.
        second = (second + 2.0 * rate * Learning::SLOPE).clamp(-5.0, 1.0 + first);
        let scalars = backend.scalars().unwrap();
        assert!((scalars[0] - first).abs() < 1e-6, "{scalars:?} {first}");
        assert!((scalars[1] - second).abs() < 1e-6, "{scalars:?} {second}");
    }
    assert_eq!((first, second), (0.0, 1.0));
    let state = backend.state().unwrap();
    let named = state.named_scalars(&Learning);
    assert_eq!(named[0], ("first", 0.0));
    assert_eq!(named[1], ("second", 1.0));
    assert_ne!(named[2], ("third", Learning::INITIAL[2]));
}

#[test]
fn weight_decay_shrinks_also_a_scalar_that_ascends() {
    let folds = planted();
    let settings = Settings {
        optimiser: descent(0.0).with_weight_decay(1.0),
        ..settings()
    };
    let mut trainer = new(&folds, &Learning, settings, &on_cpu);
    trainer.run(&mut |_| {}).unwrap();
    let state = trainer.checkpoint().unwrap().state;
    // Where its slope and the penalty's, its own value, are in balance.
    let expected = Learning::SLOPE;
    assert!((state.scalars[1] - expected).abs() < 1e-3, "{state:?}");
}

/// The tables of both sides before and after each epoch.
fn moved_by_epochs<'a, B: Backend>(
    folds: &'a Folds,
    loss: &'a dyn DynLoss,
    settings: Settings,
    made: Made<'a, B>,
) -> Vec<(Moved, [bool; 2])> {
    let mut trainer = new(folds, loss, settings, made);
    let tables = |trainer: &mut Trainer<'_, B>| -> [Embeddings; 2] {
        let Checkpoint {
            embeddings, state, ..
        } = trainer.checkpoint().unwrap();
        [embeddings, state.second.unwrap().tables]
    };
    let mut before = tables(&mut trainer);
    let mut moved = Vec::new();
    while let Some(record) = trainer.next_epoch(&mut |_| {}).unwrap() {
        let after = tables(&mut trainer);
        moved.push((record.moved, [0, 1].map(|side| before[side] != after[side])));
        before = after;
    }
    moved
}

#[test]
fn an_adversarys_epochs_move_its_tables_alone() {
    let (folds, loss) = (planted(), AdvInfoNce::default());
    let model = (Moved::Model, [true, false]);
    let adversary = (Moved::Adversary, [false, true]);
    let both = (Moved::Both, [true, true]);
    let replace = moved_by_epochs(&folds, &loss, settings(), &on_cpu);
    assert_eq!(replace, [model, model, adversary, model, model, adversary]);
    let mut settings = settings();
    settings.adversary.schedule = AdversarySchedule::Before {
        every: 2,
        at_most: 2,
    };
    let before = moved_by_epochs(&folds, &loss, settings, &on_cpu);
    assert_eq!(before, [model, both, model, both, model, model]);
}

/// Its own steps raise the loss, where the model's lower it.
#[test]
fn an_adversary_ascends() {
    let (folds, loss) = (planted(), AdvInfoNce::default());
    let mut backend = on_cpu(settings().start(&loss, &folds).unwrap());
    let settings = settings();
    let dealer = wgloss::train::Dealer::new(
        &folds.train,
        settings.batching,
        settings.negatives,
        settings.seed,
    );
    let step = dealer.unwrap().epoch(1).next().unwrap();
    for _ in 0..10 {
        backend.step_adversary(&step, 0.01).unwrap();
    }
    let raised = backend.take_losses().unwrap();
    assert!(
        raised.windows(2).all(|pair| pair[0] < pair[1]),
        "{raised:?}"
    );
    assert!(raised[0] > 0.0, "{raised:?}");
}

#[test]
fn adversaries_start_from_their_own_deviation() {
    let (folds, loss) = (planted(), AdvInfoNce::default());
    let mut settings = settings();
    settings.adversary.init = InitKind::Normal { deviation: 0.001 };
    let start = settings.start(&loss, &folds).unwrap();
    let largest = |table: &[f32]| table.iter().fold(0f32, |most, x| most.max(x.abs()));
    let second = start.state.second.unwrap().tables;
    assert!((0.002..0.007).contains(&largest(&second.queries)));
    assert!((0.002..0.007).contains(&largest(&second.candidates)));
    assert!(largest(&start.embeddings.queries) > 2.0);
}

/// The K-th largest scores are those of the embeddings after the epoch, in every second epoch; the
/// running mean is renewed with every step, of users that have a row.
#[test]
fn what_users_have_is_renewed_by_steps_and_by_ranking() {
    let (folds, loss) = (planted(), Remembering { k: 3 });
    let settings = sampled();
    let mut trainer = new(&folds, &loss, settings, &on_cpu);
    let untouched = settings
        .start(&loss, &folds)
        .unwrap()
        .state
        .query_parameters;
    for epoch in 1..=4 {
        trainer.next_epoch(&mut |_| {}).unwrap().unwrap();
        let left = trainer.checkpoint().unwrap();
        let ranked = left.embeddings.top_k(Score::Cosine, 3, None).unwrap();
        for user in 0..folds.train.users() {
            let has_items = !folds.train.of(user).is_empty();
            let [mean, quantile] = [0, 1].map(|at| left.state.query_parameters[user * 2 + at]);
            assert_eq!(mean == untouched[user * 2], !has_items, "user {user}");
            match epoch {
                1 => assert_eq!(quantile, 0.0),
                2 | 4 if has_items => assert_eq!(quantile, f64::from(ranked.scores(user)[2])),
                _ => {}
            }
        }
    }
    assert!(trainer.history()[1].times.quantiles > 0.0);
    assert_eq!(trainer.history()[2].times.quantiles, 0.0);
}

#[test]
fn a_reference_stays_as_it_is_and_counts() {
    let folds = planted();
    let settings = settings();
    let initial = settings.start(&Referring, &folds).unwrap();
    let own = initial.state.second.clone().unwrap().tables;
    assert_eq!(own, initial.embeddings);
    // Against itself every score is 0: softplus(log n).
    let loss_of = |start: Start<'_>| {
        let mut trainer = Trainer::new(&folds, settings, on_cpu(start)).unwrap();
        let first = trainer.next_epoch(&mut |_| {}).unwrap().unwrap();
        (first.loss, trainer.checkpoint().unwrap().state)
    };
    let (from_itself, state) = loss_of(initial.clone());
    assert_eq!(state.second.unwrap().tables, own);
    // Another width is as good.
    let other = Embeddings::initial(&folds.train, Init::normal(5, 1.0), 9).unwrap();
    let (from_other, state) = loss_of(initial.with_reference(other.clone()).unwrap());
    assert_eq!(state.second.unwrap().tables, other);
    assert_ne!(from_itself, from_other);
}
