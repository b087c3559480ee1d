//! The three parts of a data set, and what is measured on them.

use std::borrow::Cow;

use super::{
    AtK, Average, Dataset, Embeddings, Interactions, Metrics,
    metrics::{check_ks, evaluate},
    rank::top_popular_but,
    split,
};
use crate::{Error, Result, loss::Score};

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

/// A part of the data that models are measured on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// [`Folds::validation`]
    Validation,
    /// [`Folds::test`]
    #[default]
    Test,
}

/// How to measure; the defaults are the published protocol but for its average.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protocol {
    /// What to measure on.
    pub on: Part,
    /// Which users count.
    pub average: Average,
    /// Whether a user's validation items are left out of rankings for the test data, as the
    /// training items always are. IR-Benchmark lets them compete. No say in measuring the
    /// validation part.
    pub mask_validation: bool,
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

    /// Holds out nothing: the last epoch is kept.
    ///
    /// # Errors
    /// None for valid data; the result is that of building the sets.
    pub fn without_validation(data: &Dataset) -> Result<Self> {
        let none = vec![Vec::new(); data.train.users()];
        Ok(Folds {
            train: data.train.clone(),
            validation: Interactions::from_lists(data.train.items(), &none)?,
            test: data.test.clone(),
        })
    }

    /// Tells data sets and splits apart: the fingerprints of the three parts
    /// ([`Interactions::fingerprint`]), joined.
    pub fn fingerprint(&self) -> String {
        let parts = [&self.train, &self.validation, &self.test];
        parts
            .map(|part| format!("{:016x}", part.fingerprint()))
            .join("-")
    }

    /// The metrics at `k` on the validation part, or at the number of items if that is smaller;
    /// none if the part is empty.
    ///
    /// # Errors
    /// The embeddings do not fit the data or are not finite; a K of 0.
    pub fn validate(&self, model: &Embeddings, score: Score, k: usize) -> Result<Option<AtK>> {
        if self.validation.is_empty() {
            return Ok(None);
        }
        let protocol = Protocol {
            on: Part::Validation,
            ..Protocol::default()
        };
        // A default fits no small catalogue, and the choice of an epoch needs no certain K.
        let k = k.min(self.validation.items());
        let metrics = self.measure(model, score, &[k], protocol)?;
        Ok(metrics.at.first().copied())
    }

    /// The metrics at every K of `ks` on the test data.
    ///
    /// # Errors
    /// As [`Folds::measure`].
    pub fn test(&self, model: &Embeddings, score: Score, ks: &[usize]) -> Result<Metrics> {
        self.measure(model, score, ks, Protocol::default())
    }

    /// As [`Folds::test`], of recommending what most users have: what a model has to beat.
    ///
    /// # Errors
    /// As [`Folds::measure_popularity`].
    pub fn popularity(&self, ks: &[usize]) -> Result<Metrics> {
        self.measure_popularity(ks, Protocol::default())
    }

    /// The metrics at every K of `ks`.
    ///
    /// # Errors
    /// A K of 0 or above the number of items; a part without interactions; embeddings that do not
    /// fit the data or are not finite.
    pub fn measure(
        &self,
        model: &Embeddings,
        score: Score,
        ks: &[usize],
        protocol: Protocol,
    ) -> Result<Metrics> {
        let relevant = self.relevant(ks, protocol.on)?;
        let masked = self.masked(protocol)?;
        let lists = model.top_k(score, largest(ks), Some(&masked))?;
        evaluate(&lists, relevant, ks, protocol.average)
    }

    /// As [`Folds::measure`], of recommending what most users have in training.
    ///
    /// # Errors
    /// A K of 0 or above the number of items; a part without interactions.
    pub fn measure_popularity(&self, ks: &[usize], protocol: Protocol) -> Result<Metrics> {
        let relevant = self.relevant(ks, protocol.on)?;
        let masked = self.masked(protocol)?;
        let lists = top_popular_but(&self.train, &masked, largest(ks));
        evaluate(&lists, relevant, ks, protocol.average)
    }

    /// The part to measure on, which must have interactions; checks the Ks before the work.
    fn relevant(&self, ks: &[usize], on: Part) -> Result<&Interactions> {
        let (argument, relevant) = match on {
            Part::Validation => ("validation part", &self.validation),
            Part::Test => ("test part", &self.test),
        };
        check_ks(ks, relevant.items())?;
        if relevant.is_empty() {
            return Err(Error::Shape {
                argument,
                expected: "at least one interaction to measure on".to_owned(),
                actual: "none".to_owned(),
            });
        }
        Ok(relevant)
    }

    fn masked(&self, protocol: Protocol) -> Result<Cow<'_, Interactions>> {
        if protocol.mask_validation && protocol.on == Part::Test {
            return self.train.union(&self.validation).map(Cow::Owned);
        }
        Ok(Cow::Borrowed(&self.train))
    }
}

fn largest(ks: &[usize]) -> usize {
    ks.iter().copied().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two users and four items, which the model ranks 0 1 2 3 for both.
    fn folds() -> (Folds, Embeddings) {
        let part = |lists: [Vec<u32>; 2]| Interactions::from_lists(4, &lists).unwrap();
        let folds = Folds {
            train: part([vec![0], vec![]]),
            validation: part([vec![1], vec![]]),
            test: part([vec![2], vec![]]),
        };
        let model = Embeddings {
            dim: 1,
            queries: vec![1.0, 1.0],
            candidates: vec![4.0, 3.0, 2.0, 1.0],
        };
        (folds, model)
    }

    #[test]
    fn the_protocol_decides_masks_and_users() {
        let (folds, model) = folds();
        let mrr = |protocol| {
            let found = folds.measure(&model, Score::Dot, &[4], protocol).unwrap();
            (found.users, found.at[0].mrr)
        };
        let test = Protocol::default();
        assert_eq!(mrr(test), (1, 0.5));
        let masked = Protocol {
            mask_validation: true,
            ..test
        };
        assert_eq!(mrr(masked), (1, 1.0));
        let all = Protocol {
            average: Average::AllUsers,
            ..test
        };
        assert_eq!(mrr(all), (2, 0.25));
        // Masked, the only validation item could not be found.
        let validation = Protocol {
            on: Part::Validation,
            ..masked
        };
        assert_eq!(mrr(validation), (1, 1.0));
    }

    #[test]
    fn popularity_is_masked_in_the_same_way() {
        let (mut folds, _) = folds();
        // Item 1 is the most popular, and in user 0's validation part.
        folds.train = Interactions::from_lists(4, &[vec![0], vec![1]]).unwrap();
        let mrr = |mask_validation| {
            let protocol = Protocol {
                mask_validation,
                ..Protocol::default()
            };
            folds.measure_popularity(&[4], protocol).unwrap().at[0].mrr
        };
        assert_eq!((mrr(false), mrr(true)), (0.5, 1.0));
    }

    #[test]
    fn what_cannot_be_measured_is_told() {
        let (mut folds, model) = folds();
        let told = |folds: &Folds, ks: &[usize]| {
            let error = folds.test(&model, Score::Dot, ks).unwrap_err().to_string();
            assert_eq!(error, folds.popularity(ks).unwrap_err().to_string());
            error
        };
        let few = "ks: expected at most 4, the number of items, got 5";
        assert_eq!(told(&folds, &[1, 5]), few);
        assert_eq!(told(&folds, &[0]), "ks: expected at least 1, got 0");
        folds.test = Interactions::from_lists(4, &[vec![], vec![]]).unwrap();
        let none = "test part: expected at least one interaction to measure on, got none";
        assert_eq!(told(&folds, &[1]), none);
        folds.validation = folds.test.clone();
        assert_eq!(folds.validate(&model, Score::Dot, 20).unwrap(), None);
    }

    #[test]
    fn validation_takes_the_whole_of_a_small_catalogue() {
        let (folds, model) = folds();
        let at = folds.validate(&model, Score::Dot, 20).unwrap().unwrap();
        assert_eq!((at.k, at.recall), (4, 1.0));
        assert!(folds.validate(&model, Score::Dot, 0).is_err());
    }
}
