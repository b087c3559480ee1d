//! Pairwise softmax loss (PSL): the softmax loss with another surrogate in place of exp.

use super::{
    About, Described, Entry, Loss, Outer, Pair, Parameter, Parameters, Row, RowLoss, Score, Spec,
    positive,
};
use crate::{Error, Real, Result, Shape, shape::ReductionKind};
use serde::{Deserialize, Serialize};

/// The surrogate σ of PSL; `log σ` and its slope are evaluated in closed, stable form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `1 + tanh d`, as `ln 2 − softplus(−2d)`.
    Tanh,
    /// `1 + arctan d`; needs d > −tan 1.
    Atan,
    /// `max(0, 1 + d)`; columns with d ≤ −1 are dead: weight 0.
    Relu,
    /// `1 + e^d`.
    Softplus,
    /// `e^d`: SL at temperature τ/`score_scale`.
    Exp,
}

/// Pairwise softmax loss: `ℓ = log Σ_j σ(d_j)^{1/τ}`, `d_j = s_j − s⁺`, in nats.
///
/// Scores carry `score_scale` (default ½, so that d ∈ [−1, 1] on cosines); τ is the published τ
/// (`tau_star` of IR-Benchmark, whose `tau` is 1/`score_scale`).
///
/// Method 1 is the paper's. Method 2 has one value per batch,
/// `log mean_{b,j} σ(d_bj)^{1/τ}`, and takes the mean alone; its row losses are the rows' log-sums.
/// With `positive_in_sum` the positive adds `σ(0)^{1/τ}` (the paper's sum over all items).
///
/// Domain: τ > 0. atan: cosine with 2·`score_scale` < tan 1 ≈ 1.557, dot is refused.
/// A row whose columns are all dead (relu) has loss 0 and gradient 0 and is counted.
/// Source: Yang et al., "PSL: rethinking and improving softmax loss from pairwise perspective for
/// recommendation" (NeurIPS 2024), eq. 3.1 and appendix C.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Psl {
    /// The surrogate.
    pub activation: Activation,
    /// Temperature τ.
    pub tau: f64,
    /// 1: per row; 2: one value per batch.
    pub method: u8,
    /// Whether the positive joins the sum.
    pub positive_in_sum: bool,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for Psl {
    fn default() -> Self {
        Psl {
            activation: Activation::Tanh,
            tau: 0.1,
            method: 1,
            positive_in_sum: false,
            score: Score::Cosine,
            score_scale: 0.5,
        }
    }
}

impl Psl {
    /// PSL on cosines with the given surrogate and temperature.
    #[must_use]
    pub fn new(activation: Activation, tau: f64) -> Self {
        Psl {
            activation,
            tau,
            ..Psl::default()
        }
    }

    fn domain(&self, parameter: &'static str, value: impl ToString, domain: &str) -> Result<()> {
        Err(Error::Domain {
            loss: "psl",
            parameter,
            value: value.to_string(),
            domain: domain.into(),
        })
    }

    /// `log σ(d)` and its slope.
    #[inline(always)]
    fn log_activation<R: Real>(&self, d: R) -> (R, R) {
        let two = R::from_f64(2.0);
        match self.activation {
            Activation::Tanh => {
                let x = -(two * d);
                (
                    R::from_f64(std::f64::consts::LN_2) - x.softplus(),
                    two * x.sigmoid(),
                )
            }
            Activation::Atan => {
                let a = d.atan();
                (a.ln_1p(), R::ONE / ((R::ONE + d * d) * (R::ONE + a)))
            }
            Activation::Relu => {
                let dead = d <= -R::ONE;
                let live = if dead { R::ZERO } else { d };
                let value = live.ln_1p();
                (
                    if dead { R::NEG_INFINITY } else { value },
                    if dead {
                        R::ZERO
                    } else {
                        R::ONE / (R::ONE + live)
                    },
                )
            }
            Activation::Softplus => (d.softplus(), d.sigmoid()),
            Activation::Exp => (d, R::ONE),
        }
    }
}

impl Described for Psl {
    const ABOUT: About = About {
        title: "pairwise softmax loss",
        formula: "log Σ_j σ(s_j − s⁺)^{1/τ}",
        parameters: &[
            Parameter {
                name: "activation",
                domain: "tanh, atan, relu, softplus, exp",
                meaning: "the surrogate σ; atan: cosine with 2·score_scale < tan 1",
            },
            Parameter::TAU,
            Parameter {
                name: "method",
                domain: "1, 2",
                meaning: "1: per row; 2: one value per batch, mean alone",
            },
            Parameter {
                name: "positive_in_sum",
                domain: "true, false",
                meaning: "whether the positive joins the sum",
            },
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Yang et al., PSL: rethinking and improving softmax loss from pairwise perspective for recommendation (NeurIPS 2024)",
    };

    fn variants() -> Vec<Self> {
        use Activation::{Atan, Exp, Relu, Softplus, Tanh};
        let mut all: Vec<Psl> = [Tanh, Atan, Relu, Softplus, Exp]
            .map(|activation| Psl::new(activation, 0.1))
            .into();
        all.push(Psl {
            method: 2,
            ..Psl::default()
        });
        all.push(Psl {
            positive_in_sum: true,
            ..Psl::new(Softplus, 0.1)
        });
        all
    }
}

impl Loss for Psl {
    fn spec(&self) -> Spec {
        Spec {
            separable: false,
            outer: if self.method == 2 {
                Outer::LogMeanExp
            } else {
                Outer::Rows
            },
            ..Spec::log_sum_exp("psl", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        let log_sigma_0 = if self.activation == Activation::Softplus {
            std::f64::consts::LN_2
        } else {
            0.0
        };
        vec![
            1.0 / self.tau,
            f64::from(u8::from(self.positive_in_sum)),
            log_sigma_0 / self.tau,
        ]
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        positive("psl", "tau", self.tau)?;
        positive("psl", "score_scale", self.score_scale)?;
        match self.method {
            1 => {}
            2 if shape.reduction != ReductionKind::Mean || shape.weights => {
                return Err(Error::Unsupported(
                    "psl: method 2 has one value per batch: it takes reduction `mean` and no weights"
                        .into(),
                ));
            }
            2 if self.positive_in_sum => {
                return self.domain(
                    "positive_in_sum",
                    true,
                    "method 2 keeps the positive outside",
                );
            }
            2 => {}
            _ => return self.domain("method", self.method, "expected 1 or 2"),
        }
        if self.activation == Activation::Atan {
            if self.score != Score::Cosine {
                return self.domain(
                    "score",
                    "dot",
                    "activation atan needs cosine scores: 1 + arctan d must stay positive",
                );
            }
            if 2.0 * self.score_scale >= 1.0_f64.tan() {
                return self.domain(
                    "score_scale",
                    self.score_scale,
                    "activation atan needs 2·score_scale < tan 1 = 1.5574",
                );
            }
        }
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        match self.activation {
            Activation::Tanh => concat!(
                include_str!("../../shaders/losses/psl.wgsl"),
                include_str!("../../shaders/losses/psl_tanh.wgsl")
            ),
            Activation::Atan => concat!(
                include_str!("../../shaders/losses/psl.wgsl"),
                include_str!("../../shaders/losses/psl_atan.wgsl")
            ),
            Activation::Relu => concat!(
                include_str!("../../shaders/losses/psl.wgsl"),
                include_str!("../../shaders/losses/psl_relu.wgsl")
            ),
            Activation::Softplus => concat!(
                include_str!("../../shaders/losses/psl.wgsl"),
                include_str!("../../shaders/losses/psl_softplus.wgsl")
            ),
            Activation::Exp => concat!(
                include_str!("../../shaders/losses/psl.wgsl"),
                include_str!("../../shaders/losses/psl_exp.wgsl")
            ),
        }
    }

    #[inline(always)]
    fn specialized<T>(&self, work: impl FnOnce(&Self) -> T) -> T {
        let with = |activation| Psl {
            activation,
            ..self.clone()
        };
        match self.activation {
            Activation::Tanh => work(&with(Activation::Tanh)),
            Activation::Atan => work(&with(Activation::Atan)),
            Activation::Relu => work(&with(Activation::Relu)),
            Activation::Softplus => work(&with(Activation::Softplus)),
            Activation::Exp => work(&with(Activation::Exp)),
        }
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let inverse_tau = p.constants[0];
        let (value, slope) = self.log_activation(entry.score - entry.target);
        let slope = slope * inverse_tau;
        Pair {
            value: value * inverse_tau,
            score_slope: slope,
            target_slope: -slope,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        if p.constants[1] == R::ZERO {
            return RowLoss {
                value: row.sum,
                sum_slope: R::ONE,
                target_slope: R::ZERO,
            };
        }
        // The positive's own term does not move: its gap to itself is 0.
        let own = p.constants[2] + row.positive_offset;
        let gap = row.sum - own;
        RowLoss {
            value: own + gap.softplus() - row.positive_offset,
            sum_slope: gap.sigmoid(),
            target_slope: R::ZERO,
        }
    }
}
