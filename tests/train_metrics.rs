//! Metrics against their definitions, and against values computed by hand.
#![cfg(feature = "train")]

use proptest::prelude::*;
use std::collections::HashSet;
use wgloss::train::{Average, Interactions, Metric, TopK, metrics, top_k};

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-12, "{a} {b}");
}

#[test]
fn metrics_equal_hand_computed_values() {
    // One query dimension: user 0 ranks 0 1 2 3 4, user 1 ranks 4 3 2 1 0, user 2 as user 0.
    let lists = top_k(
        &[1.0, -1.0, 1.0, 1.0],
        &[5.0, 4.0, 3.0, 2.0, 1.0],
        1,
        4,
        None,
    )
    .unwrap();
    let relevant = [vec![1, 3, 4], vec![4], vec![4], vec![]];
    let relevant = Interactions::from_lists(5, &relevant).unwrap();
    // Gains of the places 1, 2, 3, 4: 1, 1/log₂3, 1/2, 1/log₂5.
    let (g2, g3, g4) = (1.0 / 3f64.log2(), 0.5, 1.0 / 5f64.log2());

    let found = metrics::evaluate(&lists, &relevant, &[4, 1, 2], Average::default()).unwrap();
    assert_eq!(found.users, 3);
    // At 4: user 0 hits places 2 and 4 of an ideal 1, 2, 3; user 1 hits place 1; user 2 none.
    close(found.at[0].recall, (2.0 / 3.0 + 1.0) / 3.0);
    close(found.at[0].ndcg, ((g2 + g4) / (1.0 + g2 + g3) + 1.0) / 3.0);
    // At 1: user 1 alone hits. At 2: user 0 hits place 2 of an ideal 1, 2.
    close(found.at[1].recall, 1.0 / 3.0);
    close(found.at[1].ndcg, 1.0 / 3.0);
    close(found.at[2].recall, (1.0 / 3.0 + 1.0) / 3.0);
    close(found.at[2].ndcg, (g2 / (1.0 + g2) + 1.0) / 3.0);
    assert_eq!([4, 1, 2], [found.at[0].k, found.at[1].k, found.at[2].k]);

    let all = metrics::evaluate(&lists, &relevant, &[4], Average::AllUsers).unwrap();
    assert_eq!(all.users, 4);
    close(all.at[0].ndcg * 4.0, found.at[0].ndcg * 3.0);
}

#[test]
fn every_metric_equals_its_hand_computed_value() {
    // All rank 0 1 2 3 4 5; user 1 has nothing to find, user 2 finds nothing among 4.
    let lists = top_k(&[1.0; 3], &[6.0, 5.0, 4.0, 3.0, 2.0, 1.0], 1, 4, None).unwrap();
    let relevant = Interactions::from_lists(6, &[vec![1, 3, 5], vec![], vec![4]]).unwrap();
    let found = metrics::evaluate(&lists, &relevant, &[4, 1], Average::default()).unwrap();
    // User 0 hits places 2 and 4.
    for (metric, value) in [
        (Metric::Recall, 2.0 / 3.0 / 2.0),
        (Metric::Precision, 2.0 / 4.0 / 2.0),
        (Metric::Mrr, 1.0 / 2.0 / 2.0),
        (Metric::HitRatio, 1.0 / 2.0),
        (Metric::Map, (1.0 / 2.0 + 2.0 / 4.0) / 3.0 / 2.0),
        (Metric::Coverage, 4.0 / 6.0),
        (Metric::MrrIr, (1.0 / 2.0 + 1.0 / 4.0) / 2.0 / 2.0),
        (Metric::HitRatioIr, 2.0 / 4.0),
    ] {
        close(found.at[0].get(metric), value);
    }
    let first: Vec<f64> = Metric::ALL.map(|metric| found.at[1].get(metric)).into();
    close(found.at[1].coverage, 1.0 / 6.0);
    assert_eq!(first.iter().filter(|&&value| value == 0.0).count(), 8);
    let all = metrics::evaluate(&lists, &relevant, &[4], Average::AllUsers).unwrap();
    close(all.at[0].hit_ratio, 1.0 / 3.0);
    close(all.at[0].hit_ratio_ir, 2.0 / 4.0);
}

/// A metric of one user, place by place.
fn by_definition(metric: Metric, list: &[u32], relevant: &[u32], k: usize) -> f64 {
    if relevant.is_empty() {
        return 0.0;
    }
    let hit = |place: usize| {
        list.get(place - 1)
            .is_some_and(|item| relevant.contains(item))
    };
    let hits_until = |place: usize| (1..=place).filter(|&at| hit(at)).count() as f64;
    let over_hits = |term: &dyn Fn(usize) -> f64| -> f64 {
        (1..=k).filter(|&place| hit(place)).map(term).sum()
    };
    let gain = |place: usize| 1.0 / (1.0 + place as f64).log2();
    let most = k.min(relevant.len());
    let hits = hits_until(k);
    match metric {
        Metric::Recall => hits / relevant.len() as f64,
        Metric::Precision => hits / k as f64,
        Metric::Ndcg => over_hits(&gain) / (1..=most).map(gain).sum::<f64>(),
        Metric::Mrr => (1..=k)
            .find(|&place| hit(place))
            .map_or(0.0, |place| 1.0 / place as f64),
        Metric::HitRatio => f64::from(u8::from(hits > 0.0)),
        Metric::Map => over_hits(&|place| hits_until(place) / place as f64) / most as f64,
        Metric::MrrIr if hits > 0.0 => over_hits(&|place| 1.0 / place as f64) / hits,
        Metric::MrrIr => 0.0,
        Metric::Coverage | Metric::HitRatioIr => panic!("no metric of one user"),
    }
}

/// The same metric of all users whom the average counts.
fn oracle(metric: Metric, lists: &TopK, relevant: &Interactions, k: usize, all: bool) -> f64 {
    let users = (0..relevant.users()).filter(|&user| all || !relevant.of(user).is_empty());
    let users: Vec<usize> = users.collect();
    let first = |user: usize| lists.items(user).iter().take(k).copied();
    match metric {
        Metric::Coverage => {
            let seen: HashSet<u32> = users.iter().flat_map(|&user| first(user)).collect();
            seen.len() as f64 / relevant.items() as f64
        }
        Metric::HitRatioIr => {
            let hits = |&user: &usize| {
                first(user)
                    .filter(|i| relevant.of(user).contains(i))
                    .count()
            };
            let hits: usize = users.iter().map(hits).sum();
            hits as f64 / relevant.len().max(1) as f64
        }
        _ => {
            let of = |&user: &usize| by_definition(metric, lists.items(user), relevant.of(user), k);
            users.iter().map(of).sum::<f64>() / users.len() as f64
        }
    }
}

/// A set of (user, item) pairs over 8 users and 12 items.
fn interactions() -> impl Strategy<Value = Interactions> {
    let pairs = prop::collection::vec((0..8u32, 0..12u32), 0..60);
    pairs.prop_map(|pairs| Interactions::from_pairs(8, 12, &pairs).unwrap())
}

proptest! {
    #[test]
    fn metrics_equal_their_definitions(
        scores in prop::collection::vec(-3i8..3, 8 * 2 + 12 * 2),
        masked in interactions(),
        relevant in interactions(),
        ks in prop::collection::vec(1..=12usize, 1..4),
        all in any::<bool>(),
    ) {
        let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
        let lists = top_k(&scores[..16], &scores[16..], 2, 12, Some(&masked)).unwrap();
        prop_assume!(all || !relevant.is_empty());
        let average = if all { Average::AllUsers } else { Average::UsersWithItems };
        let found = metrics::evaluate(&lists, &relevant, &ks, average).unwrap();
        for (at, &k) in found.at.iter().zip(&ks) {
            prop_assert_eq!(at.k, k);
            for metric in Metric::ALL {
                let (got, expected) = (at.get(metric), oracle(metric, &lists, &relevant, k, all));
                prop_assert!((got - expected).abs() < 1e-12, "{metric}@{k}: {got} {expected}");
            }
        }
    }
}

#[test]
fn bad_metric_arguments_are_errors() {
    let lists = top_k(&[1.0], &[2.0, 1.0], 1, 2, None).unwrap();
    let one = Interactions::from_lists(2, &[vec![0]]).unwrap();
    let none = Interactions::from_lists(2, &[vec![]]).unwrap();
    let two = Interactions::from_lists(2, &[vec![0], vec![1]]).unwrap();
    let run = |relevant, ks: &[usize]| metrics::evaluate(&lists, relevant, ks, Average::default());
    let told = |k| run(&one, &[k]).unwrap_err().to_string();
    assert_eq!(
        told(3),
        "ks: expected at most 2, the number of items, got 3"
    );
    let short = top_k(&[1.0], &[2.0, 1.0], 1, 1, None).unwrap();
    let error = metrics::evaluate(&short, &one, &[2], Average::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ks: expected at most 1, the length of the lists, got 2"
    );
    let fewer = Interactions::from_lists(1, &[vec![0]]).unwrap();
    assert_eq!(
        run(&fewer, &[1]).unwrap_err().to_string(),
        "lists[1]: id 1 is out of range, the table has 1 rows"
    );
    assert_eq!(told(0), "ks: expected at least 1, got 0");
    assert!(run(&two, &[1]).is_err());
    let error = run(&none, &[1]).unwrap_err().to_string();
    assert_eq!(
        error,
        "relevant: expected at least one user to average over, got none"
    );
    let all = metrics::evaluate(&lists, &none, &[1], Average::AllUsers).unwrap();
    assert_eq!(all.at[0].ndcg, 0.0);
    // A user whose items are all missed has 0, and not the negative one of an empty sum.
    let last = Interactions::from_lists(2, &[vec![1]]).unwrap();
    assert!(run(&last, &[1]).unwrap().at[0].ndcg.is_sign_positive());
}
