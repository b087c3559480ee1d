//! What gradients take for constant, held fast: for checks of gradients by differences.

use super::{DynLoss, Entry, Loss, Pair, Parameters, PositiveScore, Row, RowLoss, Spec, Target};
use crate::{Batch, Output, Real, Result, Shape};

/// A loss whose value has the gradients of another one's on one batch for its derivatives: what those
/// gradients take for constant (a moving average, a weight) is a row parameter of it, or a number per
/// entry, or a scalar.
///
/// Only the reference evaluates it; it has no WGSL.
#[derive(Debug)]
pub struct Held {
    /// The loss.
    pub loss: Box<dyn DynLoss>,
    /// Its numbers per batch row, row by row.
    pub row_parameters: Vec<f64>,
    /// Its numbers per (row, slot) of sampled columns; empty for none.
    pub entry_constants: Vec<f32>,
    /// Its θ in place of the batch's.
    pub theta: Option<Vec<f64>>,
}

impl Held {
    /// A loss with numbers per batch row in place of what is constant.
    pub(crate) fn rows(loss: impl Loss, row_parameters: Vec<f64>) -> Held {
        Held {
            loss: Box::new(loss),
            row_parameters,
            entry_constants: Vec::new(),
            theta: None,
        }
    }
}

/// A loss that keeps state in θ, with θ held at what the batch made of it; `None` for another.
pub(crate) fn held_theta(loss: &impl Loss, output: &Output<f64>) -> Option<Held> {
    let theta = output.theta_after.clone()?;
    Some(Held {
        theta: Some(theta),
        ..Held::rows(FixedTheta(loss.clone()), Vec::new())
    })
}

/// The loss with the θ that it is given.
#[derive(Clone, Debug)]
struct FixedTheta<L>(L);

impl<L: Loss> Loss for FixedTheta<L> {
    fn spec(&self) -> Spec {
        Spec {
            theta_state: false,
            batch_statistics: false,
            negative_mean: false,
            ..self.0.spec()
        }
    }

    fn constants(&self) -> Vec<f64> {
        self.0.constants()
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        self.0.check(shape)
    }

    fn wgsl(&self) -> &'static str {
        ""
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        self.0.target(positive, p)
    }

    fn norm_slope<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> R {
        self.0.norm_slope(positive, p)
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        self.0.pair(entry, p)
    }

    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        self.0.row(row, p)
    }
}

/// SogCLR and SogSL@K with row parameters log g and ŵ: `ℓ = ĝ/g − ŵ·s⁺/τ`.
#[derive(Clone, Debug)]
struct HeldAverage {
    /// The loss's specification.
    spec: Spec,
    /// 1/τ.
    inverse_tau: f64,
}

/// That of the loss of this specification; `row` gives log g and ŵ of a row.
pub(super) fn held_average(
    spec: &Spec,
    inverse_tau: f64,
    batch: &Batch<'_>,
    row: impl Fn(usize) -> [f64; 2],
) -> Held {
    let spec = Spec {
        row_parameters: 2,
        row_state: false,
        batch_statistics: false,
        ..*spec
    };
    Held {
        loss: Box::new(HeldAverage { spec, inverse_tau }),
        row_parameters: (0..batch.n_rows()).flat_map(row).collect(),
        entry_constants: Vec::new(),
        theta: None,
    }
}

/// What the reduction of a row kept: its sum and count; of a row without a live pair, those of
/// one column that scores 0.
pub(super) fn reduced(batch: &Batch<'_>, output: &Output<f64>, row: usize) -> [f64; 2] {
    let mut pairs = batch.pairs_of(row).map(|pair| output.statistics[pair]);
    let live = pairs.find(|kept| kept.count > 0.0);
    live.map_or([0.0, 1.0], |kept| [kept.sum, kept.count])
}

impl Loss for HeldAverage {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn constants(&self) -> Vec<f64> {
        vec![self.inverse_tau]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        ""
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: entry.score * p.constants[0],
            score_slope: p.constants[0],
            target_slope: R::ZERO,
        }
    }

    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let [log_average, weight] = row.row;
        let ratio = (row.sum - row.count.ln() - log_average).exp();
        RowLoss {
            value: ratio - weight * row.target * p.constants[0],
            sum_slope: ratio,
            target_slope: -(weight * p.constants[0]),
        }
    }
}
