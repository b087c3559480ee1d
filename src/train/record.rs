//! What a run tells: [`Event`], [`EpochRecord`], [`Times`], [`Best`].

use serde::{Deserialize, Serialize};

use super::{AtK, Embeddings, Moved};
use crate::{Error, Result};

/// What an observer is told.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A step was handed to the backend.
    Step {
        /// The epoch, from 1.
        epoch: usize,
        /// Its steps so far.
        step: usize,
        /// Its steps.
        steps: usize,
    },
    /// An epoch is over.
    Epoch(&'a EpochRecord),
}

/// What there is to say about an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Its number, from 1.
    pub epoch: usize,
    /// What it moved.
    pub moved: Moved,
    /// The mean loss of its pairs, each before the step it was part of; where it moved both, the
    /// model's steps.
    pub loss: f64,
    /// The learning rate of its last step.
    pub rate: f64,
    /// Metrics on the validation part, if it was validated.
    pub validation: Option<AtK>,
    /// Whether it is the best so far, or there is no validation part and it is the last so far.
    pub best: bool,
    /// Where its time went.
    pub times: Times,
}

/// The embeddings of the best epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Its metrics on the validation part, if there is one.
    pub validation: Option<AtK>,
    /// Its embeddings.
    pub embeddings: Embeddings,
    /// The loss's scalars, in the order of [`Loss::scalars`](crate::Loss::scalars).
    pub scalars: Vec<f64>,
}

/// Where time went, in seconds of the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// Shuffling, dealing, and drawing negatives.
    pub sampling: f64,
    /// Handing ids to the device.
    pub upload: f64,
    /// Steps, with the wait for the backend.
    pub steps: f64,
    /// Ranking for the loss: the users' K-th largest scores.
    pub quantiles: f64,
    /// Validation, with reading embeddings back.
    pub evaluation: f64,
}

impl Times {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.sampling + self.upload + self.steps + self.quantiles + self.evaluation
    }

    pub(super) fn add(self, other: &Self) -> Self {
        Times {
            sampling: self.sampling + other.sampling,
            upload: self.upload + other.upload,
            steps: self.steps + other.steps,
            quantiles: self.quantiles + other.quantiles,
            evaluation: self.evaluation + other.evaluation,
        }
    }
}

/// The mean over pairs of the steps' mean losses.
pub(super) fn mean_loss(losses: &[f32], pairs: &[usize]) -> Result<f64> {
    if let Some(at) = losses.iter().position(|loss| !loss.is_finite()) {
        return Err(Error::NotFinite {
            argument: "loss of step",
            at,
            value: losses[at].into(),
        });
    }
    let sum: f64 = (losses.iter().zip(pairs))
        .map(|(&loss, &pairs)| f64::from(loss) * pairs as f64)
        .sum();
    Ok(sum / pairs.iter().sum::<usize>() as f64)
}
