//! Which optimiser moves the tables: [`Optimiser`], and its state as plain data, [`Moments`].

use serde::{Deserialize, Serialize};

use super::{Adam, AdamOptions, Sgd, SgdOptions};
use crate::{Error, Result};

/// An optimiser with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimiser {
    /// Adam on the whole tables, as in the published protocol.
    Adam(AdamOptions),
    /// Gradient descent.
    Sgd(SgdOptions),
}

impl Default for Optimiser {
    fn default() -> Self {
        Optimiser::Adam(AdamOptions::default())
    }
}

impl Optimiser {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Domain`] for one outside its domain.
    pub fn validate(&self) -> Result<()> {
        match self {
            Optimiser::Adam(options) => options.validate(),
            Optimiser::Sgd(options) => options.validate(),
        }
    }

    /// The learning rate, before any schedule.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Optimiser::Adam(options) => options.learning_rate,
            Optimiser::Sgd(options) => options.learning_rate,
        }
    }

    /// The L2 penalty.
    pub fn weight_decay(&self) -> f64 {
        match self {
            Optimiser::Adam(options) => options.weight_decay,
            Optimiser::Sgd(options) => options.weight_decay,
        }
    }

    /// The same with another learning rate.
    #[must_use]
    pub fn with_learning_rate(mut self, rate: f64) -> Self {
        match &mut self {
            Optimiser::Adam(options) => options.learning_rate = rate,
            Optimiser::Sgd(options) => options.learning_rate = rate,
        }
        self
    }

    /// The same with another L2 penalty.
    #[must_use]
    pub fn with_weight_decay(mut self, decay: f64) -> Self {
        match &mut self {
            Optimiser::Adam(options) => options.weight_decay = decay,
            Optimiser::Sgd(options) => options.weight_decay = decay,
        }
        self
    }

    /// Numbers that it keeps per parameter: 2 for Adam, 1 for descent with momentum, else 0.
    pub fn moments(&self) -> usize {
        match self {
            Optimiser::Adam(_) => 2,
            Optimiser::Sgd(options) => usize::from(options.momentum != 0.0),
        }
    }
}

/// What an optimiser remembers of a table, to be saved and restored; in f64 for a loss's scalars.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments<T = f32> {
    /// Steps taken.
    pub steps: u64,
    /// One list as long as the table for each of [`Optimiser::moments`]: Adam's means of the
    /// gradients and of their squares, descent's velocity.
    pub lists: Vec<Vec<T>>,
}

impl<T: Clone + Default> Moments<T> {
    /// Before the first step, for `len` parameters.
    pub fn zero(optimiser: &Optimiser, len: usize) -> Self {
        Moments {
            steps: 0,
            lists: vec![vec![T::default(); len]; optimiser.moments()],
        }
    }

    /// Checks that they are `optimiser`'s for `len` parameters.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn check(&self, optimiser: &Optimiser, len: usize) -> Result<()> {
        self.check_as("moments", optimiser, len)
    }

    /// As [`Moments::check`], of what an argument of another name remembers.
    pub(super) fn check_as(
        &self,
        argument: &'static str,
        optimiser: &Optimiser,
        len: usize,
    ) -> Result<()> {
        let lists = self.lists.len() == optimiser.moments();
        if lists && self.lists.iter().all(|list| list.len() == len) {
            return Ok(());
        }
        Err(Error::Shape {
            argument,
            expected: format!("{} lists of {len} numbers", optimiser.moments()),
            actual: format!("{:?}", self.lists.iter().map(Vec::len).collect::<Vec<_>>()),
        })
    }
}

/// An optimiser at work on a table in memory.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mover {
    /// Adam.
    Adam(Adam),
    /// Gradient descent.
    Sgd(Sgd),
}

impl Mover {
    /// Goes on from `moments`.
    pub(super) fn new(optimiser: Optimiser, len: usize, moments: Moments) -> Result<Self> {
        moments.check(&optimiser, len)?;
        let Moments { steps, lists } = moments;
        let mut lists = lists.into_iter();
        let mut next = || lists.next().unwrap_or_default();
        Ok(match optimiser {
            Optimiser::Adam(options) => Mover::Adam(Adam::resume(options, steps, next(), next())?),
            Optimiser::Sgd(options) => Mover::Sgd(Sgd::resume(len, options, next())?),
        })
    }

    /// Takes a step at a learning rate.
    pub(super) fn step(&mut self, rate: f64, table: &mut [f32], gradient: &[f32]) -> Result<()> {
        match self {
            Mover::Adam(adam) => {
                adam.set_learning_rate(rate)?;
                adam.step(table, gradient)
            }
            Mover::Sgd(sgd) => {
                sgd.set_learning_rate(rate)?;
                sgd.step(table, gradient)
            }
        }
    }

    /// Its state after `steps` steps.
    pub(super) fn moments(&self, steps: u64) -> Moments {
        let lists = match self {
            Mover::Adam(adam) => {
                let (mean, square) = adam.moments();
                vec![mean.to_vec(), square.to_vec()]
            }
            Mover::Sgd(sgd) if sgd.velocity().is_empty() => Vec::new(),
            Mover::Sgd(sgd) => vec![sgd.velocity().to_vec()],
        };
        Moments { steps, lists }
    }
}
