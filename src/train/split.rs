//! Random splits, user by user.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::random::{Purpose, stream};
use super::{Dataset, Interactions};
use crate::Result;

/// Training and validation interactions over the same users and items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// What remains to learn from.
    pub train: Interactions,
    /// What the best epoch is chosen on.
    pub validation: Interactions,
}

/// Holds out max(1, ⌊n/10⌋) random items of each user with n training items, as IR-Benchmark does
/// at load time. Unlike there, a user's only training item stays in training: without it the user
/// would have no gradient, and would still be measured.
///
/// # Errors
/// None for valid `train`; the result is that of building the two sets.
pub fn validation(train: &Interactions, seed: u64) -> Result<Validation> {
    let held = |n: usize| if n < 2 { 0 } else { (n / 10).max(1) };
    let (train, validation) = hold_out(train, seed, Purpose::ValidationSplit, held)?;
    Ok(Validation { train, validation })
}

/// Puts ⌊0.8·n⌋ random items of each user with n items into training and the rest into test, as
/// IR-Benchmark's preprocessing does; a user's only item goes into training. Test items that
/// no user has in training are kept; [`train_test_known`] leaves them out.
///
/// # Errors
/// None for valid `all`; the result is that of building the two sets.
pub fn train_test(all: &Interactions, seed: u64) -> Result<Dataset> {
    let held = |n: usize| if n < 2 { 0 } else { n - n * 4 / 5 };
    let (train, test) = hold_out(all, seed, Purpose::TestSplit, held)?;
    Ok(Dataset { train, test })
}

/// As [`train_test`], and then leaves out the test items that no user has in training, as
/// IR-Benchmark's preprocessing does: there is nothing to rank them by.
///
/// # Errors
/// As [`train_test`].
pub fn train_test_known(all: &Interactions, seed: u64) -> Result<Dataset> {
    let Dataset { train, test } = train_test(all, seed)?;
    let counts = train.item_counts();
    let known = |&(_, item): &(u32, u32)| counts[item as usize] > 0;
    let pairs: Vec<(u32, u32)> = test.pairs().filter(known).collect();
    let test = Interactions::from_pairs(all.users(), all.items(), &pairs)?;
    Ok(Dataset { train, test })
}

/// Splits off `held(n)` random items of each user; returns (kept, held out). Each user draws from
/// a stream of their own, so a user's split does not depend on who else is in the data.
fn hold_out(
    data: &Interactions,
    seed: u64,
    purpose: Purpose,
    held: impl Fn(usize) -> usize,
) -> Result<(Interactions, Interactions)> {
    let mut kept = Vec::with_capacity(data.users());
    let mut out = Vec::with_capacity(data.users());
    for user in 0..data.users() {
        let mut items = data.of(user).to_vec();
        let mut rng: ChaCha8Rng = stream(seed, purpose, user as u64);
        items.shuffle(&mut rng);
        out.push(items.split_off(items.len() - held(items.len())));
        kept.push(items);
    }
    let kept = Interactions::from_lists(data.items(), &kept)?;
    Ok((kept, Interactions::from_lists(data.items(), &out)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// User u has u items, so every size from 0 to 39 occurs.
    fn staircase() -> Interactions {
        let lists: Vec<Vec<u32>> = (0..40).map(|n| (0..n).map(|i| i * 2).collect()).collect();
        Interactions::from_lists(80, &lists).unwrap()
    }

    fn merged(a: &Interactions, b: &Interactions) -> Interactions {
        assert_eq!((a.users(), a.items()), (b.users(), b.items()));
        let lists: Vec<_> = (0..a.users())
            .map(|u| [a.of(u), b.of(u)].concat())
            .collect();
        Interactions::from_lists(a.items(), &lists).unwrap()
    }

    #[test]
    fn validation_holds_out_a_tenth_but_never_the_only_item() {
        let data = staircase();
        let split = validation(&data, 7).unwrap();
        assert_eq!(merged(&split.train, &split.validation), data);
        assert_eq!(split.train.len() + split.validation.len(), data.len());
        for (n, held) in [(0, 0), (1, 0), (2, 1), (9, 1), (19, 1), (20, 2), (39, 3)] {
            assert_eq!(split.validation.of(n).len(), held, "{n} items");
        }
    }

    #[test]
    fn train_test_keeps_four_fifths() {
        let data = staircase();
        let split = train_test(&data, 7).unwrap();
        assert_eq!(merged(&split.train, &split.test), data);
        assert_eq!(split.train.len() + split.test.len(), data.len());
        for (n, kept) in [(0, 0), (1, 1), (2, 1), (4, 3), (5, 4), (10, 8), (39, 31)] {
            assert_eq!(split.train.of(n).len(), kept, "{n} items");
        }
    }

    #[test]
    fn test_items_without_training_can_be_left_out() {
        let data = staircase();
        let (all, known) = (
            train_test(&data, 7).unwrap(),
            train_test_known(&data, 7).unwrap(),
        );
        assert_eq!(all.train, known.train);
        let counts = known.train.item_counts();
        let learnt = |(_, item): &(u32, u32)| counts[*item as usize] > 0;
        let expected: Vec<_> = all.test.pairs().filter(learnt).collect();
        assert_eq!(known.test.pairs().collect::<Vec<_>>(), expected);
        // Item 76 belongs to user 39 alone, so that some seed tests on it.
        let gone =
            |seed| train_test(&data, seed).unwrap() != train_test_known(&data, seed).unwrap();
        assert!((0..50).any(gone));
    }

    #[test]
    fn the_seed_decides() {
        let data = staircase();
        assert_eq!(validation(&data, 7).unwrap(), validation(&data, 7).unwrap());
        assert_ne!(validation(&data, 7).unwrap(), validation(&data, 8).unwrap());
    }

    #[test]
    fn held_out_places_are_uniform() {
        let data = Interactions::from_lists(10, &vec![(0..10).collect(); 5000]).unwrap();
        let counts = validation(&data, 1).unwrap().validation.item_counts();
        // 5,000 draws of one of ten: 500 each, standard deviation 21.
        assert!(counts.iter().all(|n| (400..600).contains(n)), "{counts:?}");
    }
}
