//! Losses that use what no other one does: angles and batch statistics of dot products with the
//! functions that a loss may leave out, and a plain sum beside a second tile.

use wgloss::{
    Loss, Real, Result, Shape,
    loss::{
        Entry, Pair, Parameters, PositiveScore, Row, RowLoss, RowReduction, Score, SecondTile,
        Spec, Target,
    },
};

/// t sees the angle, which dot products do not have, the batch by its default, and a parameter of
/// the column that z does not see.
#[derive(Clone, Debug)]
pub struct Angles;

impl Loss for Angles {
    fn spec(&self) -> Spec {
        Spec {
            column_parameters: true,
            batch_statistics: true,
            ..Spec::log_sum_exp("angles", Score::Dot, 0.5)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        "fn loss_target(positive: PositiveScore) -> Target {
            let shift = positive.one_minus_cos + 2.0 * positive.one_plus_cos + positive.batch.x;
            return Target(positive.score + shift + positive.column, 1.0, 0.0, 0.0);
        }
        fn loss_target_column(positive: PositiveScore) -> f32 {
            return 1.0;
        }
        fn loss_pair(entry: Entry) -> Pair {
            return Pair(entry.score, 1.0, 0.0);
        }
        fn loss_row(row: Row) -> RowLoss {
            return RowLoss(row.sum - row.target_value, 1.0, -1.0);
        }"
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> Target<R> {
        let angles = positive.one_minus_cos + R::from_f64(2.0) * positive.one_plus_cos;
        Target {
            value: positive.score + angles + positive.batch.mean + positive.column,
            slope: R::ONE,
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    fn target_column<R: Real>(&self, _positive: PositiveScore<R>, _p: &Parameters<R>) -> R {
        R::ONE
    }

    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: entry.score,
            score_slope: R::ONE,
            target_slope: R::ZERO,
        }
    }

    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        RowLoss {
            value: row.sum - row.target,
            sum_slope: R::ONE,
            target_slope: -R::ONE,
        }
    }
}

/// `Σ_j s_j·r_j / n − t`, and with the second tile's log-sum `+ LSE_j r_j`.
#[derive(Clone, Debug)]
pub struct SumAndSecond {
    /// Whether the row also asks for `LSE_j r`.
    pub log_sum: bool,
}

impl Loss for SumAndSecond {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            second: Some(SecondTile {
                score: Score::Cosine,
                log_sum: self.log_sum,
                frozen: false,
            }),
            ..Spec::log_sum_exp("sum_and_second", Score::Cosine, 1.5)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![1.0]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        match self.log_sum {
            true => concat!(
                include_str!("sum_and_second.wgsl"),
                "fn loss_row_second(row: Row) -> f32 {
                    return 1.0;
                }
                fn second_sum(row: Row) -> f32 {
                    return row.second_sum;
                }"
            ),
            // Without the log-sum its slope is not asked for.
            false => concat!(
                include_str!("sum_and_second.wgsl"),
                "fn second_sum(row: Row) -> f32 {
                    return 0.0;
                }"
            ),
        }
    }

    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: entry.score * entry.second,
            score_slope: entry.second,
            target_slope: R::ZERO,
        }
    }

    fn pair_second<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> R {
        entry.score
    }

    fn row_second<R: Real>(&self, _row: Row<R>, _p: &Parameters<R>) -> R {
        R::ONE
    }

    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        let share = R::ONE / row.count;
        let second = if self.log_sum {
            row.second_sum
        } else {
            R::ZERO
        };
        RowLoss {
            value: share * row.sum + second - row.target,
            sum_slope: share,
            target_slope: -R::ONE,
        }
    }
}
