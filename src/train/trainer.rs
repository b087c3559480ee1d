//! Epochs, validation, and the best epoch: [`Trainer`].

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{AtK, Backend, Dealer, Embeddings, Folds, Metrics, Settings};
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EpochRecord {
    /// Its number, from 1.
    pub epoch: usize,
    /// The mean loss of its pairs, each before the step it was part of.
    pub loss: f64,
    /// Metrics on the validation part, if it was validated.
    pub validation: Option<AtK>,
    /// Whether it is the best so far, or there is no validation part and it is the last so far.
    pub best: bool,
    /// Wall-clock seconds.
    pub seconds: f64,
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
}

/// Where the time went, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Times {
    /// Shuffling and dealing.
    pub dealing: f64,
    /// Steps, with the wait for the backend.
    pub steps: f64,
    /// Validation, with reading embeddings back.
    pub evaluation: f64,
}

/// Trains embeddings on a backend, epoch by epoch. Everything random depends on the seed, so a run
/// repeats bit for bit on a backend that does.
#[derive(Debug)]
pub struct Trainer<'a, B> {
    folds: &'a Folds,
    settings: Settings,
    dealer: Dealer<'a>,
    backend: B,
    history: Vec<EpochRecord>,
    best: Option<Best>,
    times: Times,
}

impl<'a, B: Backend> Trainer<'a, B> {
    /// A trainer before the first epoch, on a backend made from [`Settings::start`].
    ///
    /// # Errors
    /// A setting is outside its domain, or there is nothing to train on.
    pub fn new(folds: &'a Folds, settings: Settings, backend: B) -> Result<Self> {
        settings.validate()?;
        Ok(Trainer {
            folds,
            settings,
            dealer: Dealer::new(&folds.train, settings.batching, settings.seed)?,
            backend,
            history: Vec::new(),
            best: None,
            times: Times::default(),
        })
    }

    /// Trains all epochs. After an error, the trainer still has what it found until then.
    ///
    /// # Errors
    /// [`Error::Diverged`] once a loss or an embedding is no longer finite; what the backend
    /// reports.
    pub fn run(&mut self, observe: &mut dyn FnMut(Event<'_>)) -> Result<()> {
        while self.history.len() < self.settings.epochs {
            let epoch = self.history.len() + 1;
            let record = (self.epoch(epoch, observe)).map_err(|error| self.locate(epoch, error))?;
            self.history.push(record);
            observe(Event::Epoch(&record));
        }
        Ok(())
    }

    /// Measures the best epoch on the test data; none before the first validation.
    ///
    /// # Errors
    /// A K of 0; no test data.
    pub fn test(&self, ks: &[usize]) -> Result<Option<Metrics>> {
        let test = |best: &Best| self.folds.test(&best.embeddings, self.settings.rank_by, ks);
        self.best.as_ref().map(test).transpose()
    }

    fn epoch(&mut self, epoch: usize, observe: &mut dyn FnMut(Event<'_>)) -> Result<EpochRecord> {
        let start = Instant::now();
        let loss = self.steps(epoch, observe)?;
        let last = epoch == self.settings.epochs;
        let (validation, best) = if last || epoch.is_multiple_of(self.settings.eval_every) {
            self.validate(epoch)?
        } else {
            (None, false)
        };
        Ok(EpochRecord {
            epoch,
            loss,
            validation,
            best,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// Takes an epoch's steps; gives the mean loss.
    fn steps(&mut self, epoch: usize, observe: &mut dyn FnMut(Event<'_>)) -> Result<f64> {
        let start = Instant::now();
        let mut in_steps = Duration::ZERO;
        let mut pairs = Vec::with_capacity(self.dealer.steps());
        for step in self.dealer.epoch(epoch as u64) {
            let before = Instant::now();
            self.backend.step(&step)?;
            in_steps += before.elapsed();
            pairs.push(step.pairs());
            observe(Event::Step {
                epoch,
                step: pairs.len(),
                steps: self.dealer.steps(),
            });
        }
        let before = Instant::now();
        let losses = self.backend.take_losses()?;
        in_steps += before.elapsed();
        self.times.steps += in_steps.as_secs_f64();
        self.times.dealing += (start.elapsed() - in_steps).as_secs_f64();
        mean_loss(&losses, &pairs)
    }

    /// Measures the present embeddings on the validation part, and keeps them if they are the best.
    /// Of equals the later one is, as in the published protocol.
    fn validate(&mut self, epoch: usize) -> Result<(Option<AtK>, bool)> {
        let start = Instant::now();
        let Settings {
            rank_by, select_at, ..
        } = self.settings;
        let embeddings = self.backend.embeddings()?;
        if !embeddings.is_finite() {
            return Err(Error::NotFinite {
                argument: "embeddings of epoch",
                at: epoch,
                value: f64::NAN,
            });
        }
        let validation = self.folds.validate(&embeddings, rank_by, select_at)?;
        let ndcg = |metrics: Option<AtK>| metrics.map(|at| at.ndcg);
        let best =
            (self.best.as_ref()).is_none_or(|best| ndcg(validation) >= ndcg(best.validation));
        if best {
            self.best = Some(Best {
                epoch,
                validation,
                embeddings,
            });
        }
        self.times.evaluation += start.elapsed().as_secs_f64();
        Ok((validation, best))
    }

    /// Adds epoch and settings to an error that says that numbers went out of bounds.
    fn locate(&self, epoch: usize, error: Error) -> Error {
        if !matches!(error, Error::NotFinite { .. }) {
            return error;
        }
        let Settings {
            batching,
            adam,
            init,
            seed,
            ..
        } = self.settings;
        Error::Diverged {
            epoch,
            what: error.to_string(),
            settings: format!(
                "{:?}, {adam:?}, {batching:?}, {init:?}, seed {seed}",
                self.backend.loss()
            ),
        }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The backend.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The epochs so far.
    pub fn history(&self) -> &[EpochRecord] {
        &self.history
    }

    /// The best epoch so far: the last good embeddings, should training diverge.
    pub fn best(&self) -> Option<&Best> {
        self.best.as_ref()
    }

    /// Where the time went so far.
    pub fn times(&self) -> Times {
        self.times
    }
}

/// The mean over pairs of the steps' mean losses.
fn mean_loss(losses: &[f32], pairs: &[usize]) -> Result<f64> {
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
