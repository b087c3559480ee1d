//! From a label per sample to the pairs of losses that compare samples: [`SamplePairs`] and
//! [`ProxyPairs`].

use super::{Batch, Lists, Positives, checks::shape};
use crate::{ABSENT, Error, IGNORED, Matrix, Result};
use std::collections::HashMap;

/// Every (sample, other sample of its label) pair of a batch, for losses that compare the samples
/// with themselves: [`SupCon`](crate::loss::SupCon), [`NtXent`](crate::loss::NtXent),
/// [`MultiSimilarity`](crate::loss::MultiSimilarity).
///
/// ```
/// use wgloss::{Device, Engine, EngineOptions, Matrix, SamplePairs, loss::SupCon};
/// # let engine = Engine::with_options(&EngineOptions::default().device(Device::Cpu))?;
/// let samples = [1.0_f32, 0.0, 0.8, 0.6, 0.0, 1.0, -0.6, 0.8];
/// let samples = Matrix::new("samples", &samples[..], 2)?;
/// let pairs = SamplePairs::sup_con(&[7, 7, 3, 3])?;
/// let output = engine.value_and_grad(&SupCon::default(), &pairs.batch(samples)?)?;
/// let (q, c) = (output.grad_queries.unwrap(), output.grad_candidates.unwrap());
/// let grad_samples: Vec<f32> = q.iter().zip(&c).map(|(q, c)| q + c).collect();
/// # assert_eq!(grad_samples.len(), 8);
/// # Ok::<(), wgloss::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SamplePairs {
    offsets: Vec<u32>,
    ids: Vec<u32>,
    weights: Option<Vec<f32>>,
    positives_in_columns: bool,
}

/// What a sample without another one of its label counts in the mean of [`SupCon`](crate::loss::SupCon).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lonely {
    /// A loss of 0: the mean is over all samples. The official code.
    #[default]
    Zero,
    /// Nothing: the mean is over samples that have a positive. pytorch-metric-learning, whose mean
    /// is over samples with a loss above 0.
    LeftOut,
}

impl SamplePairs {
    /// For [`SupCon`](crate::loss::SupCon), with pair weights that make the batch's mean the official
    /// one: over all samples, each the mean of its pairs. A sample that is alone counts as 0; see
    /// [`SamplePairs::sup_con_with`].
    ///
    /// # Errors
    /// No labels, or more than ids can count.
    pub fn sup_con(labels: &[u32]) -> Result<Self> {
        Self::sup_con_with(labels, Lonely::Zero)
    }

    /// As [`SamplePairs::sup_con`], with samples that are alone counted as `lonely` says.
    ///
    /// # Errors
    /// As there.
    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    pub fn sup_con_with(labels: &[u32], lonely: Lonely) -> Result<Self> {
        let mut pairs = Self::of(labels, false)?;
        let lists = pairs.offsets.windows(2).map(|list| list[1] - list[0]);
        let counted = match lonely {
            Lonely::Zero => labels.len(),
            Lonely::LeftOut => lists.clone().filter(|count| *count > 0).count(),
        };
        // The mean divides by the number of pairs.
        let total = pairs.ids.len() as f64 / counted as f64;
        let weights = lists.flat_map(|count| {
            let weight = total / f64::from(count);
            (0..count).map(move |_| weight as f32)
        });
        pairs.weights = Some(weights.collect());
        pairs.positives_in_columns = true;
        Ok(pairs)
    }

    /// For [`NtXent`](crate::loss::NtXent): the mean is over pairs, and a sample that is alone has
    /// none.
    ///
    /// # Errors
    /// As [`SamplePairs::sup_con`].
    pub fn nt_xent(labels: &[u32]) -> Result<Self> {
        Self::of(labels, false)
    }

    /// For [`MultiSimilarity`](crate::loss::MultiSimilarity): a sample that is alone has the pair
    /// [`ABSENT`], so that its negatives count.
    ///
    /// # Errors
    /// As [`SamplePairs::sup_con`].
    pub fn multi_similarity(labels: &[u32]) -> Result<Self> {
        Self::of(labels, true)
    }

    fn of(labels: &[u32], absent: bool) -> Result<Self> {
        check_labels(labels)?;
        let mut samples_of = HashMap::<u32, Vec<u32>>::new();
        for (sample, label) in (0..).zip(labels) {
            samples_of.entry(*label).or_default().push(sample);
        }
        let pairs: usize = (samples_of.values())
            .map(|samples| samples.len() * samples.len())
            .sum();
        if u32::try_from(pairs).is_err() {
            return Err(shape(
                "labels",
                format!("fewer than {} pairs of one label", u32::MAX),
                pairs,
            ));
        }
        let (mut offsets, mut ids) = (vec![0], Vec::new());
        for (sample, label) in (0..).zip(labels) {
            let others = samples_of[label].iter().filter(|other| **other != sample);
            let before = ids.len();
            ids.extend(others);
            if absent && ids.len() == before {
                ids.push(ABSENT);
            }
            offsets.push(ids.len() as u32);
        }
        Ok(SamplePairs {
            offsets,
            ids,
            weights: None,
            positives_in_columns: false,
        })
    }

    /// The positives of every sample, in ascending order.
    #[must_use]
    pub fn positives(&self) -> Lists<'_> {
        Lists {
            offsets: &self.offsets,
            ids: &self.ids,
        }
    }

    /// Weight per pair, if pairs weigh differently.
    #[must_use]
    pub fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }

    /// The batch that compares `samples`, B × D in the order of the labels, with themselves:
    /// ∂value/∂samples is the sum of the gradients of queries and candidates.
    ///
    /// # Errors
    /// Not as many samples as labels.
    pub fn batch<'a>(&'a self, samples: Matrix<'a>) -> Result<Batch<'a>> {
        let labels = self.offsets.len() - 1;
        if samples.rows() != labels {
            let expected = format!("{labels} rows, one per label");
            return Err(shape("samples", expected, samples.rows()));
        }
        let positives = Positives::Many(self.positives());
        let mut batch = Batch::new(samples, samples, positives)?.exclude_self()?;
        if self.positives_in_columns {
            batch = batch.positives_in_columns()?;
        }
        match &self.weights {
            Some(weights) => batch.weights(weights),
            None => Ok(batch),
        }
    }
}

/// The samples of every class, for losses whose rows are classes:
/// [`ProxyAnchor`](crate::loss::ProxyAnchor).
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyPairs {
    offsets: Vec<u32>,
    ids: Vec<u32>,
    positive_weights: Vec<f64>,
}

impl ProxyPairs {
    /// From the class of every sample, below `classes`. A class without samples has the pair
    /// [`ABSENT`].
    ///
    /// # Errors
    /// No labels, more than ids can count, or a label that is no class.
    pub fn new(labels: &[u32], classes: usize) -> Result<Self> {
        check_labels(labels)?;
        let bad = labels.iter().position(|label| *label as usize >= classes);
        if let Some(at) = bad {
            return Err(Error::Id {
                argument: "labels",
                at,
                id: u64::from(labels[at]),
                count: classes,
            });
        }
        let mut samples_of = vec![Vec::new(); classes];
        for (sample, label) in (0..).zip(labels) {
            samples_of[*label as usize].push(sample);
        }
        let present = samples_of.iter().filter(|samples| !samples.is_empty());
        let weight = classes as f64 / present.count() as f64;
        let (mut offsets, mut ids) = (vec![0], Vec::new());
        for samples in &samples_of {
            match samples.is_empty() {
                true => ids.push(ABSENT),
                false => ids.extend(samples),
            }
            offsets.push(ids.len() as u32);
        }
        Ok(ProxyPairs {
            offsets,
            ids,
            positive_weights: vec![weight; classes],
        })
    }

    /// The samples of every class, in ascending order, or [`ABSENT`].
    #[must_use]
    pub fn positives(&self) -> Lists<'_> {
        Lists {
            offsets: &self.offsets,
            ids: &self.ids,
        }
    }

    /// The row parameter `positive_weight` of every class: the number of classes over that of
    /// classes with a sample.
    #[must_use]
    pub fn positive_weights(&self) -> &[f64] {
        &self.positive_weights
    }

    /// The batch whose queries are `proxies`, C × D, and whose candidates are `samples`, B × D in the
    /// order of the labels.
    ///
    /// # Errors
    /// Not as many proxies as classes or samples as labels, or widths differ.
    pub fn batch<'a>(&'a self, proxies: Matrix<'a>, samples: Matrix<'a>) -> Result<Batch<'a>> {
        let classes = self.offsets.len() - 1;
        if proxies.rows() != classes {
            let expected = format!("{classes} rows, one per class");
            return Err(shape("proxies", expected, proxies.rows()));
        }
        let labels = self.ids.iter().filter(|id| **id != ABSENT).count();
        if samples.rows() != labels {
            let expected = format!("{labels} rows, one per label");
            return Err(shape("samples", expected, samples.rows()));
        }
        Batch::new(proxies, samples, Positives::Many(self.positives()))?
            .row_parameters(&self.positive_weights, 1)
    }
}

fn check_labels(labels: &[u32]) -> Result<()> {
    if labels.is_empty() {
        return Err(shape("labels", "at least one label".into(), 0));
    }
    super::checks::fits_u32("labels", labels.len())?;
    match labels.iter().position(|label| *label == IGNORED) {
        None => Ok(()),
        Some(at) => Err(Error::Id {
            argument: "labels",
            at,
            id: u64::from(IGNORED),
            count: IGNORED as usize,
        }),
    }
}
