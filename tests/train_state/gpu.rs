//! The same on a device.

use super::{
    Learning, Referring, Remembering, descent, moved_by_epochs, new, on_cpu, planted,
    resumes_to_the_same_bits, sampled, settings,
};
use std::sync::LazyLock;
use wgloss::{
    Device, DynLoss, Engine, EngineOptions,
    gpu::{Context, ContextOptions},
    loss::{AdvInfoNce, Uss},
    train::{AdversarySchedule, GpuBackend, Moved, Negatives, Settings, Start},
};

static CONTEXT: LazyLock<Context> = LazyLock::new(|| {
    let mut wanted = EngineOptions::default().device(Device::Gpu);
    wanted.context = ContextOptions {
        checked: true,
        ..ContextOptions::default()
    };
    let engine = Engine::with_options(&wanted).unwrap_or_else(|error| {
        panic!("these tests need an adapter; a software one (Mesa's lavapipe) will do: {error}")
    });
    engine.context().unwrap().clone()
});

fn on_gpu(start: Start<'_>) -> GpuBackend<'_> {
    GpuBackend::new(&CONTEXT, start).unwrap()
}

#[test]
fn a_run_with_state_resumes_to_the_same_bits() {
    let folds = planted();
    let adversary = AdvInfoNce::default();
    let momentum = Settings {
        optimiser: descent(0.9),
        ..settings()
    };
    let shared = Settings {
        negatives: Negatives::InBatch { log_q: true },
        ..settings()
    };
    let remembering = Remembering { k: 3 };
    let cases: [(&dyn DynLoss, Settings); 5] = [
        (&Learning, settings()),
        (&Learning, momentum),
        (&adversary, shared),
        (&remembering, sampled()),
        (&Referring, shared),
    ];
    for (loss, settings) in cases {
        let start = settings.start(loss, &folds).unwrap().state;
        let end = resumes_to_the_same_bits(&folds, loss, settings, &on_gpu);
        // Something was to be kept.
        let frozen = loss.spec().second.is_some_and(|tile| tile.frozen);
        assert_eq!(end == start, frozen, "{loss:?}");
    }
}

#[test]
fn an_adversarys_epochs_move_its_tables_alone() {
    let (folds, loss) = (planted(), AdvInfoNce::default());
    let mut settings = settings();
    settings.epochs = 4;
    settings.adversary.schedule = AdversarySchedule::Before {
        every: 2,
        at_most: 1,
    };
    let moved = moved_by_epochs(&folds, &loss, settings, &on_gpu);
    let (model, both) = (Moved::Model, Moved::Both);
    let expected = [(model, false), (both, true), (model, false), (model, false)];
    assert_eq!(
        moved,
        expected.map(|(moved, second)| (moved, [true, second]))
    );
    settings.adversary.schedule = AdversarySchedule::Replace { every: 3 };
    let moved = moved_by_epochs(&folds, &loss, settings, &on_gpu);
    assert_eq!(moved[2], (Moved::Adversary, [false, true]));
}

/// Losses and state of a run on the device follow those of the CPU, as far as Adam's sign on slopes
/// of about 0 lets them.
#[test]
fn state_follows_the_cpu() {
    let folds = planted();
    let adversary = AdvInfoNce::default();
    let uss = Uss {
        scale: 8.0,
        ..Uss::default()
    };
    let descent = Settings {
        optimiser: descent(0.0),
        ..settings()
    };
    let remembering = Remembering { k: 3 };
    let in_batch = Settings {
        negatives: Negatives::InBatch { log_q: false },
        ..settings()
    };
    let cases: [(&dyn DynLoss, Settings); 9] = [
        (&Learning, settings()),
        (&Learning, descent),
        (&uss, settings()),
        (&adversary, settings()),
        (&adversary, sampled()),
        (&remembering, sampled()),
        (&remembering, in_batch),
        (&Referring, settings()),
        (&Referring, sampled()),
    ];
    for (loss, settings) in cases {
        let mut cpu = new(&folds, loss, settings, &on_cpu);
        let mut gpu = new(&folds, loss, settings, &on_gpu);
        cpu.run(&mut |_| {}).unwrap();
        gpu.run(&mut |_| {}).unwrap();
        for (a, b) in cpu.history().iter().zip(gpu.history()) {
            println!("{loss:?}: {:?} {} {}", a.moved, a.loss, b.loss);
            assert_eq!(a.moved, b.moved);
            let tolerance = if a.epoch == 1 { 1e-5 } else { 2e-3 };
            assert!((a.loss - b.loss).abs() < tolerance * a.loss.abs().max(1.0));
        }
        let [a, b] = [cpu.checkpoint(), gpu.checkpoint()].map(|left| left.unwrap().state);
        println!("{:?} {:?}", a.scalars, b.scalars);
        for (a, b) in a.scalars.iter().zip(&b.scalars) {
            assert!((a - b).abs() < 1e-3 * a.abs().max(1.0), "{a} {b}");
        }
        assert_eq!(a.query_parameters.len(), b.query_parameters.len());
        let users = a.query_parameters.iter().zip(&b.query_parameters);
        // Embeddings that Adam moves by the sign of their slope drift apart; most do not.
        let apart = users.filter(|(a, b)| (*a - *b).abs() > 0.02 * a.abs().max(1.0));
        let apart = apart.count();
        println!(
            "{apart} of {} numbers per user apart",
            a.query_parameters.len()
        );
        assert!(apart * 50 <= a.query_parameters.len(), "{apart} apart");
        assert_eq!(a.scalar_moments.steps, b.scalar_moments.steps);
        assert_eq!(a.second.is_some(), b.second.is_some());
    }
}
