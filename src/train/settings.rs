//! How to train: [`Settings`].

use serde::{Deserialize, Serialize};

use super::{
    Adversary, Batching, Embeddings, Folds, Init, LossState, Moments, Negatives, Optimiser,
    Schedule, Start,
};
use crate::{DynLoss, Error, Result, loss::Score};

/// How to train; the defaults are the published protocol.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Number of epochs.
    pub epochs: usize,
    /// How an epoch is cut into steps.
    pub batching: Batching,
    /// What positives are compared with.
    pub negatives: Negatives,
    /// The optimiser.
    pub optimiser: Optimiser,
    /// How its learning rate changes.
    pub schedule: Schedule,
    /// The initial embeddings.
    pub init: Init,
    /// How the loss's adversary is trained, if it has one.
    pub adversary: Adversary,
    /// Epochs from one renewal of the users' K-th largest scores to the next, for a loss that reads
    /// them: after epoch n, from 1, where n is a multiple. Published: 5 or 20.
    pub quantile_every: usize,
    /// Epochs from one validation to the next; the last epoch is validated always.
    pub eval_every: usize,
    /// Validations in a row without a better one after which training ends; none to train all
    /// epochs.
    pub patience: Option<usize>,
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
            negatives: Negatives::Full,
            optimiser: Optimiser::default(),
            schedule: Schedule::default(),
            init: Init::default(),
            adversary: Adversary::default(),
            quantile_every: 20,
            eval_every: 5,
            patience: None,
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
    /// The initial width or a deviation is outside its domain.
    pub fn start<'a>(&self, loss: &'a dyn DynLoss, folds: &'a Folds) -> Result<Start<'a>> {
        let embeddings = Embeddings::initial(&folds.train, self.init, self.seed)?;
        let tables = [&embeddings.queries, &embeddings.candidates];
        let moments = tables.map(|table| Moments::zero(&self.optimiser, table.len()));
        let state = LossState::initial(loss, &embeddings, self)?;
        Ok(self.start_from(loss, folds, (embeddings, moments), state))
    }

    /// What a backend goes on from.
    pub(super) fn start_from<'a>(
        &self,
        loss: &'a dyn DynLoss,
        folds: &'a Folds,
        (embeddings, moments): (Embeddings, [Moments; 2]),
        state: LossState,
    ) -> Start<'a> {
        Start {
            loss,
            train: &folds.train,
            by: self.batching.by,
            negatives: self.negatives,
            embeddings,
            optimiser: self.optimiser,
            moments,
            state,
            adversary: self.adversary,
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        for (parameter, value) in [
            ("epochs", self.epochs),
            ("eval_every", self.eval_every),
            ("select_at", self.select_at),
            ("quantile_every", self.quantile_every),
            ("patience", self.patience.unwrap_or(1)),
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
        self.negatives.validate()?;
        self.schedule.validate()?;
        self.adversary.validate()?;
        self.optimiser.validate()
    }
}
