//! What a run came to: as JSON, and as a table.

use serde::Serialize;
use std::collections::BTreeMap;
use wgloss::{
    AnyLoss, Error, Result,
    train::{AtK, EpochRecord, Folds, Metrics, Settings, Times},
};

/// Everything needed to judge and repeat a run.
#[derive(Serialize)]
pub struct Report<'a> {
    /// The version of wgloss.
    pub version: &'static str,
    /// The command line.
    pub command: Vec<String>,
    /// What it ran on.
    pub device: String,
    /// The plans that computed the steps: the same plans give the same bits.
    pub plans: Vec<String>,
    /// The data.
    pub data: Data,
    /// The loss with all parameters.
    pub loss: &'a AnyLoss,
    /// What the loss had learnt by the best epoch: its scalars by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub scalars: BTreeMap<&'static str, f64>,
    /// The published settings that the others override.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Everything else that was chosen.
    pub settings: Settings,
    /// The epochs.
    pub epochs: &'a [EpochRecord],
    /// The epoch whose embeddings were measured and saved.
    pub best_epoch: Option<usize>,
    /// Its metrics on the validation part.
    pub validation: Option<AtK>,
    /// Its metrics on the test data.
    pub test: Option<Metrics>,
    /// The same metrics of recommending what most users have.
    pub popularity: Metrics,
    /// Where the time went, in seconds.
    pub times: Times,
    /// Why training ended early, if it did.
    pub error: Option<String>,
}

impl Report<'_> {
    /// The report as JSON.
    pub fn json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|error| Error::Unsupported(format!("report: {error}")))
    }
}

/// A data set in numbers.
#[derive(Serialize)]
pub struct Data {
    /// Its path, or that it is the planted set.
    pub name: String,
    /// What became of the files' content on the way.
    pub notes: Vec<String>,
    /// Tells data sets apart.
    pub fingerprint: String,
    /// Number of users.
    pub users: usize,
    /// Number of items.
    pub items: usize,
    /// Number of interactions to learn from.
    pub train: usize,
    /// Number of interactions to choose the epoch on.
    pub validation: usize,
    /// Number of interactions to measure on.
    pub test: usize,
}

impl Data {
    /// The numbers of `folds`.
    pub fn new(name: String, notes: Vec<String>, folds: &Folds) -> Self {
        Data {
            name,
            notes,
            fingerprint: folds.fingerprint(),
            users: folds.train.users(),
            items: folds.train.items(),
            train: folds.train.len(),
            validation: folds.validation.len(),
            test: folds.test.len(),
        }
    }

    /// One line.
    pub fn describe(&self) -> String {
        format!(
            "{}: {} users × {} items; {} interactions to train, {} to validate, {} to test",
            self.name, self.users, self.items, self.train, self.validation, self.test
        )
    }
}
