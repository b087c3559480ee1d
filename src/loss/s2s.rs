//! The sample-to-sample losses that UniTSFace compares USS with.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, PositiveScore, Row, RowLoss,
    RowReduction, Score, Spec, Target,
    domain::{finite, positive},
    unified::{self, Unified},
};
use crate::{Batch, Engine, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// The naive sample-to-sample loss: `ℓ = −γ c_y + mean_{j≠y} γ c_j`, unbounded below. Candidates are
/// the stored samples of the identities, and normally frozen.
///
/// The softmax of the same paper, soft and soft-m, is [`NormFace`](super::NormFace) and
/// [`CosFace`](super::CosFace) on those candidates. A row without columns has a mean of 0.
///
/// Domain: γ > 0. Source: Li et al., "UniTSFace: unified threshold integrated sample-to-sample loss"
/// (NeurIPS 2023), eq. 5.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S2sNaive {
    /// Scale γ.
    pub scale: f64,
}

impl Default for S2sNaive {
    fn default() -> Self {
        S2sNaive { scale: 64.0 }
    }
}

impl Described for S2sNaive {
    const ABOUT: About = About {
        title: "naive sample-to-sample loss",
        formula: "mean_{j≠y} γ c_j − γ c_y",
        parameters: &[Parameter::SCALE],
        source: "Li et al., UniTSFace: unified threshold integrated sample-to-sample loss for face recognition (NeurIPS 2023)",
    };
}

impl Loss for S2sNaive {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            ..Spec::log_sum_exp("s2s_naive", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![self.scale]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("s2s_naive", "scale", self.scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/s2s_naive.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let scale = p.constants[0];
        Pair {
            value: scale * entry.score,
            score_slope: scale,
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let scale = p.constants[0];
        let share = R::ONE / row.count.max(R::ONE);
        RowLoss {
            value: share * row.sum - scale * row.target,
            sum_slope: share,
            target_slope: -scale,
        }
    }
}

/// The sample-to-sample cross-entropy with a threshold per identity:
/// `ℓ = softplus(b_y − γ(c_y − m)) + Σ_{j≠y} softplus(γ c_j − b_j)` in nats. The thresholds are the
/// batch's column parameters ([`Batch::column_parameters`](crate::Batch::column_parameters)), with
/// gradients. Candidates are the stored samples of the identities, and normally frozen. With m = 0 it is
/// the paper's bce, with another bce-m.
///
/// The official code begins every threshold with [`S2sBce::initial_threshold`], sets them so again only
/// while their mean is 0 or below, and has `clamp`, as in [`Uss`](super::Uss).
///
/// Domain: γ > 0, m finite. Source: Li et al., "UniTSFace: unified threshold integrated
/// sample-to-sample loss" (NeurIPS 2023), eq. 17.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S2sBce {
    /// Scale γ.
    pub scale: f64,
    /// Margin m on the positive cosine.
    pub margin: f64,
    /// Whether exponents are clipped to [−γ, γ].
    pub clamp: bool,
}

impl Default for S2sBce {
    fn default() -> Self {
        S2sBce {
            scale: 64.0,
            margin: 0.1,
            clamp: false,
        }
    }
}

impl S2sBce {
    /// The one threshold that official training gives all identities at first: as
    /// [`Uss::initial_bias`](super::Uss::initial_bias).
    ///
    /// # Errors
    /// As there.
    pub fn initial_threshold(&self, engine: &Engine, batch: &Batch<'_>) -> Result<f64> {
        unified::mean_log_sum("s2s_bce", self.scale, engine, batch)
    }
}

impl Described for S2sBce {
    const ABOUT: About = About {
        title: "sample-to-sample cross-entropy, a threshold per identity",
        formula: "softplus(b_y − γ(c_y − m)) + Σ_{j≠y} softplus(γ c_j − b_j)",
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
}

impl Loss for S2sBce {
    fn spec(&self) -> Spec {
        Spec {
            column_parameters: true,
            ..unified::spec("s2s_bce")
        }
    }

    fn constants(&self) -> Vec<f64> {
        let unified = Unified {
            scale: self.scale,
            margin: self.margin,
            clamp: self.clamp,
            neg_weight: 1.0,
            on_angle: None,
        };
        unified.constants()
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("s2s_bce", "scale", self.scale)?;
        finite("s2s_bce", "margin", self.margin)
    }

    fn wgsl(&self) -> &'static str {
        unified::WGSL
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        unified::target(positive, p)
    }

    #[inline(always)]
    fn target_column<R: Real>(&self, _positive: PositiveScore<R>, _p: &Parameters<R>) -> R {
        -R::ONE
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        unified::pair(entry, p)
    }

    #[inline(always)]
    fn pair_column<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> R {
        unified::pair_threshold(entry, p)
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        unified::row(row, p)
    }
}
