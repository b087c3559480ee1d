//! USS of UniTSFace: sample-to-sample sigmoid loss with one learnable threshold.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Row, RowLoss, RowReduction, Score,
    Spec, positive,
};
use crate::{Error, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// USS: `ℓ = softplus(−γ(c_y − m) + b) + Σ_{j≠y} softplus(γ c_j − b)` in nats; θ₀ = b, the
/// learnable threshold. Candidates are the stored samples and normally frozen.
///
/// With `clamp`, softplus(x) becomes `ln(1 + e^{clip(x, −γ, γ)})` with slope 0 outside, as the
/// official code has it. Domain: γ > 0, m finite.
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

/// `(softplus(x), slope)`, clipped to ±limit.
#[inline(always)]
fn clipped<R: Real>(x: R, limit: R) -> (R, R) {
    let inside = x.abs() <= limit;
    let clip = x.max(-limit).min(limit);
    (
        clip.softplus(),
        if inside { clip.sigmoid() } else { R::ZERO },
    )
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
            Parameter {
                name: "clamp",
                domain: "true, false",
                meaning: "whether exponents are clipped to ±scale",
            },
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
            reduction: RowReduction::Sum,
            thetas: 1,
            ..Spec::log_sum_exp("uss", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        // A limit that no exponent reaches stands for no clamp.
        let limit = if self.clamp { self.scale } else { 1e30 };
        vec![self.scale, self.margin, limit]
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        positive("uss", "scale", self.scale)?;
        if !self.margin.is_finite() {
            return Err(Error::Domain {
                loss: "uss",
                parameter: "margin",
                value: self.margin.to_string(),
                domain: "expected a finite number".into(),
            });
        }
        if shape.log_q {
            return Err(Error::Unsupported(
                "uss: log_q is for log-sum losses only".into(),
            ));
        }
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/uss.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let [scale, _, limit, ..] = p.constants;
        let (value, slope) = clipped(scale * entry.score - p.theta[0], limit);
        Pair {
            value,
            score_slope: scale * slope,
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn pair_theta<R: Real>(&self, _k: usize, entry: Entry<R>, p: &Parameters<R>) -> R {
        let [scale, _, limit, ..] = p.constants;
        -clipped(scale * entry.score - p.theta[0], limit).1
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let [scale, margin, limit, ..] = p.constants;
        let (value, slope) = clipped(p.theta[0] - scale * (row.target - margin), limit);
        RowLoss {
            value: row.sum + value,
            sum_slope: R::ONE,
            target_slope: -(scale * slope),
        }
    }

    #[inline(always)]
    fn row_theta<R: Real>(&self, _k: usize, row: Row<R>, p: &Parameters<R>) -> R {
        let [scale, margin, limit, ..] = p.constants;
        clipped(p.theta[0] - scale * (row.target - margin), limit).1
    }
}
