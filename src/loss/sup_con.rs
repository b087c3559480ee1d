//! Supervised contrastive loss and NT-Xent: samples against samples.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Row, RowLoss, Score, Spec,
    positive, sl,
};
use crate::{Error, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// Supervised contrastive loss: `ℓ = log Σ_{a≠i} e^{S_ia/τ} − S_ip/τ` of a (sample, positive) pair in
/// nats, S the cosines of the batch's samples; all other samples are in the sum, the positives too.
///
/// A batch compares samples with themselves: queries and candidates are one table,
/// [`Batch::exclude_self`](crate::Batch::exclude_self) and
/// [`Batch::positives_in_columns`](crate::Batch::positives_in_columns) are called, and the gradient
/// of the table is the sum of both gradients. [`SamplePairs`](crate::SamplePairs) makes it from
/// labels, with the weights 1/|P(i)| of the published mean.
///
/// Domain: τ > 0. Source: Khosla et al., "Supervised contrastive learning" (NeurIPS 2020), eq. 2.
/// The official code multiplies by τ over a base temperature: 1 at its defaults, where both are
/// 0.07; pytorch-metric-learning has τ 0.1, the default here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SupCon {
    /// Temperature τ.
    pub tau: f64,
}

impl Default for SupCon {
    fn default() -> Self {
        SupCon { tau: 0.1 }
    }
}

impl Described for SupCon {
    const ABOUT: About = About {
        title: "supervised contrastive loss",
        formula: "log Σ_{a≠i} e^{S_ia/τ} − S_ip/τ, weighing 1/abs(P(i))",
        parameters: &[Parameter::TAU],
        source: "Khosla et al., Supervised contrastive learning (NeurIPS 2020)",
    };
}

/// Refuses a batch other than samples against themselves, its positives in the columns or not.
fn own_rows(loss: &'static str, shape: &Shape, positives_in_columns: bool) -> Result<()> {
    let wanted = match positives_in_columns {
        true => "exclude_self and positives_in_columns",
        false => "exclude_self, without positives_in_columns",
    };
    if shape.exclude_self && shape.positives_in_columns == positives_in_columns {
        return Ok(());
    }
    Err(Error::Unsupported(format!(
        "{loss}: compares samples with themselves, a batch with {wanted} (SamplePairs makes it)"
    )))
}

impl Loss for SupCon {
    fn spec(&self) -> Spec {
        Spec::log_sum_exp("sup_con", Score::Cosine, 1.0)
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0 / self.tau, 0.0]
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        positive("sup_con", "tau", self.tau)?;
        own_rows("sup_con", shape, true)
    }

    fn wgsl(&self) -> &'static str {
        // SL's functions: here the columns hold the positive already.
        include_str!("../../shaders/losses/sl.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        sl::pair(entry, p)
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        sl::over_columns(row, p.constants[0])
    }
}

/// NT-Xent as pytorch-metric-learning has it:
/// `ℓ = −log e^{S_ip/τ} / (e^{S_ip/τ} + Σ_{n: y_n≠y_i} e^{S_in/τ})` of a (sample, positive) pair in
/// nats, S the cosines of the batch's samples. A pair's denominator holds its own positive and the
/// negatives; the mean is over pairs.
///
/// With two samples per label it is the published loss (the normalised temperature-scaled
/// cross-entropy); with more, the published denominator of all other samples is that of [`SupCon`].
///
/// A batch compares samples with themselves: queries and candidates are one table,
/// [`Batch::exclude_self`](crate::Batch::exclude_self) is called, and the gradient of the table is
/// the sum of both gradients. [`SamplePairs`](crate::SamplePairs) makes it from labels.
///
/// Domain: τ > 0. Source: Chen et al., "A simple framework for contrastive learning of visual
/// representations" (ICML 2020), eq. 1. pytorch-metric-learning adds the smallest normal number
/// inside the logarithm, which caps ℓ near 87.3; here nothing does. Its default τ is 0.07.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NtXent {
    /// Temperature τ.
    pub tau: f64,
}

impl Default for NtXent {
    fn default() -> Self {
        NtXent { tau: 0.1 }
    }
}

impl Described for NtXent {
    const ABOUT: About = About {
        title: "NT-Xent, normalised temperature-scaled cross-entropy",
        formula: "−log e^{S_ip/τ} / (e^{S_ip/τ} + Σ_n e^{S_in/τ})",
        parameters: &[Parameter::TAU],
        source: "Chen et al., A simple framework for contrastive learning of visual representations (ICML 2020)",
    };
}

impl Loss for NtXent {
    fn spec(&self) -> Spec {
        Spec::log_sum_exp("nt_xent", Score::Cosine, 1.0)
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0 / self.tau, 1.0]
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        positive("nt_xent", "tau", self.tau)?;
        own_rows("nt_xent", shape, false)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/sl.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        sl::pair(entry, p)
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        sl::in_sum(row, p.constants[0])
    }
}
