//! Bilateral softmax loss (BSL) in the forms that carry its name.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Pool, Row, RowLoss, Score, Spec,
    positive,
};
use crate::{Error, Real, Result, Shape, shape::ReductionKind};
use serde::{Deserialize, Serialize};

/// Which of the functions called BSL.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case", deny_unknown_fields)]
pub enum BslForm {
    /// IR-Benchmark: `−s⁺/τ1 + (τ2/τ1)·LSE_j(s_j/τ2)`; equals (τ2/τ1)·SL(τ2).
    IrBenchmark {
        /// τ1, the positive side.
        tau1: f64,
        /// τ2, the negative side.
        tau2: f64,
    },
    /// The authors' `reweight`: `−s⁺/t + k·LSE_j(s_j/t)`.
    Reweight {
        /// Temperature t.
        tau: f64,
        /// Exponent k on the negative sum.
        exponent: f64,
    },
    /// The authors' `single`: `−s⁺/t + LME_j(s_j/t)`; k is read and ignored, as there.
    Single {
        /// Temperature t.
        tau: f64,
        /// Ignored.
        #[serde(default = "one")]
        exponent: f64,
    },
    /// The authors' `multi`: `−LME_{g}(s⁺/t) + k·LME_j(s_j/t)`, g the batch's pairs of the same
    /// query. One value per batch: mean alone.
    Multi {
        /// Temperature t.
        tau: f64,
        /// Exponent k on the negative mean.
        exponent: f64,
    },
    /// As published, one loss per user: `−τ1·LME_{i∈P_u}(s_ui/τ1) + τ2·LME_j(s_uj/τ2)`. Each of
    /// a user's n pairs weighs 1/n, and the mean divides by the number of users in the batch.
    Published {
        /// τ1, the positive side.
        tau1: f64,
        /// τ2, the negative side.
        tau2: f64,
    },
}

fn one() -> f64 {
    1.0
}

/// Bilateral softmax loss, in nats. LSE is the log-sum-exp over the row's negatives, LME the
/// log-mean-exp (the count is that of the columns that are not masked).
///
/// Domain: every temperature > 0, exponents > 0 and finite.
/// Source: Wu et al., "BSL: understanding and improving softmax loss for recommendation"
/// (ICDE 2024); IR-Benchmark `optim_BSL`; the authors' `losses.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bsl {
    /// The form, with its parameters.
    #[serde(flatten)]
    pub form: BslForm,
    /// What embeddings are compared by.
    #[serde(default = "cosine")]
    pub score: Score,
    /// Factor on the score.
    #[serde(default = "one")]
    pub score_scale: f64,
}

fn cosine() -> Score {
    Score::Cosine
}

impl Default for Bsl {
    fn default() -> Self {
        Bsl::new(BslForm::IrBenchmark {
            tau1: 0.1,
            tau2: 0.1,
        })
    }
}

impl Bsl {
    /// BSL on cosines in the given form.
    #[must_use]
    pub fn new(form: BslForm) -> Self {
        Bsl {
            form,
            score: Score::Cosine,
            score_scale: 1.0,
        }
    }

    fn pool(&self) -> Pool {
        match self.form {
            BslForm::Multi { .. } => Pool::Query {
                per_group: false,
                sum: false,
            },
            BslForm::Published { .. } => Pool::Query {
                per_group: true,
                sum: false,
            },
            _ => Pool::Each,
        }
    }

    /// `[1/τ of the columns, factor on R, factor on t, 1 for a mean over columns, κ of the pool]`.
    fn coefficients(&self) -> [f64; 5] {
        match self.form {
            BslForm::IrBenchmark { tau1, tau2 } => [1.0 / tau2, tau2 / tau1, 1.0 / tau1, 0.0, 1.0],
            BslForm::Reweight { tau, exponent } => [1.0 / tau, exponent, 1.0 / tau, 0.0, 1.0],
            BslForm::Single { tau, .. } => [1.0 / tau, 1.0, 1.0 / tau, 1.0, 1.0],
            BslForm::Multi { tau, exponent } => [1.0 / tau, exponent, 1.0, 1.0, 1.0 / tau],
            BslForm::Published { tau1, tau2 } => [1.0 / tau2, tau2, tau1, 1.0, 1.0 / tau1],
        }
    }
}

impl Described for Bsl {
    const ABOUT: About = About {
        title: "bilateral softmax loss",
        formula: "ir_benchmark: −s⁺/τ1 + (τ2/τ1)·LSE_j(s_j/τ2)",
        parameters: &[
            Parameter {
                name: "form",
                domain: "ir_benchmark, reweight, single, multi, published",
                meaning: "which of the functions called BSL",
            },
            Parameter {
                name: "tau1",
                domain: "> 0",
                meaning: "positive side (ir_benchmark, published)",
            },
            Parameter {
                name: "tau2",
                domain: "> 0",
                meaning: "negative side (ir_benchmark, published)",
            },
            Parameter {
                name: "tau",
                domain: "> 0",
                meaning: "temperature (reweight, single, multi)",
            },
            Parameter {
                name: "exponent",
                domain: "> 0",
                meaning: "on the negative sum (reweight, multi; single ignores it)",
            },
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Wu et al., BSL: understanding and improving softmax loss for recommendation (ICDE 2024)",
    };

    fn variants() -> Vec<Self> {
        let (tau, exponent) = (0.2, 1.1);
        let (tau1, tau2) = (0.2, 0.1);
        [
            BslForm::IrBenchmark { tau1, tau2 },
            BslForm::Reweight { tau, exponent },
            BslForm::Single { tau, exponent },
            BslForm::Multi { tau, exponent },
            BslForm::Published { tau1, tau2 },
        ]
        .map(Bsl::new)
        .into()
    }
}

impl Loss for Bsl {
    fn spec(&self) -> Spec {
        Spec {
            pool: self.pool(),
            ..Spec::log_sum_exp("bsl", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        self.coefficients().to_vec()
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        positive("bsl", "score_scale", self.score_scale)?;
        match self.form {
            BslForm::IrBenchmark { tau1, tau2 } | BslForm::Published { tau1, tau2 } => {
                positive("bsl", "tau1", tau1)?;
                positive("bsl", "tau2", tau2)?;
            }
            BslForm::Reweight { tau, exponent }
            | BslForm::Single { tau, exponent }
            | BslForm::Multi { tau, exponent } => {
                positive("bsl", "tau", tau)?;
                positive("bsl", "exponent", exponent)?;
            }
        }
        if self.pool() != Pool::Each && (shape.reduction != ReductionKind::Mean || shape.weights) {
            return Err(Error::Unsupported(
                "bsl: forms `multi` and `published` pool over the batch: they take reduction `mean` and no weights"
                    .into(),
            ));
        }
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/bsl.wgsl")
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let inverse_tau = p.constants[0];
        Pair {
            value: entry.score * inverse_tau,
            score_slope: inverse_tau,
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let [_, on_sum, on_target, mean, ..] = p.constants;
        let sum = row.sum - mean * row.count.ln();
        RowLoss {
            value: on_sum * sum - on_target * row.target,
            sum_slope: on_sum,
            target_slope: -on_target,
        }
    }

    #[inline(always)]
    fn pool_scale<R: Real>(&self, p: &Parameters<R>) -> R {
        p.constants[4]
    }
}
