//! What a step compares its positives with: [`Negatives`], and drawing them.

use std::{fmt, str::FromStr};

use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Interactions;
use super::random::{Purpose, stream};
use crate::{Error, Result};

/// Which items a user's items are compared with. A user's training items are never among the
/// user's negatives: full, in-batch and shared negatives mask them, sampled ones are drawn
/// without them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Negatives {
    /// All items.
    #[default]
    Full,
    /// So many for every row, drawn uniformly and with replacement: what the published figures
    /// were trained with. A row is an interaction, or a user where users are batched.
    Sampled(usize),
    /// The items of the batch, as often as they are in it.
    InBatch {
        /// Whether logits are corrected for the items' probability of being there.
        log_q: bool,
    },
    /// One list for all rows of a step, drawn with replacement.
    Shared {
        /// Its length.
        count: usize,
        /// What it is drawn from.
        draw: Draw,
        /// Whether logits are corrected for the items' probability of being drawn.
        log_q: bool,
    },
}

/// What shared negatives are drawn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Draw {
    /// All items alike.
    #[default]
    Uniform,
    /// Items in proportion to their training interactions.
    Popularity,
}

impl Negatives {
    /// Whether rows have negatives of their own, so that a user's interactions cannot share a row.
    pub(super) fn per_row(self) -> Option<usize> {
        match self {
            Negatives::Sampled(count) => Some(count),
            _ => None,
        }
    }

    /// Whether all rows of a step have one list.
    pub(super) fn shared(self) -> bool {
        matches!(self, Negatives::InBatch { .. } | Negatives::Shared { .. })
    }

    /// The logarithm of each item's probability of being the next in the list, where logits are to
    /// be corrected by it. Items that cannot be drawn have that of items with one interaction.
    pub(super) fn log_q(self, train: &Interactions) -> Option<Vec<f32>> {
        let popularity = match self {
            Negatives::InBatch { log_q: true } => true,
            Negatives::Shared {
                draw, log_q: true, ..
            } => draw == Draw::Popularity,
            _ => return None,
        };
        let all = train.len() as f64;
        let share = |count: u32| match popularity {
            true => f64::from(count.max(1)) / all,
            false => 1.0 / train.items() as f64,
        };
        let counts = train.item_counts();
        Some(counts.iter().map(|&n| share(n).ln() as f32).collect())
    }

    /// Checks the counts.
    ///
    /// # Errors
    /// [`Error::Domain`] for a count of 0, or one that ids cannot number.
    pub fn validate(self) -> Result<()> {
        let count = match self {
            Negatives::Sampled(count) | Negatives::Shared { count, .. } => count,
            _ => return Ok(()),
        };
        if (1..=1 << 24).contains(&count) {
            return Ok(());
        }
        Err(Error::Domain {
            loss: "training",
            parameter: "negatives",
            value: self.to_string(),
            domain: "the count must be from 1 to 16777216".into(),
        })
    }
}

impl fmt::Display for Negatives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Negatives::Full => write!(f, "full"),
            Negatives::Sampled(count) => write!(f, "sampled={count}"),
            Negatives::InBatch { .. } => write!(f, "in-batch"),
            Negatives::Shared { count, .. } => write!(f, "shared={count}"),
        }
    }
}

impl FromStr for Negatives {
    type Err = Error;

    /// `full`, `sampled=COUNT`, `in-batch` or `shared=COUNT`, the last two without correction.
    fn from_str(text: &str) -> Result<Self> {
        let (kind, count) = match text.split_once('=') {
            Some((kind, count)) => (kind, Some(count.parse::<usize>())),
            None => (text, None),
        };
        let negatives = match (kind, count) {
            ("full", None) => Negatives::Full,
            ("in-batch", None) => Negatives::InBatch { log_q: false },
            ("sampled", Some(Ok(count))) => Negatives::Sampled(count),
            ("shared", Some(Ok(count))) => Negatives::Shared {
                count,
                draw: Draw::Uniform,
                log_q: false,
            },
            _ => {
                return Err(Error::Unknown {
                    what: "negatives".into(),
                    kind: "choice",
                    name: text.into(),
                    valid: "full, sampled=COUNT, in-batch, shared=COUNT".into(),
                });
            }
        };
        negatives.validate()?;
        Ok(negatives)
    }
}

/// Draws the negatives of rows that have their own. Every row has a random stream of its own, so
/// the draws depend on no other row and on no number of threads.
#[derive(Debug)]
pub(super) struct RowDraws<'a> {
    pub(super) train: &'a Interactions,
    pub(super) per_row: usize,
    pub(super) seed: u64,
}

impl RowDraws<'_> {
    /// The draws of `users`, row after row; row r of the epoch is the `first + r`-th.
    pub(super) fn draw(&self, users: &[u32], epoch: u64, first: usize) -> Vec<u32> {
        let mut ids = vec![0; users.len() * self.per_row];
        let rows = ids.par_chunks_mut(self.per_row).zip(users).enumerate();
        let words = self.train.items().div_ceil(64);
        rows.for_each_init(
            || vec![0u64; words],
            |known, (row, (ids, &user))| {
                let index = place(epoch, first + row);
                self.draw_row(ids, self.train.of(user as usize), known, index);
            },
        );
        ids
    }

    /// `known` has a bit per item, all 0 before and after.
    fn draw_row(&self, ids: &mut [u32], own: &[u32], known: &mut [u64], index: u64) {
        let mut rng = stream(self.seed, Purpose::RowNegatives, index);
        let items = self.train.items();
        let (word, bit) = (|item: u32| item as usize / 64, |item: u32| 1 << (item % 64));
        own.iter().for_each(|&item| known[word(item)] |= bit(item));
        if own.len() * 2 <= items {
            // At most two draws for each that is kept, on average.
            ids.fill_with(|| {
                loop {
                    let item = rng.random_range(0..items as u32);
                    if known[word(item)] & bit(item) == 0 {
                        break item;
                    }
                }
            });
        } else {
            let others: Vec<u32> = (0..items as u32)
                .filter(|&item| known[word(item)] & bit(item) == 0)
                .collect();
            // Not empty: users who have every item are dealt to no step.
            ids.fill_with(|| others[rng.random_range(0..others.len())]);
        }
        own.iter().for_each(|&item| known[word(item)] = 0);
    }
}

/// Draws the list that all rows of a step share.
pub(super) fn draw_shared(
    train: &Interactions,
    count: usize,
    draw: Draw,
    seed: u64,
    (epoch, step): (u64, usize),
) -> Vec<u32> {
    let mut rng = stream(seed, Purpose::SharedNegatives, place(epoch, step));
    let mut id = || match draw {
        Draw::Uniform => rng.random_range(0..train.items() as u32),
        // The item of a random interaction.
        Draw::Popularity => train.ids()[rng.random_range(0..train.len())],
    };
    (0..count).map(|_| id()).collect()
}

/// A place of an epoch as the number of a stream.
fn place(epoch: u64, place: usize) -> u64 {
    (epoch << 32) | place as u64
}
