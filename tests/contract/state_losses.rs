//! Losses that use what outlives an evaluation or goes beyond a row's columns: renewed row
//! parameters, ranks, a frozen reference model.

use wgloss::{
    Error, Loss, Real, Result, Shape,
    loss::{
        Entry, Pair, Parameters, PositiveScore, Row, RowLoss, RowReduction, Score, SecondTile,
        Spec, Target,
    },
};

/// Mixes each log-sum into a number of its row, and counts the evaluations in another.
#[derive(Clone, Debug)]
pub struct Remembering;

impl Loss for Remembering {
    fn spec(&self) -> Spec {
        Spec {
            row_parameters: 2,
            row_state: true,
            ..Spec::log_sum_exp("remembering", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![3.0]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        "fn loss_pair(entry: Entry) -> Pair {
            return Pair(3.0 * entry.score, 3.0, 0.0);
        }
        fn loss_row(row: Row) -> RowLoss {
            return RowLoss(row.sum * row.row.x - row.target_value, row.row.x, -1.0);
        }
        fn loss_row_state(row: Row) -> vec2<f32> {
            return vec2<f32>(0.75 * row.row.x + 0.25 * (row.sum + row.target_value), row.row.y + 1.0);
        }"
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
            value: row.sum * row.row[0] - row.target,
            sum_slope: row.row[0],
            target_slope: -R::ONE,
        }
    }

    fn row_state<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> [R; 2] {
        let [share, new] = [0.75, 0.25].map(R::from_f64);
        let mixed = share * row.row[0] + new * (row.sum + row.target);
        [mixed, row.row[1] + R::ONE]
    }
}

/// Weighs each column by its rank, and the row by its positive's.
#[derive(Clone, Debug)]
pub struct Ranked(pub Score);

impl Loss for Ranked {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            separable: false,
            ranks: true,
            ..Spec::log_sum_exp("ranked", self.0, 1.0)
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
            return Target(positive.score, 1.0, 0.0, positive.rank);
        }
        fn loss_pair(entry: Entry) -> Pair {
            let weight = entry.constant + 0.5 * entry.row_constant;
            return Pair(weight * (entry.score - entry.target_value), weight, -weight);
        }
        fn loss_row(row: Row) -> RowLoss {
            return RowLoss(row.sum, 1.0, 0.0);
        }"
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> Target<R> {
        Target {
            value: positive.score,
            slope: R::ONE,
            norm_slope: R::ZERO,
            row_constant: positive.rank,
        }
    }

    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        let weight = entry.constant + R::from_f64(0.5) * entry.row_constant;
        Pair {
            value: weight * (entry.score - entry.target),
            score_slope: weight,
            target_slope: -weight,
        }
    }

    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        RowLoss {
            value: row.sum,
            sum_slope: R::ONE,
            target_slope: R::ZERO,
        }
    }
}

/// Scores less those of a frozen model.
#[derive(Clone, Debug)]
pub struct Referenced(pub Score);

impl Loss for Referenced {
    fn spec(&self) -> Spec {
        Spec {
            second: Some(SecondTile {
                score: self.0,
                log_sum: false,
                frozen: true,
            }),
            ..Spec::log_sum_exp("referenced", Score::Dot, 1.0)
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
            return Target(positive.score - positive.second, 1.0, 0.0, 0.0);
        }
        fn loss_pair(entry: Entry) -> Pair {
            return Pair(entry.score - entry.second, 1.0, 0.0);
        }
        fn loss_row(row: Row) -> RowLoss {
            return RowLoss(row.sum - row.target_value, 1.0, -1.0);
        }"
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> Target<R> {
        Target {
            value: positive.score - positive.second,
            slope: R::ONE,
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        Pair {
            value: entry.score - entry.second,
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

/// Squared scores, which second moments sum; `0` weighs them.
#[derive(Clone, Debug)]
pub struct Squared(pub f64);

impl Loss for Squared {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            quadratic: true,
            ..Spec::log_sum_exp("squared", Score::Dot, 0.5)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![self.0]
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        match shape.log_q {
            true => Err(Error::Unsupported("squared: no log_q".into())),
            false => Ok(()),
        }
    }

    fn wgsl(&self) -> &'static str {
        "fn loss_pair(entry: Entry) -> Pair {
            let scaled = loss_constant(0u) * entry.score;
            return Pair(scaled * entry.score, scaled + scaled, 0.0);
        }
        fn loss_row(row: Row) -> RowLoss {
            return RowLoss(0.25 * row.sum - row.target_value, 0.25, -1.0);
        }"
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let scaled = p.constants[0] * entry.score;
        Pair {
            value: scaled * entry.score,
            score_slope: scaled + scaled,
            target_slope: R::ZERO,
        }
    }

    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        let share = R::from_f64(0.25);
        RowLoss {
            value: share * row.sum - row.target,
            sum_slope: share,
            target_slope: -R::ONE,
        }
    }
}
