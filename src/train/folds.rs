//! The three parts of a data set, and what is measured on them.

use super::{
    AtK, Average, Dataset, Embeddings, Interactions, Metrics, metrics::evaluate, rank::top_popular,
    split,
};
use crate::{Result, loss::Score};

/// What to learn from, what to choose the epoch on, and what to measure on at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folds {
    /// What a model learns from; also what is masked in every ranking.
    pub train: Interactions,
    /// A part of the training data, held out; may be empty.
    pub validation: Interactions,
    /// The test data. Validation items compete in its rankings, as in the published protocol.
    pub test: Interactions,
}

impl Folds {
    /// Holds out the validation part ([`split::validation`]).
    ///
    /// # Errors
    /// None for valid data; the result is that of building the sets.
    pub fn new(data: &Dataset, seed: u64) -> Result<Self> {
        let split = split::validation(&data.train, seed)?;
        Ok(Folds {
            train: split.train,
            validation: split.validation,
            test: data.test.clone(),
        })
    }

    /// Tells data sets and splits apart: the fingerprints of the three parts.
    pub fn fingerprint(&self) -> String {
        let parts = [&self.train, &self.validation, &self.test];
        parts
            .map(|part| format!("{:016x}", part.fingerprint()))
            .join("-")
    }

    /// The metrics at `k` on the validation part; none if it is empty.
    ///
    /// # Errors
    /// The embeddings do not fit the data or are not finite.
    pub fn validate(&self, model: &Embeddings, score: Score, k: usize) -> Result<Option<AtK>> {
        if self.validation.is_empty() {
            return Ok(None);
        }
        let metrics = self.measure(model, score, &self.validation, &[k])?;
        Ok(metrics.at.first().copied())
    }

    /// The metrics at every K of `ks` on the test data.
    ///
    /// # Errors
    /// As [`Folds::validate`]; a K of 0; no test data.
    pub fn test(&self, model: &Embeddings, score: Score, ks: &[usize]) -> Result<Metrics> {
        self.measure(model, score, &self.test, ks)
    }

    /// As [`Folds::test`], of recommending what most users have: what a model has to beat.
    ///
    /// # Errors
    /// A K of 0; no test data.
    pub fn popularity(&self, ks: &[usize]) -> Result<Metrics> {
        let lists = top_popular(&self.train, largest(ks));
        evaluate(&lists, &self.test, ks, Average::default())
    }

    fn measure(
        &self,
        model: &Embeddings,
        score: Score,
        relevant: &Interactions,
        ks: &[usize],
    ) -> Result<Metrics> {
        let lists = model.top_k(score, largest(ks), Some(&self.train))?;
        evaluate(&lists, relevant, ks, Average::default())
    }
}

fn largest(ks: &[usize]) -> usize {
    ks.iter().copied().max().unwrap_or(0)
}
