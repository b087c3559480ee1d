//! USS of UniTSFace: sample-to-sample sigmoid loss with one learnable threshold.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, PositiveScore, Row, RowLoss,
    Scalar, Spec, Target,
    domain::{finite, positive},
    unified::{self, Unified},
};
use crate::{Batch, Engine, Error, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// USS: `ℓ = softplus(−γ(c_y − m) + b) + Σ_{j≠y} softplus(γ c_j − b)` in nats; θ₀ = b, the
/// learnable threshold: samples are taken for the same identity from cosine b/γ on. Candidates are the
/// stored samples of the identities, and normally frozen
/// ([`Want::candidates`](crate::Want::candidates)).
///
/// The official code does not begin b at 0 but at [`Uss::initial_bias`] of its first batch, and sets it
/// so again whenever it is 0 or below; and it has `clamp`: softplus(x) becomes
/// `ln(1 + e^{clip(x, −γ, γ)})` with slope 0 outside, so that positives with a cosine below
/// `m − 1 + b/γ` have no gradient.
///
/// Domain: γ > 0, m finite.
/// Source: Li et al., "UniTSFace: unified threshold integrated sample-to-sample loss"
/// (NeurIPS 2023), eq. 22.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Uss {
    /// Scale γ.
    pub scale: f64,
    /// Margin m on the positive cosine.
    pub margin: f64,
    /// Whether exponents are clipped to [−γ, γ].
    pub clamp: bool,
}

impl Default for Uss {
    fn default() -> Self {
        Uss {
            scale: 64.0,
            margin: 0.1,
            clamp: false,
        }
    }
}

impl Uss {
    /// The threshold that official training begins with: the mean over the batch's rows of
    /// `LSE_{j≠y} γ c_j`, in nats, by one forward evaluation. θ and other numbers of the batch are not
    /// read.
    ///
    /// # Errors
    /// No row has a column, or as [`Engine::evaluate`].
    pub fn initial_bias(&self, engine: &Engine, batch: &Batch<'_>) -> Result<f64> {
        unified::mean_log_sum("uss", self.scale, engine, batch)
    }

    /// The threshold at which ∂ℓ/∂b is 0 for perfectly separated samples of `classes` identities,
    /// positives at cosine 1 and the others at −1, without a margin:
    /// `b = ln(½((C − 2)e^{−γ} + √((C − 2)²e^{−2γ} + 4(C − 1))))`, as the paper has it.
    ///
    /// # Errors
    /// Fewer than two classes, or γ outside its domain.
    pub fn stationary_bias(&self, classes: usize) -> Result<f64> {
        positive("uss", "scale", self.scale)?;
        if classes < 2 {
            return Err(Error::Shape {
                argument: "classes",
                expected: "at least 2".into(),
                actual: classes.to_string(),
            });
        }
        let others = classes as f64 - 1.0;
        let half = 0.5 * (others - 1.0) * (-self.scale).exp();
        Ok((half + (half * half + others).sqrt()).ln())
    }

    fn unified(&self) -> Unified {
        Unified {
            scale: self.scale,
            margin: self.margin,
            clamp: self.clamp,
            neg_weight: 1.0,
            on_angle: None,
        }
    }
}

impl Described for Uss {
    const ABOUT: About = About {
        title: "USS of UniTSFace, sample to sample",
        formula: "softplus(b − γ(c_y − m)) + Σ_{j≠y} softplus(γ c_j − b)",
        parameters: &[
            Parameter::SCALE,
            Parameter {
                name: "margin",
                domain: "finite",
                meaning: "m, on the positive cosine",
            },
            Parameter::CLAMP,
        ],
        source: "Li et al., UniTSFace: unified threshold integrated sample-to-sample loss for face recognition (NeurIPS 2023)",
    };

    fn variants() -> Vec<Self> {
        let clamped = Uss {
            clamp: true,
            ..Uss::default()
        };
        vec![Uss::default(), clamped]
    }
}

impl Loss for Uss {
    fn spec(&self) -> Spec {
        Spec {
            thetas: 1,
            ..unified::spec("uss")
        }
    }

    fn constants(&self) -> Vec<f64> {
        self.unified().constants()
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("uss", "scale", self.scale)?;
        finite("uss", "margin", self.margin)
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
}
