//! Training interactions, shuffled into batches.

use rand::seq::SliceRandom;

use super::random::{Purpose, stream};
use crate::{Error, Result};

/// Deals the training interactions into batches: every epoch visits each interaction once, in an
/// order that depends on the seed and the epoch's number alone, so a resumed run goes on alike.
#[derive(Clone, Debug)]
pub struct Sampler {
    pairs: Vec<(u32, u32)>,
    batch: usize,
    seed: u64,
}

/// One epoch's interactions in shuffled order. Batch b of size n covers the places
/// `b·n .. min((b + 1)·n, len)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// The user of each interaction: the batch's `rows`.
    pub rows: Vec<u32>,
    /// The item of each interaction: the batch's `positives`.
    pub positives: Vec<u32>,
    batch: usize,
}

/// One batch: row r is an interaction of user `rows[r]` with item `positives[r]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRows<'a> {
    /// Users, in shuffled order; one may occur several times.
    pub rows: &'a [u32],
    /// Their items, as many.
    pub positives: &'a [u32],
}

impl Sampler {
    /// Batches of `batch` of the (user, item) pairs; the last one of an epoch may be smaller.
    ///
    /// # Errors
    /// [`Error::Shape`] where `batch` is 0 or there is no pair.
    pub fn new(pairs: Vec<(u32, u32)>, batch: usize, seed: u64) -> Result<Self> {
        for (argument, count) in [("batch", batch), ("train", pairs.len())] {
            if count == 0 {
                return Err(Error::Shape {
                    argument,
                    expected: "at least 1 interaction".to_owned(),
                    actual: "0".to_owned(),
                });
            }
        }
        Ok(Self { pairs, batch, seed })
    }

    /// Interactions in a batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Number of batches in an epoch.
    pub fn batches(&self) -> usize {
        self.pairs.len().div_ceil(self.batch)
    }

    /// The interactions in the order of epoch number `epoch`.
    pub fn epoch(&self, epoch: u64) -> Epoch {
        let mut pairs = self.pairs.clone();
        pairs.shuffle(&mut stream(self.seed, Purpose::Shuffle, epoch));
        let (rows, positives) = pairs.into_iter().unzip();
        Epoch {
            rows,
            positives,
            batch: self.batch,
        }
    }
}

impl Epoch {
    /// The batches, in order.
    pub fn batches(&self) -> impl ExactSizeIterator<Item = BatchRows<'_>> {
        let rows = self.rows.chunks(self.batch);
        rows.zip(self.positives.chunks(self.batch))
            .map(|(rows, positives)| BatchRows { rows, positives })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Interactions;

    fn train() -> Interactions {
        let lists: Vec<Vec<u32>> = (0..50).map(|n| (0..n % 7).collect()).collect();
        Interactions::from_lists(7, &lists).unwrap()
    }

    #[test]
    fn an_epoch_visits_each_interaction_once() {
        let train = train();
        let sampler = Sampler::new(train.pairs().collect(), 16, 1).unwrap();
        let epoch = sampler.epoch(0);
        let batches: Vec<_> = epoch.batches().collect();
        assert_eq!(batches.len(), sampler.batches());
        let (last, full) = batches.split_last().unwrap();
        assert!(full.iter().all(|b| b.rows.len() == 16));
        assert_eq!(last.rows.len(), train.len() % 16);
        let mut seen: Vec<(u32, u32)> = Vec::new();
        for batch in batches {
            seen.extend(batch.rows.iter().copied().zip(batch.positives.to_vec()));
        }
        assert!(!seen.is_sorted());
        seen.sort_unstable();
        assert_eq!(seen, train.pairs().collect::<Vec<_>>());
    }

    #[test]
    fn epochs_and_seeds_differ_and_repeat() {
        let train = train();
        let sampler = Sampler::new(train.pairs().collect(), 16, 1).unwrap();
        let third = sampler.epoch(3);
        assert_ne!(third, sampler.epoch(4));
        assert_eq!(third, sampler.epoch(3));
        assert_ne!(
            third,
            Sampler::new(train.pairs().collect(), 16, 2)
                .unwrap()
                .epoch(3)
        );
    }

    #[test]
    fn empty_batches_and_data_are_errors() {
        let error = Sampler::new(train().pairs().collect(), 0, 1).unwrap_err();
        let text = "batch: expected at least 1 interaction, got 0";
        assert_eq!(error.to_string(), text);
        assert!(Sampler::new(Vec::new(), 8, 1).is_err());
    }
}
