//! What steps compare with: that draws are what they say, and that training takes them.
#![cfg(feature = "train")]

use wgloss::{
    DynLoss,
    loss::Sl,
    train::{
        Backend, BatchBy, Batching, CpuBackend, Dataset, Dealer, Draw, Folds, Init, Interactions,
        Negatives, Planted, Settings, Step, Trainer,
    },
};

const SHARED: Negatives = Negatives::Shared {
    count: 30,
    draw: Draw::Uniform,
    log_q: false,
};

/// Users with 0 to 15 of 16 items, so that all ways to draw are taken; user 16 has every item.
fn staircase() -> Interactions {
    let lists: Vec<Vec<u32>> = (0..=16).map(|user| (0..user).collect()).collect();
    Interactions::from_lists(16, &lists).unwrap()
}

fn steps(train: &Interactions, by: BatchBy, negatives: Negatives, epoch: u64) -> Vec<Step> {
    let dealer = Dealer::new(train, Batching { by, size: 20 }, negatives, 5).unwrap();
    dealer.epoch(epoch).collect()
}

#[test]
fn sampled_negatives_are_uniform_over_what_the_user_has_not() {
    let train = staircase();
    for by in [BatchBy::Interactions, BatchBy::Users] {
        let mut counts = vec![[0u32; 16]; 17];
        for epoch in 0..40 {
            for step in steps(&train, by, Negatives::Sampled(50), epoch) {
                assert_eq!(step.negatives().len(), 50 * step.rows().len());
                for (&user, ids) in step.rows().iter().zip(step.negatives().chunks(50)) {
                    for &id in ids {
                        counts[user as usize][id as usize] += 1;
                    }
                }
            }
        }
        for (user, counts) in counts.iter().enumerate().take(16).skip(1) {
            let draws: u32 = counts.iter().sum();
            assert!(draws > 0);
            let expected = f64::from(draws) / (16 - user) as f64;
            for (item, &count) in counts.iter().enumerate() {
                if item < user {
                    assert_eq!(count, 0, "user {user} has item {item}");
                } else {
                    // Six standard deviations of a binomial count.
                    let error = (f64::from(count) - expected).abs();
                    assert!(error < 6.0 * expected.sqrt(), "{count}, not {expected}");
                }
            }
        }
        // Who has every item has nothing to be compared with, and who has none nothing to learn.
        assert_eq!(counts[16], [0; 16]);
        assert_eq!(counts[0], [0; 16]);
    }
}

#[test]
fn rows_and_epochs_have_streams_of_their_own() {
    let train = staircase();
    let draws = |epoch| -> Vec<Vec<u32>> {
        let steps = steps(&train, BatchBy::Interactions, Negatives::Sampled(40), epoch);
        let rows = steps.iter().flat_map(|step| step.negatives().chunks(40));
        rows.map(<[u32]>::to_vec).collect()
    };
    let mut all = [draws(1), draws(2)].concat();
    let count = all.len();
    all.sort();
    all.dedup();
    // Users with one item left have but one way to be drawn for.
    let only: usize = 2 * (1 + train.of(15).len()) - 2 - 1;
    assert_eq!(all.len(), count - only);
    assert_eq!(draws(1), draws(1));
}

#[test]
fn rows_share_lists_that_are_drawn_for_each_step() {
    let train = staircase();
    let mut counts = [[0u32; 16]; 2];
    for (counts, draw) in counts.iter_mut().zip([Draw::Uniform, Draw::Popularity]) {
        let negatives = Negatives::Shared {
            count: 100,
            draw,
            log_q: false,
        };
        let mut lists = Vec::new();
        for epoch in 0..60 {
            let steps = steps(&train, BatchBy::Users, negatives, epoch);
            lists.extend(steps.iter().map(|step| step.negatives().to_vec()));
        }
        for &id in lists.iter().flatten() {
            counts[id as usize] += 1;
        }
        let draws = lists.len();
        lists.sort();
        lists.dedup();
        assert_eq!(lists.len(), draws, "no list comes twice");
    }
    let (popular, all) = (train.item_counts(), train.len() as f64);
    for item in 0..16 {
        for (counts, share) in [
            (&counts[0], 1.0 / 16.0),
            (&counts[1], f64::from(popular[item]) / all),
        ] {
            let expected = share * f64::from(counts.iter().sum::<u32>());
            let error = (f64::from(counts[item]) - expected).abs();
            assert!(error < 6.0 * expected.sqrt().max(1.0), "item {item}");
        }
    }
}

#[test]
fn in_batch_negatives_are_the_batch() {
    let negatives = Negatives::InBatch { log_q: false };
    for by in [BatchBy::Interactions, BatchBy::Users] {
        for step in steps(&staircase(), by, negatives, 3) {
            assert_eq!(step.negatives(), step.positives().ids);
        }
    }
}

#[test]
fn only_negatives_of_rows_keep_interactions_apart() {
    let train = staircase();
    let rows = |negatives| -> usize {
        let steps = steps(&train, BatchBy::Interactions, negatives, 0);
        steps.iter().map(|step| step.rows().len()).sum()
    };
    // User 16 is left out.
    assert_eq!(rows(Negatives::Sampled(2)), train.len() - 16);
    assert!(rows(SHARED) < train.len());
    assert_eq!(rows(SHARED), rows(Negatives::Full));
}

fn planted() -> Folds {
    let data = Planted {
        users: 300,
        items: 200,
        interactions: 9000,
        clusters: 10,
        seed: 3,
    };
    Folds::new(&data.generate().unwrap(), 0).unwrap()
}

fn trained(folds: &Folds, loss: &dyn DynLoss, settings: Settings) -> f64 {
    let backend = CpuBackend::new(settings.start(loss, folds).unwrap()).unwrap();
    let mut trainer = Trainer::new(folds, settings, backend).unwrap();
    trainer.run(&mut |_| {}).unwrap();
    trainer.test(&[20]).unwrap().unwrap().at[0].ndcg
}

/// All kinds lead to about the same model, which popularity does not reach.
#[test]
fn every_kind_of_negatives_trains() {
    let folds = planted();
    let popularity = folds.popularity(&[20]).unwrap().at[0].ndcg;
    let drawn = |log_q| Negatives::Shared {
        count: 200,
        draw: Draw::Popularity,
        log_q,
    };
    for (by, size) in [(BatchBy::Interactions, 256), (BatchBy::Users, 16)] {
        for negatives in [
            Negatives::Full,
            Negatives::Sampled(100),
            Negatives::InBatch { log_q: true },
            SHARED,
            drawn(true),
        ] {
            let settings = Settings {
                epochs: 20,
                batching: Batching { by, size },
                negatives,
                init: Init::normal(16, 1.0),
                ..Settings::default()
            };
            let ndcg = trained(&folds, &Sl::new(0.2), settings);
            println!("{negatives:?} by {by:?}: {ndcg:.4}, popularity {popularity:.4}");
            assert!(ndcg > 1.3 * popularity, "{negatives:?}: {ndcg}");
        }
    }
}

#[test]
fn the_correction_lets_popular_negatives_count_less() {
    let folds = planted();
    let settings = |log_q| Settings {
        epochs: 10,
        negatives: Negatives::InBatch { log_q },
        init: Init::normal(16, 1.0),
        ..Settings::default()
    };
    let loss = Sl::new(0.2);
    let [plain, corrected] = [false, true].map(|log_q| trained(&folds, &loss, settings(log_q)));
    // Popular items are in the batch more often, and are pushed away for that without correction.
    assert!(corrected > 1.1 * plain, "{corrected} and {plain}");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let folds = planted();
    let none = Settings {
        negatives: Negatives::Sampled(0),
        ..Settings::default()
    };
    let loss = Sl::new(0.2);
    let start = none.start(&loss, &folds).map(|start| start.validate());
    let error = start.unwrap().unwrap_err().to_string();
    assert!(
        error.starts_with("training: negatives = sampled=0"),
        "{error}"
    );
    for text in [
        "sampled",
        "sampled=0",
        "sampled=x",
        "shared=",
        "all",
        "in_batch",
    ] {
        assert!(text.parse::<Negatives>().is_err(), "{text}");
    }
    for text in ["full", "sampled=1000", "in-batch", "shared=4096"] {
        assert_eq!(text.parse::<Negatives>().unwrap().to_string(), text);
    }
    // Everybody has everything.
    let all = Interactions::from_lists(3, &vec![vec![0, 1, 2]; 4]).unwrap();
    let batching = Batching::PUBLISHED;
    assert!(Dealer::new(&all, batching, Negatives::Sampled(2), 0).is_err());
    let none = Interactions::from_lists(0, &[vec![]]).unwrap();
    assert!(Dealer::new(&none, batching, Negatives::Sampled(2), 0).is_err());
    let folds = Folds::new(
        &Dataset {
            train: all.clone(),
            test: all,
        },
        0,
    )
    .unwrap();
    let settings = Settings {
        negatives: Negatives::Full,
        ..Settings::default()
    };
    // Nothing is compared with anything, and nothing is not a number.
    let start = settings.start(&loss, &folds).unwrap();
    let mut backend = CpuBackend::new(start).unwrap();
    let dealer = Dealer::new(&folds.train, batching, Negatives::Full, 0).unwrap();
    for step in dealer.epoch(0) {
        backend.step(&step, 0.1).unwrap();
    }
    assert!(backend.embeddings().unwrap().is_finite());
}
