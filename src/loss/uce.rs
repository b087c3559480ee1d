//! UCE: unified cross-entropy with one learnable threshold.

use super::{
    About, Described, Entry, Gradient, Held, Loss, Margin, Pair, Parameter, Parameters,
    PositiveScore, Row, RowLoss, Scalar, Spec, Target, TargetForm,
    domain::{finite, positive, share},
    unified::{self, Unified},
};
use crate::{Batch, Error, Output, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// What UCE's margin acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UceForm {
    /// The positive's cosine: T = cos θ − m, as published.
    #[default]
    Additive,
    /// Its angle: T = cos(π(θ/π)^m), the margin of [`ExpFace`](super::ExpFace).
    Exponential,
}

/// UCE: `ℓ = softplus(b − γ·T(θ_y)) + λ Σ_{j≠y} softplus(γ c_j − b)` in nats; θ₀ = b, the learnable
/// threshold; `T = c_y − m`, or in its exponential form ExpFace's. With m = 0 it is the paper's UCE,
/// with another UCE-m; with λ < 1, or on sampled classes
/// ([`Columns::Shared`](crate::Columns::Shared)), its balanced variants.
///
/// | code | form, gradient |
/// |---|---|
/// | the paper's | additive (no other gradient than the exact one), `clamp`, b from [`Uce::initial_bias`] |
/// | ExpFace's authors | exponential, detached, m = 0.69 ([`Uce::exponential`]) |
///
/// `clamp` as in [`Uss`](super::Uss). Domain: γ > 0, λ > 0; m finite in the additive form,
/// 0 < m ≤ 1 in the exponential one.
/// Source: Zhou et al., "`UniFace`: unified cross-entropy loss for deep face recognition" (ICCV 2023).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Uce {
    /// Scale γ.
    pub scale: f64,
    /// Margin m.
    pub margin: f64,
    /// Whether exponents are clipped to [−γ, γ].
    pub clamp: bool,
    /// λ, weight of the negatives.
    pub neg_weight: f64,
    /// What the margin acts on.
    pub form: UceForm,
    /// Gradient mode of the exponential form.
    pub gradient: Gradient,
}

impl Default for Uce {
    fn default() -> Self {
        Uce {
            scale: 64.0,
            margin: 0.4,
            clamp: false,
            neg_weight: 1.0,
            form: UceForm::Additive,
            gradient: Gradient::Exact,
        }
    }
}

impl Uce {
    /// The exponential form as ExpFace's authors train it: m = 0.69, detached.
    #[must_use]
    pub fn exponential() -> Self {
        Uce {
            margin: 0.69,
            form: UceForm::Exponential,
            gradient: Gradient::Detached,
            ..Uce::default()
        }
    }

    /// The threshold that official training begins with, `ln(10·r·C)` for C `classes` of which a
    /// share r is sampled (1 for all).
    ///
    /// # Errors
    /// No classes, or a rate outside (0, 1].
    pub fn initial_bias(classes: usize, rate: f64) -> Result<f64> {
        share("uce", "rate", rate)?;
        if classes == 0 {
            return Err(Error::Shape {
                argument: "classes",
                expected: "at least 1".into(),
                actual: "0".into(),
            });
        }
        Ok((10.0 * rate * classes as f64).ln())
    }

    fn unified(&self) -> Unified {
        let exponential = Margin::Exponential {
            m: Some(self.margin),
            break_even: false,
        };
        let on_angle = match self.form {
            UceForm::Additive => None,
            UceForm::Exponential => Some((exponential, self.gradient)),
        };
        Unified {
            scale: self.scale,
            margin: self.margin,
            clamp: self.clamp,
            neg_weight: self.neg_weight,
            on_angle,
        }
    }
}

impl Described for Uce {
    const ABOUT: About = About {
        title: "UCE of UniFace, unified cross-entropy",
        formula: "softplus(b − γ(c_y − m)) + λ Σ_{j≠y} softplus(γ c_j − b)",
        parameters: &[
            Parameter::SCALE,
            Parameter {
                name: "margin",
                domain: "finite; exponential: > 0, ≤ 1",
                meaning: "m, on the positive cosine, or the exponent on its angle",
            },
            Parameter::CLAMP,
            Parameter::NEG_WEIGHT,
            Parameter {
                name: "form",
                domain: "additive, exponential",
                meaning: "whether the margin is on the cosine or, as ExpFace's, on the angle",
            },
            Parameter::GRADIENT,
        ],
        source: "Zhou et al., UniFace: unified cross-entropy loss for deep face recognition (ICCV 2023)",
    };

    fn variants() -> Vec<Self> {
        let balanced = Uce {
            neg_weight: 0.7,
            clamp: true,
            ..Uce::default()
        };
        let exact = Uce {
            gradient: Gradient::Exact,
            ..Uce::exponential()
        };
        vec![Uce::default(), balanced, Uce::exponential(), exact]
    }
}

impl Loss for Uce {
    fn spec(&self) -> Spec {
        Spec {
            thetas: 1,
            target: match self.form {
                UceForm::Additive => TargetForm::Score,
                UceForm::Exponential => TargetForm::Tangent,
            },
            ..unified::spec("uce")
        }
    }

    fn constants(&self) -> Vec<f64> {
        self.unified().constants()
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("uce", "scale", self.scale)?;
        positive("uce", "neg_weight", self.neg_weight)?;
        match self.form {
            UceForm::Additive => finite("uce", "margin", self.margin),
            UceForm::Exponential => share("uce", "margin", self.margin),
        }
    }

    fn scalars(&self) -> Vec<Scalar> {
        vec![Scalar {
            name: "bias",
            initial: 0.0,
            rate: 1.0,
        }]
    }

    fn wgsl(&self) -> &'static str {
        unified::WGSL
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        unified::target(positive, p)
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        unified::pair(entry, p)
    }

    #[inline(always)]
    fn pair_theta<R: Real>(&self, _k: usize, entry: Entry<R>, p: &Parameters<R>) -> R {
        unified::pair_threshold(entry, p)
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        unified::row(row, p)
    }

    #[inline(always)]
    fn row_theta<R: Real>(&self, _k: usize, row: Row<R>, p: &Parameters<R>) -> R {
        unified::row_threshold(row, p)
    }

    fn held(&self, batch: &Batch<'_>, output: &Output<f64>) -> Option<Held> {
        let detached = self.form == UceForm::Exponential && self.gradient == Gradient::Detached;
        detached.then(|| unified::held(self, batch, output))
    }
}
