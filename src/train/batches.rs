//! An epoch's steps: which users, with which of their items.

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::negatives::{RowDraws, draw_shared};
use super::random::{Purpose, stream};
use super::{Interactions, Negatives, Sampler, Step};
use crate::{Error, Result};

/// What a batch is a batch of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchBy {
    /// Interactions: the published protocol.
    Interactions,
    /// Users, each with all training items: an epoch computes each user's scores once instead of
    /// once per item.
    Users,
}

/// How an epoch is cut into steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batching {
    /// What is counted.
    pub by: BatchBy,
    /// How many make a batch; the last one of an epoch may be smaller.
    pub size: usize,
}

impl Batching {
    /// Batches of 1,024 interactions, IR-Benchmark's protocol.
    pub const PUBLISHED: Batching = Batching {
        by: BatchBy::Interactions,
        size: 1024,
    };
}

/// Deals the training interactions into steps. An epoch's steps depend on the seed and the
/// epoch's number alone.
#[derive(Clone, Debug)]
pub struct Dealer<'a> {
    train: &'a Interactions,
    negatives: Negatives,
    seed: u64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Interactions(Sampler),
    Users {
        /// Those with training items.
        users: Vec<u32>,
        size: usize,
    },
}

impl<'a> Dealer<'a> {
    /// Deals `train` as `batching` says. Where negatives are drawn per row, users who have every
    /// item are left out: there is nothing to compare with.
    ///
    /// # Errors
    /// [`Error::Shape`] where the size is 0 or there is nothing to deal; [`Error::Domain`] for
    /// negatives out of bounds.
    pub fn new(
        train: &'a Interactions,
        batching: Batching,
        negatives: Negatives,
        seed: u64,
    ) -> Result<Self> {
        negatives.validate()?;
        at_least_one("batch", "interaction or user", batching.size)?;
        let most = train.items() - usize::from(negatives.per_row().is_some() && train.items() > 0);
        let users: Vec<u32> = (0u32..)
            .zip(train.offsets().windows(2))
            .filter(|(_, bounds)| (1..=most).contains(&((bounds[1] - bounds[0]) as usize)))
            .map(|(user, _)| user)
            .collect();
        at_least_one("train", "user with training items", users.len())?;
        let size = batching.size;
        let kind = match batching.by {
            BatchBy::Interactions => {
                let pairs = train.pairs();
                let dealt = pairs.filter(|(user, _)| train.of(*user as usize).len() <= most);
                Kind::Interactions(Sampler::new(dealt.collect(), size, seed)?)
            }
            BatchBy::Users => Kind::Users { users, size },
        };
        Ok(Dealer {
            train,
            negatives,
            seed,
            kind,
        })
    }

    /// Number of steps in an epoch.
    pub fn steps(&self) -> usize {
        match &self.kind {
            Kind::Interactions(sampler) => sampler.batches(),
            Kind::Users { users, size } => users.len().div_ceil(*size),
        }
    }

    /// The steps of epoch number `epoch`, made as they are asked for.
    pub fn epoch(&self, epoch: u64) -> Box<dyn Iterator<Item = Step> + '_> {
        let mut rows = 0;
        let steps = self.positives(epoch).enumerate();
        Box::new(steps.map(move |(at, step)| {
            let first = rows;
            rows += step.rows.len();
            let negatives = self.draw(&step, epoch, (at, first));
            Step { negatives, ..step }
        }))
    }

    /// The steps without negatives.
    fn positives(&self, epoch: u64) -> Box<dyn Iterator<Item = Step> + '_> {
        match &self.kind {
            Kind::Interactions(sampler) => {
                let order = sampler.epoch(epoch);
                let batch = sampler.batch();
                let grouped = self.negatives.per_row().is_none();
                let mut pairs = order.rows.into_iter().zip(order.positives);
                Box::new(std::iter::from_fn(move || {
                    let pairs: Vec<_> = pairs.by_ref().take(batch).collect();
                    (!pairs.is_empty()).then(|| Step::from_pairs(pairs, grouped))
                }))
            }
            Kind::Users { users, size } => {
                let mut users = users.clone();
                users.shuffle(&mut stream(self.seed, Purpose::ShuffleUsers, epoch));
                let steps = 0..users.len().div_ceil(*size);
                Box::new(steps.map(move |step| {
                    let end = users.len().min((step + 1) * size);
                    self.step_of_users(&mut users[step * size..end])
                }))
            }
        }
    }

    /// The negatives of step `at`, whose first row is the epoch's row `first`.
    fn draw(&self, step: &Step, epoch: u64, (at, first): (usize, usize)) -> Vec<u32> {
        let Dealer { train, seed, .. } = *self;
        match self.negatives {
            Negatives::Full => Vec::new(),
            Negatives::Sampled(per_row) => {
                let draws = RowDraws {
                    train,
                    per_row,
                    seed,
                };
                draws.draw(&step.rows, epoch, first)
            }
            Negatives::InBatch { .. } => step.ids.clone(),
            Negatives::Shared { count, draw, .. } => {
                draw_shared(train, count, draw, seed, (epoch, at))
            }
        }
    }

    fn step_of_users(&self, users: &mut [u32]) -> Step {
        users.sort_unstable();
        let mut step = Step::with_capacity(users.len());
        for &user in &*users {
            step.push(user, self.train.of(user as usize).iter().copied());
        }
        step
    }
}

fn at_least_one(argument: &'static str, what: &str, count: usize) -> Result<()> {
    if count > 0 {
        return Ok(());
    }
    Err(Error::Shape {
        argument,
        expected: format!("at least 1 {what}"),
        actual: "0".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn train() -> Interactions {
        let lists: Vec<Vec<u32>> = (0..50).map(|n| (0..n % 7).collect()).collect();
        Interactions::from_lists(7, &lists).unwrap()
    }

    fn dealer(train: &Interactions, by: BatchBy, size: usize) -> Dealer<'_> {
        Dealer::new(train, Batching { by, size }, Negatives::Full, 1).unwrap()
    }

    #[test]
    fn every_epoch_deals_each_interaction_once() {
        let train = train();
        for (by, size) in [(BatchBy::Interactions, 16), (BatchBy::Users, 8)] {
            let dealer = dealer(&train, by, size);
            let steps: Vec<Step> = dealer.epoch(1).collect();
            assert_eq!(steps.len(), dealer.steps());
            let mut seen = Vec::new();
            for step in &steps {
                assert!(step.rows().is_sorted_by(|a, b| a < b));
                for (row, &user) in step.rows().iter().enumerate() {
                    let items = step.positives().list(row).iter();
                    seen.extend(items.map(|&item| (user, item)));
                }
            }
            seen.sort_unstable();
            assert_eq!(seen, train.pairs().collect::<Vec<_>>());
            assert_ne!(steps, dealer.epoch(2).collect::<Vec<_>>());
            assert_eq!(steps, dealer.epoch(1).collect::<Vec<_>>());
        }
    }

    #[test]
    fn sizes_count_what_is_batched() {
        let train = train();
        let steps: Vec<_> = dealer(&train, BatchBy::Interactions, 16).epoch(0).collect();
        assert!(steps[..steps.len() - 1].iter().all(|s| s.pairs() == 16));
        let steps: Vec<_> = dealer(&train, BatchBy::Users, 8).epoch(0).collect();
        assert!(steps[..steps.len() - 1].iter().all(|s| s.rows().len() == 8));
        // Users without items are in no step.
        assert_eq!(steps.iter().map(|s| s.rows().len()).sum::<usize>(), 42);
    }

    #[test]
    fn empty_batches_and_data_are_errors() {
        let train = train();
        let none = Interactions::from_lists(3, &[vec![]]).unwrap();
        for by in [BatchBy::Interactions, BatchBy::Users] {
            let batching = |size| Batching { by, size };
            assert!(Dealer::new(&train, batching(0), Negatives::Full, 1).is_err());
            assert!(Dealer::new(&none, batching(8), Negatives::Full, 1).is_err());
        }
    }
}
