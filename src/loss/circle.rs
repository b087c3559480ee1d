//! Circle loss on classes.

use super::{
    About, Described, Entry, Held, Loss, Pair, Parameter, Parameters, PositiveScore, Row, RowLoss,
    Score, Spec, Target,
    angular::{entry_cosines, positive_cosine, softmax_row},
    domain::{finite, positive},
};
use crate::{Batch, Output, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// Circle loss on classes: `ℓ = softplus(LSE_j γα_j(c_j − m) − γα_y(c_y − (1 − m)))` in nats with
/// `α_j = [c_j + m]₊`, `α_y = [1 + m − c_y]₊`. The weights α are constants to the gradients, as in the
/// paper and all code: a class pulls with γα, not with the derivative of what is stated.
///
/// Published: m = 0.25, γ = 256 for faces; γ = 128 for re-identification; m = 0.4, γ = 80 for
/// fine-grained retrieval. Domain: γ > 0, m finite.
/// Source: Sun et al., "Circle loss: a unified perspective of pair similarity optimization"
/// (CVPR 2020), with one positive: the softmax over classes. The form over pairs of
/// samples, which pytorch-metric-learning has, sums over several positives inside the same logarithm
/// and is another loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Circle {
    /// Margin m, the relaxation.
    pub margin: f64,
    /// Scale γ.
    pub scale: f64,
}

impl Default for Circle {
    fn default() -> Self {
        Circle {
            margin: 0.25,
            scale: 256.0,
        }
    }
}

impl Described for Circle {
    const ABOUT: About = About {
        title: "Circle loss, on classes",
        formula: "softplus(LSE_j γ[c_j + m]₊(c_j − m) − γ[1 + m − c_y]₊(c_y − 1 + m))",
        parameters: &[
            Parameter {
                name: "margin",
                domain: "finite",
                meaning: "m, the relaxation",
            },
            Parameter::SCALE,
        ],
        source: "Sun et al., Circle loss: a unified perspective of pair similarity optimization (CVPR 2020)",
    };
}

impl Loss for Circle {
    fn spec(&self) -> Spec {
        Spec::log_sum_exp("circle", Score::Cosine, 1.0)
    }

    fn constants(&self) -> Vec<f64> {
        vec![self.scale, self.margin]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        positive("circle", "scale", self.scale)?;
        finite("circle", "margin", self.margin)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/circle.wgsl")
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        let [scale, margin, ..] = p.constants;
        let weight = (R::ONE + margin - positive.score).max(R::ZERO);
        weighted_target(scale * weight, positive.score, margin)
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let [scale, margin, ..] = p.constants;
        let weight = (entry.score + margin).max(R::ZERO);
        weighted_pair(scale * weight, entry.score, margin)
    }

    #[inline(always)]
    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        softmax_row(row)
    }

    fn holds_entries(&self) -> bool {
        true
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "numbers of entries are f32"
    )]
    fn held(&self, batch: &Batch<'_>, _output: &Output<f64>) -> Option<Held> {
        let weight = |row| (1.0 + self.margin - positive_cosine(batch, row)[0]).max(0.0);
        let of_entries = entry_cosines(batch).into_iter();
        let of_entries = of_entries.map(|cosine| (cosine + self.margin).max(0.0) as f32);
        let weights = (0..batch.n_rows()).map(weight).collect();
        Some(Held {
            entry_constants: of_entries.collect(),
            ..Held::rows(HeldCircle(self.clone()), weights)
        })
    }
}

/// γα(c − (1 − m)).
#[inline(always)]
fn weighted_target<R: Real>(weight: R, score: R, margin: R) -> Target<R> {
    Target {
        value: weight * (score - (R::ONE - margin)),
        slope: weight,
        norm_slope: R::ZERO,
        row_constant: R::ZERO,
    }
}

/// γα(c − m).
#[inline(always)]
fn weighted_pair<R: Real>(weight: R, score: R, margin: R) -> Pair<R> {
    Pair {
        value: weight * (score - margin),
        score_slope: weight,
        target_slope: R::ZERO,
    }
}

/// Circle with weights per row and entry.
#[derive(Clone, Debug)]
struct HeldCircle(Circle);

impl Loss for HeldCircle {
    fn spec(&self) -> Spec {
        Spec {
            row_parameters: 1,
            entry_constants: true,
            ..Loss::spec(&self.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        Loss::constants(&self.0)
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        ""
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        let [scale, margin, ..] = p.constants;
        weighted_target(scale * positive.row[0], positive.score, margin)
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let [scale, margin, ..] = p.constants;
        weighted_pair(scale * entry.constant, entry.score, margin)
    }

    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        softmax_row(row)
    }
}
