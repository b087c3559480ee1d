//! Losses from outside the crate that read everything the contract offers: no published ones, but
//! every number moves the value and every slope is needed.

use wgloss::{
    Loss, Real, Result, Shape,
    loss::{
        Entry, Pair, Parameters, PositiveScore, Row, RowLoss, RowReduction, Score, Spec, Target,
        TargetForm,
    },
};

/// What a loss of this file reads beside scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A log-sum whose z sees the pair, numbers per row and per candidate, and the batch.
    LogSum,
    /// The same as a plain sum, with a number per entry.
    Entries,
    /// Thresholds per class, and nothing of the pair in z.
    Thresholds,
}

/// See [`Form`].
#[derive(Clone, Debug)]
pub struct Wide(pub Form);

impl Wide {
    pub const ALL: [Wide; 3] = [
        Wide(Form::LogSum),
        Wide(Form::Entries),
        Wide(Form::Thresholds),
    ];
}

impl Loss for Wide {
    fn spec(&self) -> Spec {
        let reduction = match self.0 {
            Form::LogSum => RowReduction::LogSumExp,
            Form::Entries | Form::Thresholds => RowReduction::Sum,
        };
        Spec {
            reduction,
            separable: self.0 == Form::Thresholds,
            row_parameters: 2,
            column_parameters: true,
            entry_constants: self.0 == Form::Entries,
            batch_statistics: true,
            thetas: usize::from(self.0 == Form::LogSum),
            ..Spec::log_sum_exp("wide", Score::Cosine, 1.5)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![4.0]
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        let unfit = shape.log_q && self.0 != Form::LogSum;
        match unfit {
            true => Err(wgloss::Error::Unsupported("wide: no log_q".into())),
            false => Ok(()),
        }
    }

    fn wgsl(&self) -> &'static str {
        match self.0 {
            Form::Thresholds => include_str!("thresholds.wgsl"),
            Form::LogSum => concat!(
                include_str!("wide.wgsl"),
                "fn theta() -> f32 {
                    return loss_theta(0u);
                }
                fn loss_pair_theta(k: u32, entry: Entry) -> f32 {
                    return sigmoid(entry_logit(entry)) * entry.score;
                }
                fn loss_row_theta(k: u32, row: Row) -> f32 {
                    return 0.1 * row.sum;
                }
                fn loss_batch_value(positive: PositiveScore) -> f32 {
                    return positive.row.y + positive.row.x;
                }"
            ),
            Form::Entries => concat!(
                include_str!("wide.wgsl"),
                "fn theta() -> f32 {
                    return 0.0;
                }
                fn loss_batch_value(positive: PositiveScore) -> f32 {
                    return positive.query_norm + positive.row.x;
                }"
            ),
        }
    }

    fn batch_value<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> R {
        match self.0 {
            // Does not move with the embeddings, so that their differences can be taken.
            Form::LogSum => positive.row[1] + positive.row[0],
            Form::Entries | Form::Thresholds => positive.query_norm + positive.row[0],
        }
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> Target<R> {
        let (half, tenth) = (R::from_f64(0.5), R::from_f64(0.1));
        let batch = positive.batch;
        let seen = batch.mean + batch.variance + tenth * batch.log_sum_exp;
        let slope = R::ONE + tenth * positive.row[0] + tenth * seen;
        Target {
            value: slope * positive.score - half * positive.column * positive.column,
            slope,
            norm_slope: R::ZERO,
            row_constant: positive.row[1] + tenth * batch.count,
        }
    }

    fn target_column<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> R {
        -positive.column
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let sharpness = p.constants[0];
        if self.0 == Form::Thresholds {
            let x = sharpness * (entry.score - entry.column);
            return Pair {
                value: x.softplus(),
                score_slope: sharpness * x.sigmoid(),
                target_slope: R::ZERO,
            };
        }
        let factor = sharpness * (R::ONE + R::from_f64(0.25) * entry.constant);
        let x = factor * (entry.score - entry.target + R::from_f64(0.1) * entry.row_constant)
            + entry.column * entry.column
            + p.theta[0] * entry.score;
        Pair {
            value: x.softplus(),
            score_slope: (factor + p.theta[0]) * x.sigmoid(),
            target_slope: -factor * x.sigmoid(),
        }
    }

    fn pair_theta<R: Real>(&self, _k: usize, entry: Entry<R>, p: &Parameters<R>) -> R {
        -self.pair(entry, p).target_slope / p.constants[0] * entry.score
    }

    fn pair_column<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> R {
        let pair = self.pair(entry, p);
        if self.0 == Form::Thresholds {
            return -pair.score_slope;
        }
        let factor = p.constants[0] * (R::ONE + R::from_f64(0.25) * entry.constant);
        -(R::from_f64(2.0) * entry.column * pair.target_slope / factor)
    }

    fn row_theta<R: Real>(&self, _k: usize, row: Row<R>, _p: &Parameters<R>) -> R {
        R::from_f64(0.1) * row.sum
    }

    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let tenth = R::from_f64(0.1);
        let share = R::ONE + R::from_f64(0.25) * row.row[1] + tenth * p.theta[0];
        RowLoss {
            value: share * row.sum - row.target,
            sum_slope: share,
            target_slope: -R::ONE,
        }
    }
}

/// ArcFace on feature norms: z = ‖q‖·cos θ, t = ‖q‖·cos(θ + m); queries keep their length.
#[derive(Clone, Debug)]
pub struct NormMargin;

impl Loss for NormMargin {
    fn spec(&self) -> Spec {
        Spec {
            target: TargetForm::Tangent,
            ..Spec::log_sum_exp("norm_margin", Score::Projection, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0, 0.3_f64.cos(), 0.3_f64.sin()]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        include_str!("norm_margin.wgsl")
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        let [_, cos_m, sin_m, ..] = p.constants;
        let sin = (positive.one_minus_cos * positive.one_plus_cos).sqrt();
        let cos = R::ONE - positive.one_minus_cos;
        let (along, across) = (cos * cos_m - sin * sin_m, sin * cos_m + cos * sin_m);
        Target {
            value: positive.query_norm * along,
            slope: -positive.query_norm * across,
            norm_slope: along,
            row_constant: R::ZERO,
        }
    }

    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: entry.score,
            score_slope: R::ONE,
            target_slope: R::ZERO,
        }
    }

    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        let gap = row.sum - row.target - row.positive_offset;
        RowLoss {
            value: gap.softplus(),
            sum_slope: gap.sigmoid(),
            target_slope: -gap.sigmoid(),
        }
    }
}

/// One half of Proxy-Anchor: `softplus(LSE_j s_j/τ) + softplus(−s⁺/τ)`; a row without a positive has
/// the first term alone.
#[derive(Clone, Debug)]
pub struct Anchored;

impl Loss for Anchored {
    fn spec(&self) -> Spec {
        Spec {
            absent_positives: true,
            ..Spec::log_sum_exp("anchored", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![5.0]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        "fn loss_target(positive: PositiveScore) -> Target {
            let sharpness = loss_constant(0u);
            return Target(-sharpness * positive.score, -sharpness, 0.0, 0.0);
        }
        fn loss_pair(entry: Entry) -> Pair {
            let sharpness = loss_constant(0u);
            return Pair(sharpness * entry.score, sharpness, 0.0);
        }
        fn loss_row(row: Row) -> RowLoss {
            return RowLoss(
                softplus(row.sum) + softplus(row.target_value), sigmoid(row.sum), sigmoid(row.target_value),
            );
        }"
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        Target {
            value: -p.constants[0] * positive.score,
            slope: -p.constants[0],
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: p.constants[0] * entry.score,
            score_slope: p.constants[0],
            target_slope: R::ZERO,
        }
    }

    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        RowLoss {
            value: row.sum.softplus() + row.target.softplus(),
            sum_slope: row.sum.sigmoid(),
            target_slope: row.target.sigmoid(),
        }
    }
}
