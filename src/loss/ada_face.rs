//! AdaFace: a margin that adapts to the feature's norm.

use super::{
    About, BatchStatistics, Described, Entry, Held, Loss, Pair, Parameter, Parameters,
    PositiveScore, Row, RowLoss, Scalar, Score, Spec, Target, TargetForm,
    angular::{norm, softmax_row},
    domain, positive,
};
use crate::{Batch, Output, Real, Result, Shape, shape::MAX_THETA};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// AdaFace: `ℓ = softplus(LSE_{j≠y}(s·cos θ_j) − s·(cos(clip(θ_y + g, ε, π − ε)) − a))` in nats, with
/// `n̂ = clip(h·(‖x‖ − μ)/(σ + ε), −1, 1)`, `g = −m·n̂`, `a = m + m·n̂`, ε = 10⁻³, norms clipped to
/// [10⁻³, 100]: ArcFace for short features, CosFace for average ones. μ and σ are moving averages
/// of mean and (unbiased) deviation of norms over batches, θ₀ and θ₁: every evaluation renews
/// them before it uses them ([`Output::theta_after`](crate::Output::theta_after)); a batch of one keeps
/// σ. Norms are constants to the gradients. m in radians.
///
/// Matches mk-minchul/AdaFace, whose gradient is exact and whose configuration has γ = 0.01; its class's
/// own default is 1. Domain: s > 0, 0 ≤ m < π, h > 0, 0 < γ ≤ 1. Source: Kim et al., "AdaFace: quality
/// adaptive margin for face recognition" (CVPR 2022), eq. 11 to 15.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaFace {
    /// Scale s.
    pub scale: f64,
    /// Margin m, radians.
    pub margin: f64,
    /// h, how wide norms spread.
    pub concentration: f64,
    /// γ, weight of a batch in the moving averages.
    pub gamma: f64,
}

impl Default for AdaFace {
    fn default() -> Self {
        AdaFace {
            scale: 64.0,
            margin: 0.4,
            concentration: 0.333,
            gamma: 0.01,
        }
    }
}

/// ε of the paper.
const EDGE: f64 = 1e-3;
/// Norms are clipped to these.
const NORMS: [f64; 2] = [1e-3, 100.0];

impl Described for AdaFace {
    const ABOUT: About = About {
        title: "AdaFace, margin by feature norm",
        formula: "softplus(LSE_{j≠y}(s·cos θ_j) − s·(cos(θ_y − m·n̂) − m − m·n̂)), n̂ = clip(h(‖x‖ − μ)/σ, −1, 1)",
        parameters: &[
            Parameter::SCALE,
            Parameter {
                name: "margin",
                domain: "0 ≤ margin < π",
                meaning: "m, radians",
            },
            Parameter {
                name: "concentration",
                domain: "> 0",
                meaning: "h, how wide norms spread",
            },
            Parameter::GAMMA,
        ],
        source: "Kim et al., AdaFace: quality adaptive margin for face recognition (CVPR 2022)",
    };

    fn variants() -> Vec<Self> {
        let quick = AdaFace {
            gamma: 0.75,
            ..AdaFace::default()
        };
        vec![AdaFace::default(), quick]
    }
}

/// The target of a feature that is n̂ deviations from the mean.
#[inline(always)]
fn target_of<R: Real>(positive: PositiveScore<R>, share: R, p: &Parameters<R>) -> Target<R> {
    let [scale, m, ..] = p.constants;
    let half = (positive.one_minus_cos.sqrt()).atan2(positive.one_plus_cos.sqrt());
    let turned = half + half - m * share;
    let (least, most) = (R::from_f64(EDGE), R::from_f64(PI - EDGE));
    let within = turned.max(least).min(most);
    let slope = if turned == within {
        -turned.sin()
    } else {
        R::ZERO
    };
    Target {
        value: scale * (within.cos() - (m + m * share)),
        slope: scale * slope,
        norm_slope: R::ZERO,
        row_constant: R::ZERO,
    }
}

/// n̂ of a norm.
#[inline(always)]
fn share_of<R: Real>(norm: R, concentration: R, mean: R, deviation: R) -> R {
    let [least, most] = NORMS.map(R::from_f64);
    let norm = norm.max(least).min(most);
    let share = concentration * (norm - mean) / (deviation + R::from_f64(EDGE));
    share.max(-R::ONE).min(R::ONE)
}

impl Loss for AdaFace {
    fn spec(&self) -> Spec {
        Spec {
            target: TargetForm::Tangent,
            thetas: 2,
            theta_state: true,
            batch_statistics: true,
            ..Spec::log_sum_exp("ada_face", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![self.scale, self.margin, self.concentration, self.gamma]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("ada_face", "scale", self.scale)?;
        domain::angle("ada_face", "margin", self.margin)?;
        positive("ada_face", "concentration", self.concentration)?;
        domain::share("ada_face", "gamma", self.gamma)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/ada_face.wgsl")
    }

    fn scalars(&self) -> Vec<Scalar> {
        let state = |name, initial| Scalar {
            name,
            initial,
            rate: 0.0,
        };
        vec![state("norm_mean", 20.0), state("norm_deviation", 100.0)]
    }

    fn batch_value<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> R {
        let [least, most] = NORMS.map(R::from_f64);
        positive.query_norm.max(least).min(most)
    }

    fn theta_state<R: Real>(&self, seen: BatchStatistics<R>, p: &Parameters<R>) -> [R; MAX_THETA] {
        let weight = p.constants[3];
        let mut theta = p.theta;
        let deviation = if seen.count > R::ONE {
            (seen.variance * seen.count / (seen.count - R::ONE)).sqrt()
        } else {
            theta[1]
        };
        for (state, seen) in theta.iter_mut().zip([seen.mean, deviation]) {
            *state += weight * (seen - *state);
        }
        theta
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        let [mean, deviation, ..] = p.theta;
        let share = share_of(positive.query_norm, p.constants[2], mean, deviation);
        target_of(positive, share, p)
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: entry.score * p.constants[0],
            score_slope: p.constants[0],
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        softmax_row(row)
    }

    fn held(&self, batch: &Batch<'_>, output: &Output<f64>) -> Option<Held> {
        let theta = output.theta_after.as_ref()?;
        let share = |row| share_of(norm(batch, row), self.concentration, theta[0], theta[1]);
        let shares = (0..batch.n_rows()).map(share).collect();
        Some(Held::rows(HeldAdaFace(self.clone()), shares))
    }
}

/// AdaFace with n̂ a row parameter.
#[derive(Clone, Debug)]
struct HeldAdaFace(AdaFace);

impl Loss for HeldAdaFace {
    fn spec(&self) -> Spec {
        Spec {
            thetas: 0,
            theta_state: false,
            batch_statistics: false,
            row_parameters: 1,
            ..self.0.spec()
        }
    }

    fn constants(&self) -> Vec<f64> {
        self.0.constants()
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        ""
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        target_of(positive, positive.row[0], p)
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        self.0.pair(entry, p)
    }

    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        self.0.row(row, p)
    }
}
