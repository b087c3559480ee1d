//! A run between two epochs, as a file: [`Checkpoint`].

mod file;

use serde::{Deserialize, Serialize};

use super::{Best, Embeddings, EpochRecord, Folds, LossState, Moments, Settings, Start};
use crate::{DynLoss, Error, Result};

/// What makes a run the same run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The version of this crate.
    pub version: String,
    /// Fingerprints of the training, validation and test data.
    pub data: String,
    /// The loss with its parameters.
    pub loss: String,
    /// The settings.
    pub settings: Settings,
}

/// Everything that the epochs to come depend on, and what the ones before found.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Which run it is of.
    pub identity: Identity,
    /// The embeddings.
    pub embeddings: Embeddings,
    /// What the optimiser remembers of queries and candidates.
    pub moments: [Moments; 2],
    /// What the loss learnt or remembers.
    pub state: LossState,
    /// The epochs so far.
    pub history: Vec<EpochRecord>,
    /// The best of them.
    pub best: Option<Best>,
}

impl Identity {
    /// Of a run with this loss, on these data, under these settings.
    pub fn new(loss: &dyn DynLoss, folds: &Folds, settings: Settings) -> Self {
        Identity {
            version: env!("CARGO_PKG_VERSION").into(),
            data: folds.fingerprint(),
            loss: format!("{loss:?}"),
            settings,
        }
    }
}

impl Checkpoint {
    /// Checks that the checkpoint is of the run `now`. A run may be given more epochs, and other
    /// patience, unless its learning rates depend on the number of epochs.
    ///
    /// # Errors
    /// [`Error::Unsupported`] that names what is different.
    pub fn check(&self, now: &Identity) -> Result<()> {
        let then = &self.identity;
        let refuse = |what: &str, then: &str, now: &str| {
            Err(Error::Unsupported(format!(
                "resume: the checkpoint is of another {what}: {then}, not {now}"
            )))
        };
        if then.data != now.data {
            return refuse("data set (or split)", &then.data, &now.data);
        }
        if then.loss != now.loss {
            return refuse("loss", &then.loss, &now.loss);
        }
        let mut settings = now.settings;
        settings.patience = then.settings.patience;
        if !settings.schedule.has_end() && self.history.len() <= settings.epochs {
            settings.epochs = then.settings.epochs;
        }
        if settings != then.settings {
            let [then, now] = [then, now].map(|run| format!("{:?}", run.settings));
            return refuse("choice of settings", &then, &now);
        }
        if then.version != now.version {
            return refuse("version of wgloss", &then.version, &now.version);
        }
        Ok(())
    }

    /// What a backend goes on from.
    ///
    /// # Errors
    /// The checkpoint is of another run.
    pub fn start<'a>(
        &self,
        loss: &'a dyn DynLoss,
        folds: &'a Folds,
        settings: &Settings,
    ) -> Result<Start<'a>> {
        self.check(&Identity::new(loss, folds, *settings))?;
        let tables = (self.embeddings.clone(), self.moments.clone());
        Ok(settings.start_from(loss, folds, tables, self.state.clone()))
    }
}
