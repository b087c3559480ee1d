//! SogCLR: the softmax loss with a moving average of each query's normaliser.

use super::{
    About, Described, Entry, Held, Loss, Pair, Parameter, Parameters, Renewal, Row, RowLoss,
    RowParameter, Score, Spec, UNSET,
    domain::share,
    held::{held_average, reduced},
    positive,
};
use crate::{Batch, MAX_ROW_PARAMETERS, Output, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// SogCLR: `ℓ = ĝ/g − s⁺/τ` in nats, with `ĝ = mean_j e^{s_j/τ}` over the row's negatives and g the
/// moving average `(1 − γ)·g_before + γ·ĝ` of the row's query, a constant to gradients: they are
/// those of the softmax loss with its normaliser estimated over many batches.
///
/// The row parameter holds log g (`moving_average_before`, `moving_average_after`;
/// [`UNSET`] for a query that was never seen, whose first ĝ is g). Where γ = 1 or at a first
/// visit the gradients are [`Sl`](super::Sl)'s; the value is none of its estimates, for ĝ/g is about 1.
/// All rows of one query read the same `g_before`, and the last one says what is there after.
///
/// Domain: τ > 0, 0 < γ ≤ 1 (weight of the new estimate). Official code (IR-Benchmark,
/// `optim_SogCLR`): cosine; it keeps g itself with 0 for unset and exponentiates naively, which is not
/// a number from τ = 0.01 on in f32; logarithms are exact there. Which of a query's rows it writes
/// back is not defined on a GPU.
/// Source: Yuan et al., "Provable stochastic optimization for global contrastive learning: small
/// batch does not harm performance" (ICML 2022).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SogClr {
    /// Temperature τ.
    pub tau: f64,
    /// γ, weight of a batch's estimate in the moving average.
    pub gamma: f64,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
}

impl Default for SogClr {
    fn default() -> Self {
        SogClr {
            tau: 0.1,
            gamma: 0.9,
            score: Score::Cosine,
            score_scale: 1.0,
        }
    }
}

impl Described for SogClr {
    const ABOUT: About = About {
        title: "SogCLR",
        formula: "ĝ/g − s⁺/τ, ĝ = mean_j e^{s_j/τ}, g its moving average",
        parameters: &[
            Parameter::TAU,
            Parameter::GAMMA,
            Parameter::SCORE,
            Parameter::SCORE_SCALE,
        ],
        source: "Yuan et al., Provable stochastic optimization for global contrastive learning: small batch does not harm performance (ICML 2022)",
    };

    fn variants() -> Vec<Self> {
        let first_alone = SogClr {
            gamma: 1.0,
            ..SogClr::default()
        };
        vec![SogClr::default(), first_alone]
    }
}

/// log(1 − γ) and log γ; −10³⁰ in place of −∞.
pub(super) fn shares(gamma: f64) -> [f64; 2] {
    [(1.0 - gamma).ln().max(UNSET), gamma.ln()]
}

/// log g of a query before and after evaluations.
pub(super) fn moving_average() -> RowParameter {
    RowParameter {
        name: "moving_average_before",
        after: Some("moving_average_after"),
        log: true,
        initial: UNSET,
        renewal: Renewal::Step,
    }
}

/// log g after a batch and ĝ/g, for a row whose columns' sum is e^`sum` and whose log g was `before`.
/// `shares` are log(1 − γ) and log γ.
#[inline(always)]
pub(super) fn average<R: Real>([sum, count]: [R; 2], before: R, shares: [R; 2]) -> [R; 2] {
    let estimate = sum - count.ln();
    let (old, new) = (shares[0] + before, shares[1] + estimate);
    let merged = old.max(new) + (-(old - new).abs()).exp().ln_1p();
    let after = if before <= R::from_f64(0.5 * UNSET) {
        estimate
    } else {
        merged
    };
    [after, (estimate - after).exp()]
}

impl Loss for SogClr {
    fn spec(&self) -> Spec {
        Spec {
            row_parameters: 1,
            row_state: true,
            ..Spec::log_sum_exp("sog_clr", self.score, self.score_scale)
        }
    }

    fn constants(&self) -> Vec<f64> {
        let [old, new] = shares(self.gamma);
        vec![1.0 / self.tau, old, new]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("sog_clr", "tau", self.tau)?;
        share("sog_clr", "gamma", self.gamma)?;
        positive("sog_clr", "score_scale", self.score_scale)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/sog_clr.wgsl")
    }

    fn row_parameters(&self) -> Vec<RowParameter> {
        vec![moving_average()]
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
        let [inverse_tau, old, new, ..] = p.constants;
        let [_, ratio] = average([row.sum, row.count], row.row[0], [old, new]);
        RowLoss {
            value: ratio - row.target * inverse_tau,
            sum_slope: ratio,
            target_slope: -inverse_tau,
        }
    }

    #[inline(always)]
    fn row_state<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> [R; MAX_ROW_PARAMETERS] {
        let [_, old, new, ..] = p.constants;
        let [after, _] = average([row.sum, row.count], row.row[0], [old, new]);
        [after, row.row[1]]
    }

    fn held(&self, batch: &Batch<'_>, output: &Output<f64>) -> Option<Held> {
        let held = |row| {
            let before = batch.row_parameters_of(row)[0];
            let [after, _] = average(reduced(batch, output, row), before, shares(self.gamma));
            [after, 1.0]
        };
        Some(held_average(&Loss::spec(self), 1.0 / self.tau, batch, held))
    }
}
