//! Detached SphereFace2, held fast.

use super::{MARGIN_ON_BOTH, SCALE, SphereFace2, row, transformed};
use crate::{
    Batch, Output, Real, Result, Shape,
    loss::{
        Entry, Held, Loss, Pair, Parameters, PositiveScore, Row, RowLoss, Spec, Target, TargetForm,
        angular::{entry_cosines, positive_cosine},
    },
};

/// `loss` with P and N of every row and entry held at what they are more than the cosine on this batch.
#[expect(
    clippy::cast_possible_truncation,
    reason = "numbers of entries are f32"
)]
pub(super) fn held(loss: &SphereFace2, batch: &Batch<'_>, output: &Output<f64>) -> Held {
    let constants = Loss::constants(loss);
    let offset = |row: usize| {
        let target = output.statistics[batch.pairs_of(row).start].target;
        let [cosine, _] = positive_cosine(batch, row);
        match target.is_finite() {
            true => target / loss.scale - cosine,
            false => 0.0,
        }
    };
    let of_entry = |cosine: f64| {
        let value = transformed(cosine, loss.t)[0] + constants[MARGIN_ON_BOTH];
        (value - cosine) as f32
    };
    let offsets = (0..batch.n_rows()).map(offset).collect();
    let held = HeldSphereFace2(Loss::spec(loss), constants.clone());
    Held {
        entry_constants: entry_cosines(batch).into_iter().map(of_entry).collect(),
        ..Held::rows(held, offsets)
    }
}

/// SphereFace2 with P and N a constant per row and entry more than the cosine.
#[derive(Clone, Debug)]
struct HeldSphereFace2(Spec, Vec<f64>);

impl Loss for HeldSphereFace2 {
    fn spec(&self) -> Spec {
        Spec {
            target: TargetForm::Score,
            row_parameters: 1,
            entry_constants: true,
            ..self.0
        }
    }

    fn constants(&self) -> Vec<f64> {
        self.1.clone()
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        ""
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        Target {
            value: p.constants[SCALE] * (positive.score + positive.row[0]),
            slope: p.constants[SCALE],
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let x = p.constants[SCALE] * (entry.score + entry.constant) + p.theta[0];
        Pair {
            value: x.softplus(),
            score_slope: p.constants[SCALE] * x.sigmoid(),
            target_slope: R::ZERO,
        }
    }

    fn pair_theta<R: Real>(&self, _k: usize, entry: Entry<R>, p: &Parameters<R>) -> R {
        (p.constants[SCALE] * (entry.score + entry.constant) + p.theta[0]).sigmoid()
    }

    fn row<R: Real>(&self, seen: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        row(seen, p)
    }

    fn row_theta<R: Real>(&self, _k: usize, seen: Row<R>, p: &Parameters<R>) -> R {
        row(seen, p).target_slope
    }
}
