//! What a row's reduction keeps. Merging two is associative up to rounding; here it happens in the
//! order of the columns.

use crate::{Real, loss::RowReduction, shape::MAX_THETA};

/// The statistic of one pair's columns. For log-sums every sum is over `e^{z − max}`.
#[derive(Clone, Copy, Debug)]
pub struct Statistic<R> {
    /// The largest z; −∞ when nothing is in the sum. 0 for plain sums.
    pub(super) max: R,
    /// `Σ e^{z − max}` or `Σ z`.
    pub(super) sum: f64,
    /// The same sum of ∂z/∂t.
    pub(super) target: f64,
    /// The same sums of ∂z/∂θₖ.
    pub(super) theta: [f64; MAX_THETA],
    /// The largest r of the second tile.
    pub(super) second_max: R,
    /// `Σ e^{r − second_max}`.
    pub(super) second_sum: f64,
}

impl<R: Real> Statistic<R> {
    /// No columns.
    pub(super) fn empty(reduction: RowReduction) -> Self {
        Statistic {
            max: match reduction {
                RowReduction::LogSumExp => R::NEG_INFINITY,
                RowReduction::Sum => R::ZERO,
            },
            sum: 0.0,
            target: 0.0,
            theta: [0.0; MAX_THETA],
            second_max: R::NEG_INFINITY,
            second_sum: 0.0,
        }
    }

    /// Makes room for values up to `max`.
    #[inline(always)]
    pub(super) fn raise(&mut self, max: R) {
        if max > self.max {
            let shrink = shrink(self.max, max);
            self.max = max;
            self.sum *= shrink;
            self.target *= shrink;
            for sum in &mut self.theta {
                *sum *= shrink;
            }
        }
    }

    /// As [`Statistic::raise`], for the second tile.
    #[inline(always)]
    pub(super) fn raise_second(&mut self, max: R) {
        if max > self.second_max {
            self.second_sum *= shrink(self.second_max, max);
            self.second_max = max;
        }
    }

    /// Adds the columns that `other` saw.
    pub(super) fn merge(&mut self, mut other: Self) {
        self.raise(other.max);
        other.raise(self.max);
        self.sum += other.sum;
        self.target += other.target;
        for (sum, other) in self.theta.iter_mut().zip(other.theta) {
            *sum += other;
        }
        self.raise_second(other.second_max);
        other.raise_second(self.second_max);
        self.second_sum += other.second_sum;
    }

    /// R: the log-sum-exp or the sum.
    pub(super) fn reduced(&self, reduction: RowReduction) -> f64 {
        match reduction {
            RowReduction::LogSumExp => log_sum(self.max, self.sum),
            RowReduction::Sum => self.sum,
        }
    }

    /// `LSE r` of the second tile.
    pub(super) fn second_reduced(&self) -> f64 {
        log_sum(self.second_max, self.second_sum)
    }
}

fn shrink<R: Real>(from: R, to: R) -> f64 {
    // −∞ − x stays −∞, so an empty sum shrinks to 0 and not to NaN.
    (from.to_f64() - to.to_f64()).exp()
}

fn log_sum<R: Real>(max: R, sum: f64) -> f64 {
    if max == R::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    max.to_f64() + sum.ln()
}
