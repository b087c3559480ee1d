//! The other side of a loss that is trained against: [`Adversary`], and in which epochs it moves.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{AdamOptions, InitKind, Optimiser};
use crate::{Error, Result};

/// How the second tables of a loss with an adversary are trained: they ascend where the model
/// descends. No say in losses without one.
///
/// The defaults are IR-Benchmark's protocol for AdvInfoNCE.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adversary {
    /// In which epochs it moves.
    pub schedule: AdversarySchedule,
    /// Its optimiser. Weight decay shrinks its tables also as they ascend.
    pub optimiser: Optimiser,
    /// Its initial tables, as wide as the model's.
    pub init: InitKind,
}

/// In which epochs an adversary moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdversarySchedule {
    /// Every so many epochs the adversary moves in the place of the model: epoch n, from 1, where n
    /// is a multiple. IR-Benchmark's schedule.
    Replace {
        /// Epochs from one of the adversary's to the next, at least 2: at 1 the model would never
        /// move.
        every: usize,
    },
    /// The adversary takes an epoch of its own before the model's, where (n + 2) is a multiple of
    /// `every`, n from 1. The authors' schedule; what they tune is `at_most`.
    Before {
        /// Epochs from one of the adversary's to the next.
        every: usize,
        /// Epochs that the adversary takes at most.
        at_most: usize,
    },
}

/// Which tables an epoch moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// The model's, with the loss's scalars.
    #[default]
    Model,
    /// The adversary's.
    Adversary,
    /// The adversary's, then the model's.
    Both,
}

/// Whose steps a pass over the data takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The model's: embeddings and the loss's scalars.
    Model,
    /// The adversary's.
    Adversary,
}

impl Default for Adversary {
    fn default() -> Self {
        Adversary {
            schedule: AdversarySchedule::default(),
            optimiser: Optimiser::Adam(AdamOptions {
                learning_rate: 5e-5,
                ..AdamOptions::default()
            }),
            init: InitKind::default(),
        }
    }
}

impl Default for AdversarySchedule {
    fn default() -> Self {
        AdversarySchedule::Replace { every: 5 }
    }
}

impl Adversary {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Domain`] for one outside its domain.
    pub fn validate(&self) -> Result<()> {
        self.schedule.validate()?;
        self.optimiser.validate()?;
        self.init.validate()
    }
}

impl AdversarySchedule {
    /// What epoch number `epoch`, from 1, moves.
    #[must_use]
    pub fn moved(self, epoch: usize) -> Moved {
        match self {
            AdversarySchedule::Replace { every } if epoch.is_multiple_of(every) => Moved::Adversary,
            AdversarySchedule::Before { every, at_most } if is_before(epoch, every) => {
                let taken = (1..epoch)
                    .filter(|&before| is_before(before, every))
                    .count();
                match taken < at_most {
                    true => Moved::Both,
                    false => Moved::Model,
                }
            }
            _ => Moved::Model,
        }
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// [`Error::Domain`] for an adversary in every epoch's place, or in every 0th.
    pub fn validate(self) -> Result<()> {
        let valid = match self {
            AdversarySchedule::Replace { every } => every >= 2,
            AdversarySchedule::Before { every, .. } => every >= 1,
        };
        if valid {
            return Ok(());
        }
        Err(Error::Domain {
            loss: "training",
            parameter: "adv_schedule",
            value: self.to_string(),
            domain: "replace=EVERY must be at least 2, or the model would never move; \
                     before=EVERY:TIMES at least 1"
                .into(),
        })
    }
}

/// Whether the authors' code has an adversary's epoch before the model's; it counts epochs from 0.
fn is_before(epoch: usize, every: usize) -> bool {
    (epoch + 2).is_multiple_of(every)
}

impl fmt::Display for AdversarySchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdversarySchedule::Replace { every } => write!(f, "replace={every}"),
            AdversarySchedule::Before { every, at_most } => write!(f, "before={every}:{at_most}"),
        }
    }
}

impl FromStr for AdversarySchedule {
    type Err = Error;

    /// `replace=EVERY` or `before=EVERY:TIMES`.
    fn from_str(text: &str) -> Result<Self> {
        let two = |numbers: &str| {
            let (every, at_most) = numbers.split_once(':')?;
            Some((every.parse().ok()?, at_most.parse().ok()?))
        };
        let schedule = match text.split_once('=') {
            Some(("replace", every)) => {
                (every.parse().ok()).map(|every| AdversarySchedule::Replace { every })
            }
            Some(("before", numbers)) => {
                two(numbers).map(|(every, at_most)| AdversarySchedule::Before { every, at_most })
            }
            _ => None,
        };
        let schedule = schedule.ok_or_else(|| Error::Unknown {
            what: "adversary's schedule".into(),
            kind: "choice",
            name: text.into(),
            valid: "replace=EVERY, before=EVERY:TIMES".into(),
        })?;
        schedule.validate()?;
        Ok(schedule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(schedule: &str, epochs: usize) -> Vec<usize> {
        let schedule: AdversarySchedule = schedule.parse().unwrap();
        let by_adversary = |&epoch: &usize| schedule.moved(epoch) != Moved::Model;
        (1..=epochs).filter(by_adversary).collect()
    }

    #[test]
    fn adversaries_move_in_the_published_epochs() {
        // IR-Benchmark: (epoch + 1) % 5 == 0 with epochs from 0; 40 of 200.
        assert_eq!(moved("replace=5", 14), [5, 10]);
        assert_eq!(moved("replace=5", 200).len(), 40);
        // The authors: (epoch + 3) % 5 == 0 with epochs from 0, here 2, 7, 12.
        assert_eq!(moved("before=5:8", 14), [3, 8, 13]);
        assert_eq!(moved("before=5:2", 200), [3, 8]);
        assert_eq!(moved("before=1:3", 9), [1, 2, 3]);
        let schedule = AdversarySchedule::Before {
            every: 5,
            at_most: 1,
        };
        assert_eq!(schedule.moved(3), Moved::Both);
    }

    #[test]
    fn texts_are_read_and_written() {
        for text in ["replace=5", "before=5:8", "before=1:0"] {
            let schedule: AdversarySchedule = text.parse().unwrap();
            assert_eq!(schedule.to_string(), text);
        }
        for text in [
            "",
            "replace",
            "replace=1",
            "before=5",
            "before=0:3",
            "5",
            "replace=x",
        ] {
            assert!(text.parse::<AdversarySchedule>().is_err(), "{text}");
        }
    }
}
