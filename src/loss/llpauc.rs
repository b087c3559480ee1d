//! Lower-left partial AUC (LLPAUC).

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Row, RowLoss, RowReduction, Scalar,
    Score, Spec,
    bce::column_weight,
    domain::{mean_alone, share},
    positive,
};
use crate::{Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// κ of the smooth hinge.
const KAPPA: f64 = 5.0;

/// Places of the scalars in θ.
const A: usize = 0;
const B: usize = 1;
const S_POS: usize = 2;
const S_NEG: usize = 3;
const GAMMA: usize = 4;
const THETA_A: usize = 5;
const THETA_B: usize = 6;

/// How the seven scalars of LLPAUC move in training: rates and bounds. The value is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LlpaucRule {
    /// IR-Benchmark: all descend, although the problem is a maximum over s⁺ and γ; θ is unbounded.
    IrBenchmark,
    /// The authors' code (swt-user/LLPAUC): s⁺ and γ ascend, θ ≥ 0.
    Authors,
}

/// Lower-left partial AUC, as the authors made it differentiable. With `P = σ(s⁺)`, `Q_j = σ(s_j)` and
/// the smooth hinge r(x) = softplus(κx)/κ, κ = 5,
///
/// ```text
/// x⁺  = −(P − a)² + 2(1 + γ)P − s_pos
/// x_j =  (Q_j − b)² + 2(1 + γ)Q_j − s_neg
/// ℓ   = −r(x⁺)/α + mean_j r(x_j)/β − s_pos + s_neg − γ² + θ_a(a + γ) + θ_b(γ + 1 − b)
/// ```
///
/// The value exists for the batch: it is the mean of ℓ over rows, with reduction `mean` and no
/// weights. The means over columns are each row's own, which is the official mean over all
/// entries where rows have equally many. Not in nats: there is no logarithm. A row whose columns
/// are all masked keeps the other terms.
///
/// θ = (a, b, `s_pos`, `s_neg`, γ, `θ_a`, `θ_b`) is learnt beside the embeddings; `rule` says how:
///
/// | | rates (of the learning rate) | bounds |
/// |---|---|---|
/// | `ir_benchmark` | 1, 1, 2, 2, 2, 1, 1 | a, b ∈ \[0, 1\], `s_pos` ∈ \[−1, 4\], `s_neg` ∈ \[0, 5\], γ ∈ \[max(−a, b − 1), 1\] |
/// | `authors` | 1, 1, −2, 2, −2, 1, 1 | the same, but γ ∈ \[−1, 1\] and `θ_a`, `θ_b` ∈ \[0, 10⁹\] |
///
/// Domain: 0 < α ≤ 1 (true-positive side), 0 < β ≤ 1 (false-positive side). Official code takes inner
/// products (`score: cosine` is IR-Benchmark's `--norm`), initial embeddings of deviation 0.01, and Adam
/// with the same weight decay on the scalars.
/// Source: Shi et al., "Lower-left partial AUC: an effective and efficient optimization metric for
/// recommendation" (WWW 2024). The paper's form weighs `s_pos` and `s_neg` by α and β and γ² by w + 1; both
/// codes divide the hinges instead and take w = 0, and so does this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Llpauc {
    /// α, the largest true-positive rate.
    pub alpha: f64,
    /// β, the largest false-positive rate.
    pub beta: f64,
    /// How the scalars move in training.
    pub rule: LlpaucRule,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for Llpauc {
    fn default() -> Self {
        Llpauc {
            alpha: 0.7,
            beta: 0.1,
            rule: LlpaucRule::IrBenchmark,
            score: Score::Dot,
            score_scale: 1.0,
        }
    }
}

/// r(x) = softplus(κx)/κ and its slope.
#[inline(always)]
fn hinge<R: Real>(x: R, kappa: R) -> (R, R) {
    let scaled = kappa * x;
    (scaled.softplus() / kappa, scaled.sigmoid())
}

/// 2(1 + γ).
#[inline(always)]
fn lift<R: Real>(p: &Parameters<R>) -> R {
    let one = R::ONE + p.theta[GAMMA];
    one + one
}

/// Of a column: Q − b, r(x) and its slope by x, and Q.
#[inline(always)]
fn column<R: Real>(score: R, p: &Parameters<R>) -> (R, R, R, R) {
    let share = score.sigmoid();
    let off = share - p.theta[B];
    let (value, slope) = hinge(off * off + lift(p) * share - p.theta[S_NEG], p.constants[0]);
    (off, value, slope, share)
}

/// Of a positive: P − a, r(x⁺) and its slope by x⁺, and P.
#[inline(always)]
fn own<R: Real>(target: R, p: &Parameters<R>) -> (R, R, R, R) {
    let share = target.sigmoid();
    let off = share - p.theta[A];
    let (value, slope) = hinge(lift(p) * share - off * off - p.theta[S_POS], p.constants[0]);
    (off, value, slope, share)
}

impl Described for Llpauc {
    const ABOUT: About = About {
        title: "lower-left partial AUC",
        formula: "−r(x⁺)/α + mean_j r(x_j)/β + terms of seven learnt scalars",
        parameters: &[
            Parameter {
                name: "alpha",
                domain: "> 0, ≤ 1",
                meaning: "largest true-positive rate",
            },
            Parameter {
                name: "beta",
                domain: "> 0, ≤ 1",
                meaning: "largest false-positive rate",
            },
            Parameter {
                name: "rule",
                domain: "ir_benchmark, authors",
                meaning: "how the seven scalars move in training",
            },
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Shi et al., Lower-left partial AUC: an effective and efficient optimization metric for recommendation (WWW 2024)",
    };

    fn variants() -> Vec<Self> {
        let authors = Llpauc {
            alpha: 0.3,
            beta: 0.01,
            rule: LlpaucRule::Authors,
            score: Score::Cosine,
            ..Llpauc::default()
        };
        vec![Llpauc::default(), authors]
    }
}

impl Loss for Llpauc {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            thetas: 7,
            ..Spec::log_sum_exp("llpauc", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        let authors = f64::from(u8::from(self.rule == LlpaucRule::Authors));
        vec![KAPPA, 1.0 / self.alpha, 1.0 / self.beta, authors]
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        share("llpauc", "alpha", self.alpha)?;
        share("llpauc", "beta", self.beta)?;
        positive("llpauc", "score_scale", self.score_scale)?;
        mean_alone("llpauc", shape)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/llpauc.wgsl")
    }

    fn scalars(&self) -> Vec<Scalar> {
        let up = match self.rule {
            LlpaucRule::IrBenchmark => 2.0,
            LlpaucRule::Authors => -2.0,
        };
        [
            ("a", 1.0, 1.0),
            ("b", 0.0, 1.0),
            ("s_pos", 0.5, up),
            ("s_neg", 0.5, 2.0),
            ("gamma", 0.0, up),
            ("theta_a", 0.5, 1.0),
            ("theta_b", 0.5, 1.0),
        ]
        .map(|(name, initial, rate)| Scalar {
            name,
            initial,
            rate,
        })
        .into()
    }

    fn theta_bounds<R: Real>(&self, k: usize, p: &Parameters<R>) -> [R; 2] {
        let authors = p.constants[3] != R::ZERO;
        let numbers = |low: f64, high: f64| [low, high].map(R::from_f64);
        match k {
            A | B => numbers(0.0, 1.0),
            S_POS => numbers(-1.0, 4.0),
            S_NEG => numbers(0.0, 5.0),
            GAMMA if authors => numbers(-1.0, 1.0),
            GAMMA => [(-p.theta[A]).max(p.theta[B] - R::ONE), R::ONE],
            _ if authors => numbers(0.0, 1e9),
            _ => numbers(-1e30, 1e30),
        }
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let (off, value, slope, share) = column(entry.score, p);
        let by_share = off + off + lift(p);
        Pair {
            value,
            score_slope: slope * by_share * (share * (-entry.score).sigmoid()),
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn pair_theta<R: Real>(&self, k: usize, entry: Entry<R>, p: &Parameters<R>) -> R {
        // The others have no part in z: nothing is to be computed for them.
        if !matches!(k, B | S_NEG | GAMMA) {
            return R::ZERO;
        }
        let (off, _, slope, share) = column(entry.score, p);
        // Selected, not branched to: k is the same for a whole run of columns.
        let by_gap = if k == B {
            -(off + off)
        } else if k == S_NEG {
            -R::ONE
        } else {
            share + share
        };
        slope * by_gap
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let [_, inverse_alpha, inverse_beta, ..] = p.constants;
        let [a, b, s_pos, s_neg, gamma, theta_a, theta_b, ..] = p.theta;
        let (off, value, slope, share) = own(row.target, p);
        let weight = column_weight(inverse_beta, row.count, R::ONE);
        let free =
            s_neg - s_pos - gamma * gamma + theta_a * (a + gamma) + theta_b * (gamma + R::ONE - b);
        let by_share = lift(p) - (off + off);
        RowLoss {
            value: weight * row.sum - inverse_alpha * value + free,
            sum_slope: weight,
            target_slope: -(inverse_alpha * slope * by_share * (share * (-row.target).sigmoid())),
        }
    }

    #[inline(always)]
    fn row_theta<R: Real>(&self, k: usize, row: Row<R>, p: &Parameters<R>) -> R {
        let inverse_alpha = p.constants[1];
        let [a, b, _, _, gamma, theta_a, theta_b, ..] = p.theta;
        let (off, _, slope, share) = own(row.target, p);
        match k {
            A => theta_a - inverse_alpha * slope * (off + off),
            B => -theta_b,
            S_POS => inverse_alpha * slope - R::ONE,
            S_NEG => R::ONE,
            GAMMA => theta_a + theta_b - (gamma + gamma) - inverse_alpha * slope * (share + share),
            THETA_A => a + gamma,
            THETA_B => gamma + R::ONE - b,
            _ => R::ZERO,
        }
    }
}
