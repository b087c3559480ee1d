//! The stage `row_finish`: each pair's loss and slopes from its row's statistic.

use super::{
    pool::Pooled,
    positives::Positive,
    problem::{LivePair, Problem},
    product::CpuReal,
    statistic::Statistic,
};
use crate::{
    PairStatistic, Real,
    loss::{EMPTY, Row, RowReduction},
    shape::MAX_ROW_PARAMETERS,
};

/// A pair after its row was reduced. Slopes are those of its own loss.
#[derive(Clone, Copy)]
pub(super) struct Finished<R> {
    /// ℓ.
    pub(super) loss: R,
    /// What the row kept.
    pub(super) statistic: PairStatistic<R>,
    /// The row's parameters after the evaluation.
    pub(super) state: [R; MAX_ROW_PARAMETERS],
    /// Whether nothing was in the log-sum: then every slope is 0.
    pub(super) dead: bool,
    /// The largest z.
    pub(super) shift: R,
    /// ∂ℓ/∂R, divided by `Σ e^{z − shift}` for log-sums.
    pub(super) column_factor: f64,
    /// The largest r of the second tile.
    pub(super) second_shift: R,
    /// ∂ℓ/∂(`LSE r`), divided by `Σ e^{r − second_shift}`.
    pub(super) second_factor: f64,
    /// ∂ℓ/∂t at fixed R (by the pooled target, where targets are pooled).
    pub(super) target_slope: f64,
    /// ∂ℓ/∂R · ∂R/∂t.
    pub(super) through_columns: f64,
}

impl<R: Real> Finished<R> {
    fn dead(statistic: PairStatistic<R>) -> Self {
        Finished {
            loss: R::ZERO,
            statistic,
            state: [R::ZERO; MAX_ROW_PARAMETERS],
            dead: true,
            shift: R::ZERO,
            column_factor: 0.0,
            second_shift: R::ZERO,
            second_factor: 0.0,
            target_slope: 0.0,
            through_columns: 0.0,
        }
    }
}

/// Finishes live pair number `at`; adds ∂ℓ/∂θ to `theta` (empty without θ).
pub(super) fn row_finish<R: CpuReal>(
    problem: &Problem<'_, R>,
    at: usize,
    positive: &Positive<R>,
    pooled: Option<&Pooled>,
    reduced: &Statistic<R>,
    count: usize,
    theta: &mut [f64],
) -> Finished<R> {
    let LivePair {
        positive: id,
        row: place,
        ..
    } = problem.pairs[at];
    let reduction = problem.spec.reduction;
    let own = positive.target.value;
    let count = R::from_f64(count as f64);
    let statistic = PairStatistic {
        sum: R::from_f64(reduced.reduced(reduction)),
        target: own,
        count,
    };
    let empty = statistic.sum == R::NEG_INFINITY;
    if empty && !problem.spec.empty_rows {
        return Finished::dead(statistic);
    }
    let row = Row {
        sum: if empty {
            R::from_f64(EMPTY)
        } else {
            statistic.sum
        },
        second_sum: R::from_f64(reduced.second_reduced()),
        target: pooled.map_or(own, |pooled| R::from_f64(pooled.target(at))),
        count,
        positive_offset: problem.positive_offset(id),
        row_constant: positive.target.row_constant,
        row: problem.row_parameters(&problem.rows[place]),
    };
    let loss = problem.kernels.row(row, &problem.parameters);
    let terms = match reduction {
        RowReduction::LogSumExp => reduced.sum,
        RowReduction::Sum => 1.0,
    };
    let column_factor = match empty {
        true => 0.0,
        false => loss.sum_slope.to_f64() / terms,
    };
    for (k, theta) in theta.iter_mut().enumerate() {
        let direct = problem.kernels.row_theta(k, row, &problem.parameters);
        *theta = direct.to_f64() + column_factor * reduced.theta[k];
    }
    let (second_shift, second_factor) = match problem.spec.second {
        Some(tile) if tile.log_sum => {
            let slope = problem.kernels.row_second(row, &problem.parameters);
            (reduced.second_max, slope.to_f64() / reduced.second_sum)
        }
        _ => (R::ZERO, 0.0),
    };
    Finished {
        loss: loss.value,
        statistic,
        state: match problem.spec.row_state {
            true => problem.kernels.row_state(row, &problem.parameters),
            false => row.row,
        },
        dead: false,
        // Masked columns are compared with it all the same: it must be a number.
        shift: if empty { R::ZERO } else { reduced.max },
        column_factor,
        second_shift,
        second_factor,
        target_slope: loss.target_slope.to_f64(),
        through_columns: column_factor * reduced.target,
    }
}
