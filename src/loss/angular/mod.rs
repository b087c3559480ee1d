//! Angular margins: softmax over cosines, with the target's angle made larger than it is.
//!
//! A margin is a map T of the target's angle θ ([`Margin`]); the logits of other classes stay
//! `s·cos θ_j`, so no tile evaluates it. [`MarginSoftmax`] makes a loss of a margin.
//!
//! **Two gradients.** Every margin has the derivative of the stated loss, and the one that most
//! official code trains with, which takes `T(θ) − cos θ` for a constant ([`Gradient`]). Values
//! are the same; gradients differ by T'(c), a factor from 0 to many.
//!
//! | official code | gradient |
//! |---|---|
//! | insightface `arcface_torch` since December 2022; ExpFace's authors; opensphere | detached |
//! | insightface `arcface_mxnet`, `arcface_torch` before; pytorch-metric-learning; CurricularFace, AdaFace, MagFace | exact |
//! | SphereFace's Caffe layer | neither: it scales the target's gradient to unit length |
//!
//! Exact slopes are by the angle and applied along the unit tangent, so nothing is divided by
//! sin θ, and cosines of ±1 have finite gradients.

mod held;
mod margin;

pub(crate) use held::{entry_cosines, held_margin, norm, positive_cosine};
pub use margin::Margin;
pub(crate) use margin::{MARGIN_CONSTANTS, margin_of};

use super::{
    BatchStatistics, Entry, Held, Loss, Pair, Parameters, PositiveScore, Row, RowLoss, Scalar,
    Score, Spec, Target, TargetForm, domain, held::held_theta, positive,
};
use crate::{Batch, Output, Real, Result, Shape, shape::MAX_THETA};
use serde::{Deserialize, Serialize};

/// Which derivative the target's term gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gradient {
    /// The derivative of the stated loss.
    #[default]
    Exact,
    /// The margin taken for a constant that is added to the cosine: dT/d cos θ = 1. In general no
    /// gradient of any function. Also called straight-through, or characteristic gradient
    /// detachment.
    Detached,
}

/// What happens beyond m₁θ + m₂ = π, where cos(m₁θ + m₂) rises again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// Nothing: it rises. The paper's equation; insightface today.
    #[default]
    Plain,
    /// cos θ − m₂ sin m₂ (for m₁ ≠ 1 at least so much less that the logit does not jump up).
    /// insightface until December 2022, CurricularFace, pytorch-metric-learning.
    HardThreshold,
    /// The margin holds for cos θ > 0 alone, and cos θ otherwise: a jump up at 90°. MagFace's default.
    Easy,
    /// −1, with slope 0. opensphere, whose gradient is detached.
    Clamped,
}

/// What cosines are multiplied by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureScale {
    /// The scale s.
    #[default]
    Constant,
    /// The scale s times the feature's norm: features are not normalised, and their norms learn.
    Norm,
}

/// A softmax over cosines with a margin on the target: with T = [`MarginSoftmax::margin`],
/// `ℓ = softplus(LSE_{j≠y}(s·cos θ_j) − s·T(θ_y))` in nats. Every such type is a [`Loss`].
pub trait MarginSoftmax: Clone + Send + Sync + std::fmt::Debug + 'static {
    /// The loss's name.
    fn name(&self) -> &'static str;

    /// s.
    fn scale(&self) -> f64;

    /// T.
    fn margin(&self) -> Margin;

    /// Which derivative the target gets.
    fn gradient(&self) -> Gradient {
        Gradient::Exact
    }

    /// What cosines are multiplied by.
    fn feature_scale(&self) -> FeatureScale {
        FeatureScale::Constant
    }

    /// The cosine beyond which another class counts as one at cosine 0, without a gradient:
    /// insightface's filter for classes that are the same person.
    fn filter(&self) -> Option<f64> {
        None
    }

    /// Checks the margin's own parameters; scale and filter are checked beside it.
    ///
    /// # Errors
    /// [`crate::Error::Domain`] naming parameter and domain.
    fn check_margin(&self) -> Result<()>;

    /// What else the engine must know.
    fn adjusted(&self, spec: Spec) -> Spec {
        spec
    }

    /// As [`Loss::scalars`].
    fn margin_scalars(&self) -> Vec<Scalar> {
        Vec::new()
    }

    /// As [`Loss::theta_state`].
    fn margin_state<R: Real>(
        &self,
        _seen: BatchStatistics<R>,
        p: &Parameters<R>,
    ) -> [R; MAX_THETA] {
        p.theta
    }
}

/// Where the margin's constants begin.
const MARGIN_AT: usize = 3;

impl<L: MarginSoftmax> Loss for L {
    fn spec(&self) -> Spec {
        let score = match self.feature_scale() {
            FeatureScale::Constant => Score::Cosine,
            FeatureScale::Norm => Score::Projection,
        };
        self.adjusted(Spec {
            target: TargetForm::Tangent,
            ..Spec::log_sum_exp(self.name(), score, 1.0)
        })
    }

    fn constants(&self) -> Vec<f64> {
        let margin = self.margin().constants(self.gradient());
        softmax_constants(self.scale(), self.feature_scale(), self.filter(), margin)
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive(self.name(), "scale", self.scale())?;
        if let Some(filter) = self.filter() {
            domain::within(self.name(), "filter", filter, -1.0..=1.0)?;
        }
        self.check_margin()
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../shaders/losses/margin_softmax.wgsl")
    }

    fn scalars(&self) -> Vec<Scalar> {
        self.margin_scalars()
    }

    fn theta_state<R: Real>(&self, seen: BatchStatistics<R>, p: &Parameters<R>) -> [R; MAX_THETA] {
        self.margin_state(seen, p)
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        softmax_target(positive, p)
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        softmax_pair(entry, p)
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        softmax_row(row)
    }

    fn held(&self, batch: &Batch<'_>, output: &Output<f64>) -> Option<Held> {
        match self.gradient() {
            Gradient::Detached => Some(held_margin(self, batch, output)),
            Gradient::Exact => held_theta(self, output),
        }
    }
}

/// The constants of `margin_softmax.wgsl`.
pub(crate) fn softmax_constants(
    scale: f64,
    feature_scale: FeatureScale,
    filter: Option<f64>,
    margin: [f64; MARGIN_CONSTANTS],
) -> Vec<f64> {
    let by_norm = f64::from(u8::from(feature_scale == FeatureScale::Norm));
    // A cosine that none exceeds, and a score that no norm makes.
    let none = if by_norm == 1.0 { 1e30 } else { 2.0 };
    let mut constants = vec![scale, by_norm, filter.unwrap_or(none)];
    constants.extend(margin);
    constants
}

/// The target of `margin_softmax.wgsl`.
#[inline(always)]
pub(crate) fn softmax_target<R: Real>(positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
    let [scale, by_norm, ..] = p.constants;
    let mapped = margin_of(
        &p.constants[MARGIN_AT..][..MARGIN_CONSTANTS],
        p.theta[0],
        positive.one_minus_cos,
        positive.one_plus_cos,
    );
    let (factor, norm_slope) = if by_norm == R::ZERO {
        (scale, R::ZERO)
    } else {
        (scale * positive.query_norm, scale * mapped.value)
    };
    Target {
        value: factor * mapped.value,
        slope: factor * mapped.slope,
        norm_slope,
        row_constant: R::ZERO,
    }
}

/// The columns of `margin_softmax.wgsl`.
#[inline(always)]
pub(crate) fn softmax_pair<R: Real>(entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
    let [scale, _, filter, ..] = p.constants;
    let scale = if entry.score <= filter {
        scale
    } else {
        R::ZERO
    };
    Pair {
        value: entry.score * scale,
        score_slope: scale,
        target_slope: R::ZERO,
    }
}

/// The row function of every softmax with the target out of the sum.
#[inline(always)]
pub(crate) fn softmax_row<R: Real>(row: Row<R>) -> RowLoss<R> {
    let gap = row.sum - row.target - row.positive_offset;
    let share = gap.sigmoid();
    RowLoss {
        value: gap.softplus(),
        sum_slope: share,
        target_slope: -share,
    }
}
