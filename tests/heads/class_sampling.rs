//! Which classes a step has.

use proptest::{collection::vec, prelude::*};
use wgloss::{ABSENT, IGNORED, heads::ClassSampler};

fn sampler(classes: usize, rate: f64, seed: u64) -> ClassSampler {
    ClassSampler::new(classes, rate, seed).expect("a good rate")
}

/// Classes, a rate, and labels of which some name no class.
fn steps() -> impl Strategy<Value = (usize, f64, Vec<u32>)> {
    (1..400_usize, 1..=100_u32).prop_flat_map(|(classes, percent)| {
        let label = prop_oneof![8 => 0..classes as u32, 1 => Just(IGNORED), 1 => Just(ABSENT)];
        let rate = f64::from(percent) / 100.0;
        (Just(classes), Just(rate), vec(label, 0..60))
    })
}

proptest! {
    #[test]
    fn a_step_has_its_positives_and_others_up_to_the_rate(
        (classes, rate, labels) in steps(), seed: u64, step: u64,
    ) {
        let ids = sampler(classes, rate, seed).sample(&labels, step).expect("good labels");
        prop_assert!(ids.windows(2).all(|two| two[0] < two[1]));
        prop_assert!(ids.iter().all(|id| (*id as usize) < classes));
        let mut positives: Vec<u32> = labels.into_iter().filter(|label| *label < ABSENT).collect();
        positives.sort_unstable();
        positives.dedup();
        prop_assert!(positives.iter().all(|label| ids.binary_search(label).is_ok()));
        let share = (rate * classes as f64).floor() as usize;
        prop_assert_eq!(ids.len(), share.max(1).max(positives.len()));
    }

    #[test]
    fn order_and_repeats_of_labels_change_nothing(
        (classes, rate, labels) in steps(), seed: u64, step: u64,
    ) {
        let sampler = sampler(classes, rate, seed);
        let ids = sampler.sample(&labels, step).expect("good labels");
        let mut other: Vec<u32> = labels.iter().rev().copied().collect();
        other.extend(&labels);
        other.push(IGNORED);
        prop_assert_eq!(sampler.sample(&other, step).expect("good labels"), ids);
    }
}

#[test]
fn seeds_and_steps_draw_apart_and_repeat() {
    let labels = [3, 500, 7];
    let first = sampler(10_000, 0.1, 1).sample(&labels, 4).expect("ids");
    assert_eq!(first.len(), 1_000);
    assert_eq!(
        first,
        sampler(10_000, 0.1, 1).sample(&labels, 4).expect("ids")
    );
    for (seed, step) in [(1, 5), (2, 4), (4, 1)] {
        let other = sampler(10_000, 0.1, seed)
            .sample(&labels, step)
            .expect("ids");
        let same = other.iter().filter(|id| first.binary_search(id).is_ok());
        // 3 positives, and 997²/9,997 = 99 others by chance, give or take 9.
        let same = same.count();
        assert!((55..150).contains(&same), "{same} in both");
    }
}

/// Classes of every part of the range are drawn alike, also beside positives: no place is favoured
/// by the numbering that leaves the positives out.
#[test]
fn others_are_drawn_uniformly() {
    let sampler = sampler(50, 0.2, 3);
    let labels = [0, 1, 2, 25];
    let mut counts = [0_u32; 50];
    for step in 0..10_000 {
        for id in sampler.sample(&labels, step).expect("ids") {
            counts[id as usize] += 1;
        }
    }
    for (id, count) in counts.into_iter().enumerate() {
        match labels.contains(&(id as u32)) {
            true => assert_eq!(count, 10_000, "{id}"),
            // 6 of 46: 1,304, and five standard deviations of 34.
            false => assert!((1_134..1_474).contains(&count), "{id}: {count}"),
        }
    }
}

#[test]
fn every_class_is_there_at_rate_one() {
    let all: Vec<u32> = (0..100).collect();
    assert_eq!(sampler(100, 1.0, 9).sample(&[5], 0).expect("ids"), all);
}

#[test]
fn bad_input_is_named() {
    for rate in [0.0, -0.1, 1.01, f64::NAN, f64::INFINITY] {
        let error = ClassSampler::new(10, rate, 0).expect_err("no such rate");
        let text =
            format!("class sampler: rate = {rate}: expected a share of the classes, 0 < rate ≤ 1");
        assert_eq!(error.to_string(), text);
    }
    let error = ClassSampler::new(0, 0.5, 0).expect_err("no classes");
    assert!(
        error.to_string().starts_with("classes: expected 1 to"),
        "{error}"
    );
    let error = sampler(10, 0.5, 0).sample(&[3, IGNORED, 10], 0);
    let text = "labels[2]: id 10 is out of range, the table has 10 rows";
    assert_eq!(error.expect_err("no such class").to_string(), text);
}
