//! Losses that hold every score to a threshold, each on its own: USS, UCE and the sample-to-sample
//! cross-entropy. All are `softplus(b − t) + λ Σ_j softplus(γ c_j − b_j)` with `t = γ·T(θ) − b_y`, T a
//! margin on the positive, b a scalar θ₀ and `b_j` a number per candidate (0 without).
//!
//! Constants: γ, margin m on the cosine, limit of the exponents, λ, then a margin on the angle, whose
//! kind is [`ON_COSINE`] where m is all there is.

use super::{
    Entry, Gradient, Held, Loss, Pair, Parameters, PositiveScore, Row, RowLoss, RowReduction,
    Score, Sl, Spec, Target, TargetForm,
    angular::{MARGIN_CONSTANTS, Margin, margin_of, positive_cosine},
};
use crate::{Batch, Engine, Error, IGNORED, Output, Real, Result, Shape, Want};

/// Where the margin's constants begin.
const MARGIN_AT: usize = 4;

/// The kind of margin that is taken off the cosine.
const ON_COSINE: f64 = 3.0;

/// What a loss of this kind is made of.
#[derive(Clone, Copy)]
pub(super) struct Unified {
    /// Scale γ.
    pub(super) scale: f64,
    /// Margin m, taken off the positive's cosine.
    pub(super) margin: f64,
    /// Whether exponents are clipped to ±γ.
    pub(super) clamp: bool,
    /// λ, weight of the negatives.
    pub(super) neg_weight: f64,
    /// The margin on the angle in m's place.
    pub(super) on_angle: Option<(Margin, Gradient)>,
}

impl Unified {
    pub(super) fn constants(self) -> Vec<f64> {
        // A limit that no exponent reaches stands for no clamp.
        let limit = if self.clamp { self.scale } else { 1e30 };
        let margin = match self.on_angle {
            Some((margin, gradient)) => margin.constants(gradient),
            None => {
                let mut none = [0.0; MARGIN_CONSTANTS];
                none[0] = ON_COSINE;
                none
            }
        };
        let mut constants = vec![self.scale, self.margin, limit, self.neg_weight];
        constants.extend(margin);
        constants
    }
}

/// The specification of all.
pub(super) fn spec(name: &'static str) -> Spec {
    Spec {
        reduction: RowReduction::Sum,
        ..Spec::log_sum_exp(name, Score::Cosine, 1.0)
    }
}

/// The functions in WGSL.
pub(super) const WGSL: &str = include_str!("../../shaders/losses/unified.wgsl");

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

/// t.
#[inline(always)]
pub(super) fn target<R: Real>(positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
    let [scale, margin, _, _, kind, ..] = p.constants;
    let (value, slope) = if kind.to_f64() == ON_COSINE {
        (positive.score - margin, R::ONE)
    } else {
        let mapped = margin_of(
            &p.constants[MARGIN_AT..][..MARGIN_CONSTANTS],
            R::ZERO,
            positive.one_minus_cos,
            positive.one_plus_cos,
        );
        (mapped.value, mapped.slope)
    };
    Target {
        value: scale * value - positive.column,
        slope: scale * slope,
        norm_slope: R::ZERO,
        row_constant: R::ZERO,
    }
}

/// A column's value and the slope of its softplus.
#[inline(always)]
fn column<R: Real>(entry: Entry<R>, p: &Parameters<R>) -> (R, R) {
    let [scale, _, limit, ..] = p.constants;
    clipped(scale * entry.score - (p.theta[0] + entry.column), limit)
}

/// z.
#[inline(always)]
pub(super) fn pair<R: Real>(entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
    let (value, slope) = column(entry, p);
    Pair {
        value,
        score_slope: p.constants[0] * slope,
        target_slope: R::ZERO,
    }
}

/// ∂z/∂b, and by the column's own threshold.
#[inline(always)]
pub(super) fn pair_threshold<R: Real>(entry: Entry<R>, p: &Parameters<R>) -> R {
    -column(entry, p).1
}

/// ℓ.
#[inline(always)]
pub(super) fn row<R: Real>(row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
    let [_, _, limit, neg_weight, ..] = p.constants;
    let (value, slope) = clipped(p.theta[0] - row.target, limit);
    RowLoss {
        value: neg_weight * row.sum + value,
        sum_slope: neg_weight,
        target_slope: -slope,
    }
}

/// ∂ℓ/∂b at fixed R.
#[inline(always)]
pub(super) fn row_threshold<R: Real>(seen: Row<R>, p: &Parameters<R>) -> R {
    -row(seen, p).target_slope
}

/// The mean of `log Σ_j e^{γ c_j}` over the batch's pairs that have columns, by one forward evaluation.
pub(super) fn mean_log_sum(
    loss: &'static str,
    scale: f64,
    engine: &Engine,
    batch: &Batch<'_>,
) -> Result<f64> {
    super::positive(loss, "scale", scale)?;
    let batch = batch.scores_alone();
    let output = engine.evaluate_f64(&Sl::new(1.0 / scale), &batch, Want::NOTHING)?;
    let pairs = batch.positive_ids().iter().zip(&output.statistics);
    let live = pairs.filter(|(id, kept)| **id != IGNORED && kept.count > 0.0);
    let sums: Vec<f64> = live.map(|(_, kept)| kept.sum).collect();
    if sums.is_empty() {
        return Err(Error::Unsupported(format!(
            "{loss}: no row of the batch has a column to begin a threshold with"
        )));
    }
    Ok(sums.iter().sum::<f64>() / sums.len() as f64)
}

/// A loss of this kind whose margin is a constant per row that is added to the cosine.
#[derive(Clone, Debug)]
struct HeldUnified {
    spec: Spec,
    constants: Vec<f64>,
}

/// `loss` with T(θ) − cos θ of every row held at what it is on this batch.
pub(super) fn held(loss: &impl Loss, batch: &Batch<'_>, output: &Output<f64>) -> Held {
    let constants = loss.constants();
    let offset = |row: usize| {
        let target = output.statistics[batch.pairs_of(row).start].target;
        let [cosine, _] = positive_cosine(batch, row);
        if target.is_finite() {
            target / constants[0] - cosine
        } else {
            0.0
        }
    };
    let offsets = (0..batch.n_rows()).map(offset).collect();
    let spec = Spec {
        target: TargetForm::Score,
        row_parameters: 1,
        ..loss.spec()
    };
    Held::rows(HeldUnified { spec, constants }, offsets)
}

impl Loss for HeldUnified {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn constants(&self) -> Vec<f64> {
        self.constants.clone()
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        ""
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        Target {
            value: p.constants[0] * (positive.score + positive.row[0]),
            slope: p.constants[0],
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        pair(entry, p)
    }

    fn pair_theta<R: Real>(&self, _k: usize, entry: Entry<R>, p: &Parameters<R>) -> R {
        pair_threshold(entry, p)
    }

    fn row<R: Real>(&self, seen: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        row(seen, p)
    }

    fn row_theta<R: Real>(&self, _k: usize, seen: Row<R>, p: &Parameters<R>) -> R {
        row_threshold(seen, p)
    }
}
