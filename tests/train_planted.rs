//! The planted data set.
#![cfg(feature = "train")]

use wgloss::train::Planted;

#[test]
fn planted_sizes_and_seed() {
    let planted = Planted {
        users: 600,
        items: 400,
        interactions: 18_000,
        clusters: 8,
        seed: 5,
    };
    let data = planted.generate().unwrap();
    assert_eq!(data.train.len() + data.test.len(), 18_000);
    assert_eq!((data.train.users(), data.train.items()), (600, 400));
    for user in 0..600 {
        let (train, test) = (data.train.of(user), data.test.of(user));
        assert_eq!(train.len(), (train.len() + test.len()) * 4 / 5);
        assert!(train.iter().all(|item| test.binary_search(item).is_err()));
    }
    assert_eq!(planted.generate().unwrap(), data);
    let other = Planted { seed: 6, ..planted };
    assert_ne!(other.generate().unwrap(), data);
}

#[test]
fn planted_tails_are_long() {
    let data = Planted::default().generate().unwrap();
    let train = &data.train;
    assert_eq!(train.len() + data.test.len(), 1_000_000);
    let mut counts = train.item_counts();
    counts.sort_unstable();
    let head: u32 = counts[9_000..].iter().sum();
    let share = f64::from(head) / train.len() as f64;
    assert!((0.4..0.7).contains(&share), "top tenth has {share}");
    assert!(counts[0] > 0, "every item can be learned");
    let mut activity: Vec<_> = (0..20_000).map(|user| train.of(user).len()).collect();
    activity.sort_unstable();
    assert!(activity[0] >= 10 && activity[10_000] < 40 && activity[19_999] > 300);
}

#[test]
fn planted_extremes() {
    let planted = |users, items, interactions, clusters| Planted {
        users,
        items,
        interactions,
        clusters,
        seed: 0,
    };
    // As full as allowed, and as small.
    let full = planted(50, 10, 250, 10).generate().unwrap();
    assert_eq!(full.train.len() + full.test.len(), 250);
    assert_eq!(planted(1, 2, 1, 1).generate().unwrap().train.len(), 1);
    for (bad, parameter) in [
        (planted(0, 10, 5, 1), "users = 0"),
        (planted(5, 0, 5, 1), "items = 0"),
        (planted(5, 10, 26, 1), "interactions = 26"),
        (planted(5, 10, 5, 11), "clusters = 11"),
        (
            planted(usize::MAX, 10, 5, 1),
            "users = 18446744073709551615",
        ),
    ] {
        let error = bad.generate().unwrap_err().to_string();
        assert!(error.contains(parameter), "{error}");
    }
}
