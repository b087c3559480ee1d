//! How to train: [`Settings`].

use serde::Serialize;

use super::{AdamOptions, Batching, Embeddings, Folds, Init, Start};
use crate::{DynLoss, Error, Result, loss::Score};

/// How to train; the defaults are the published protocol.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// Number of epochs.
    pub epochs: usize,
    /// How an epoch is cut into steps.
    pub batching: Batching,
    /// The optimiser.
    pub adam: AdamOptions,
    /// The initial embeddings.
    pub init: Init,
    /// Epochs from one validation to the next; the last epoch is validated always.
    pub eval_every: usize,
    /// The K of the NDCG@K that the best epoch has most of.
    pub select_at: usize,
    /// What items are ranked by, whatever the loss compares embeddings by.
    pub rank_by: Score,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            epochs: 200,
            batching: Batching::PUBLISHED,
            adam: AdamOptions::default(),
            init: Init::default(),
            eval_every: 5,
            select_at: 20,
            rank_by: Score::Dot,
            seed: 0,
        }
    }
}

impl Settings {
    /// What a backend starts from under these settings.
    ///
    /// # Errors
    /// The initial embeddings' width or deviation is outside its domain.
    pub fn start<'a>(&self, loss: &'a dyn DynLoss, folds: &'a Folds) -> Result<Start<'a>> {
        Ok(Start {
            loss,
            train: &folds.train,
            embeddings: Embeddings::normal(&folds.train, self.init, self.seed)?,
            adam: self.adam,
        })
    }

    pub(super) fn validate(&self) -> Result<()> {
        for (parameter, value) in [
            ("epochs", self.epochs),
            ("eval_every", self.eval_every),
            ("select_at", self.select_at),
        ] {
            if value == 0 {
                return Err(Error::Domain {
                    loss: "training",
                    parameter,
                    value: value.to_string(),
                    domain: "must be at least 1".into(),
                });
            }
        }
        Ok(())
    }
}
