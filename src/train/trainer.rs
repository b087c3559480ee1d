//! Epochs, validation, and the best epoch: [`Trainer`].

mod pass;

use std::time::Instant;

use super::{
    AtK, Backend, Best, Checkpoint, Dealer, EpochRecord, Event, Folds, Identity, LossState,
    Metrics, Settings, Times,
};
use crate::{Error, Result};

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
}

impl<'a, B: Backend> Trainer<'a, B> {
    /// A trainer before the first epoch, on a backend made from [`Settings::start`].
    ///
    /// # Errors
    /// A setting is outside its domain, or there is nothing to train on.
    pub fn new(folds: &'a Folds, settings: Settings, backend: B) -> Result<Self> {
        settings.validate()?;
        let Settings {
            batching,
            negatives,
            seed,
            ..
        } = settings;
        Ok(Trainer {
            folds,
            settings,
            dealer: Dealer::new(&folds.train, batching, negatives, seed)?,
            backend,
            history: Vec::new(),
            best: None,
        })
    }

    /// A trainer that goes on where `checkpoint` was made, on a backend made from
    /// [`Checkpoint::start`]: from there on it does the same to the bit as the one that made it, if
    /// the plans are the same.
    ///
    /// # Errors
    /// As [`Trainer::new`]; the checkpoint is of another run.
    pub fn resume(
        folds: &'a Folds,
        settings: Settings,
        backend: B,
        checkpoint: Checkpoint,
    ) -> Result<Self> {
        checkpoint.check(&Identity::new(backend.loss(), folds, settings))?;
        let mut trainer = Trainer::new(folds, settings, backend)?;
        trainer.history = checkpoint.history;
        trainer.best = checkpoint.best;
        Ok(trainer)
    }

    /// The state after the epochs so far. May wait for the device.
    ///
    /// # Errors
    /// What the backend reports.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        Ok(Checkpoint {
            identity: Identity::new(self.backend.loss(), self.folds, self.settings),
            embeddings: self.backend.embeddings()?,
            moments: self.backend.moments()?,
            state: self.backend.state()?,
            history: self.history.clone(),
            best: self.best.clone(),
        })
    }

    /// Trains all epochs that are left. After an error, the trainer still has what it found until
    /// then.
    ///
    /// # Errors
    /// As [`Trainer::next_epoch`].
    pub fn run(&mut self, observe: &mut dyn FnMut(Event<'_>)) -> Result<()> {
        while self.next_epoch(observe)?.is_some() {}
        Ok(())
    }

    /// Trains an epoch; none if there is none left, or patience is at its end.
    ///
    /// # Errors
    /// [`Error::Diverged`] once a loss or an embedding is no longer finite; what the backend
    /// reports.
    pub fn next_epoch(
        &mut self,
        observe: &mut dyn FnMut(Event<'_>),
    ) -> Result<Option<EpochRecord>> {
        if self.history.len() >= self.settings.epochs || self.out_of_patience() {
            return Ok(None);
        }
        let epoch = self.history.len() + 1;
        let record = (self.epoch(epoch, observe)).map_err(|error| self.locate(epoch, error))?;
        self.history.push(record);
        observe(Event::Epoch(&record));
        Ok(Some(record))
    }

    /// Whether the last validations, as many as there is patience for, brought nothing better.
    pub fn out_of_patience(&self) -> bool {
        let validated = self.history.iter().rev();
        let since_best = validated
            .filter(|record| record.validation.is_some())
            .take_while(|record| !record.best)
            .count();
        self.settings
            .patience
            .is_some_and(|patience| since_best >= patience)
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
        let mut times = Times::default();
        let (moved, loss, rate) = self.steps(epoch, &mut times, observe)?;
        self.renew_quantiles(epoch, &mut times)?;
        let last = epoch == self.settings.epochs;
        let (validation, best) = if last || epoch.is_multiple_of(self.settings.eval_every) {
            let start = Instant::now();
            let validated = self.validate(epoch)?;
            times.evaluation = start.elapsed().as_secs_f64();
            validated
        } else {
            (None, false)
        };
        Ok(EpochRecord {
            epoch,
            moved,
            loss,
            rate,
            validation,
            best,
            times,
        })
    }

    /// Lets a loss that reads users' K-th largest scores have them anew, where this epoch is one of
    /// those.
    fn renew_quantiles(&mut self, epoch: usize, times: &mut Times) -> Result<()> {
        let reads = LossState::quantiles(self.backend.loss()).next().is_some();
        if !reads || !epoch.is_multiple_of(self.settings.quantile_every) {
            return Ok(());
        }
        let start = Instant::now();
        self.backend.renew_quantiles()?;
        times.quantiles = start.elapsed().as_secs_f64();
        Ok(())
    }

    /// Measures the present embeddings on the validation part, and keeps them if they are the best.
    /// Of equals the later one is, as in the published protocol.
    fn validate(&mut self, epoch: usize) -> Result<(Option<AtK>, bool)> {
        let Settings {
            rank_by, select_at, ..
        } = self.settings;
        let embeddings = self.backend.embeddings()?;
        let scalars = self.backend.scalars()?;
        for (argument, finite) in [
            ("embeddings of epoch", embeddings.is_finite()),
            ("scalars of epoch", scalars.iter().all(|x| x.is_finite())),
        ] {
            if !finite {
                return Err(Error::NotFinite {
                    argument,
                    at: epoch,
                    value: f64::NAN,
                });
            }
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
                scalars,
            });
        }
        Ok((validation, best))
    }

    /// Adds epoch and settings to an error that says that numbers went out of bounds.
    fn locate(&self, epoch: usize, error: Error) -> Error {
        if !matches!(error, Error::NotFinite { .. }) {
            return error;
        }
        let Settings {
            batching,
            negatives,
            optimiser,
            schedule,
            init,
            seed,
            ..
        } = self.settings;
        Error::Diverged {
            epoch,
            what: error.to_string(),
            settings: format!(
                "{:?}, {optimiser:?}, {schedule:?}, {batching:?}, {negatives}, {init:?}, seed {seed}",
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

    /// Where the time of all epochs so far went.
    pub fn times(&self) -> Times {
        let all = self.history.iter();
        all.fold(Times::default(), |sum, record| sum.add(&record.times))
    }
}
