//! What an evaluation gives.

use crate::{ColumnKind, Error, Real, Result, Shape, loss::Spec};

/// Which gradients are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Want {
    /// The gradient of the query table.
    pub queries: bool,
    /// The gradient of the candidate table (off for frozen candidates).
    pub candidates: bool,
    /// The gradient of the column parameters, where the batch has them.
    pub column_parameters: bool,
    /// The gradients of given scores, in place of the tables'.
    pub scores: bool,
    /// The gradients of the second tables, where the batch has them.
    pub second: bool,
    /// Candidates' gradients without the table's size, for shared columns: a row per column of the
    /// list, then (not for second tables) one per pair. The gradient of a candidate is the sum of
    /// the rows that belong to it.
    pub compact: bool,
}

impl Want {
    /// Value and row losses only.
    pub const NOTHING: Want = Want {
        queries: false,
        candidates: false,
        column_parameters: false,
        scores: false,
        second: false,
        compact: false,
    };
    /// All that the batch has: both tables, second tables, column parameters; or given scores.
    pub const BOTH: Want = Want {
        queries: true,
        candidates: true,
        column_parameters: true,
        scores: true,
        second: true,
        compact: false,
    };

    /// What of it a batch of this shape can give.
    #[must_use]
    pub fn of(self, shape: &Shape) -> Want {
        Want {
            queries: self.queries && shape.given.is_none(),
            candidates: self.candidates && shape.given.is_none(),
            column_parameters: self.column_parameters && shape.column_parameters,
            scores: self.scores && shape.given.is_some(),
            second: self.second && shape.second_dim.is_some(),
            compact: self.compact && (self.candidates || self.second),
        }
    }

    /// What of it a loss of this specification can give: nothing for frozen tables.
    #[must_use]
    pub fn for_loss(self, spec: &Spec) -> Want {
        let frozen = spec.second.is_some_and(|tile| tile.frozen);
        Want {
            second: self.second && !frozen,
            ..self
        }
    }

    /// Checks that a batch of this shape can give its gradients so.
    ///
    /// # Errors
    /// Compact gradients of other than shared columns.
    pub(crate) fn check(self, shape: &Shape) -> Result<()> {
        if !self.compact || matches!(shape.columns, ColumnKind::Shared(_)) {
            return Ok(());
        }
        let message = "compact gradients are for shared columns".into();
        Err(Error::Unsupported(message))
    }

    /// Rows of the candidates' gradient, and of the second candidates'.
    pub(crate) fn candidate_rows(self, shape: &Shape) -> [usize; 2] {
        match self.compact {
            true => [shape.columns() + shape.pairs, shape.columns()],
            false => [shape.candidates; 2],
        }
    }
}

/// What a pair's row reduction kept; for metrics, z-loss, sharding.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct PairStatistic<R> {
    /// R: the log-sum-exp (nats) or the sum over the row's columns; −∞ for an empty log-sum.
    pub sum: R,
    /// t, the positive's score after the margin map.
    pub target: R,
    /// Number of columns that were not masked.
    pub count: R,
}

/// Things that are defined but worth knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Pairs whose columns were all masked or dead: loss 0, gradient 0, still in the divisor.
    pub dead_pairs: u64,
    /// Pairs that were ignored: not in the divisor.
    pub ignored_pairs: u64,
    /// Rows of the query table, as used by the batch, with zero norm under cosine.
    pub zero_queries: u64,
    /// Rows of the candidate table with zero norm under cosine.
    pub zero_candidates: u64,
}

/// Value, gradients and statistics of one evaluation.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Output<R> {
    /// The loss in nats, after the reduction.
    pub value: R,
    /// ℓ of each of the P pairs, before weights, upstream and reduction; 0 for ignored ones.
    pub row_losses: Vec<R>,
    /// ∂value/∂queries, U × D dense.
    pub grad_queries: Option<Vec<R>>,
    /// ∂value/∂candidates, N × D dense, or compact.
    pub grad_candidates: Option<Vec<R>>,
    /// ∂value/∂(second queries), U × their width.
    pub grad_second_queries: Option<Vec<R>>,
    /// ∂value/∂(second candidates), N × their width, or compact.
    pub grad_second_candidates: Option<Vec<R>>,
    /// ∂value/∂(column parameters), N numbers.
    pub grad_column_parameters: Option<Vec<R>>,
    /// ∂value/∂(given scores of the positives), B numbers.
    pub grad_positive_scores: Option<Vec<R>>,
    /// ∂value/∂(given scores of the columns), B × per row.
    pub grad_column_scores: Option<Vec<R>>,
    /// ∂value/∂θ; empty where θ is state.
    pub grad_theta: Vec<R>,
    /// The row (or query) parameters after the evaluation, as many as were given, where the loss
    /// renews them. Rows of one query all read what was there before; the last one with a live
    /// pair says what is there after. Others stay as they are.
    pub row_parameters_after: Option<Vec<R>>,
    /// θ after the evaluation, where the loss renews it from the batch: what the evaluation used.
    pub theta_after: Option<Vec<R>>,
    /// What each pair's reduction kept, P entries.
    pub statistics: Vec<PairStatistic<R>>,
    /// Dead, ignored and zero-norm counts.
    pub counts: Counts,
}

impl<A: Real> Output<A> {
    /// The same results in another float, number by number.
    #[must_use]
    pub fn map<B: Real>(&self, number: impl Fn(A) -> B + Copy) -> Output<B> {
        let numbers = |from: &[A]| from.iter().map(|x| number(*x)).collect::<Vec<B>>();
        Output {
            value: number(self.value),
            row_losses: numbers(&self.row_losses),
            grad_queries: self.grad_queries.as_deref().map(numbers),
            grad_candidates: self.grad_candidates.as_deref().map(numbers),
            grad_column_parameters: self.grad_column_parameters.as_deref().map(numbers),
            grad_second_queries: self.grad_second_queries.as_deref().map(numbers),
            grad_second_candidates: self.grad_second_candidates.as_deref().map(numbers),
            grad_positive_scores: self.grad_positive_scores.as_deref().map(numbers),
            grad_column_scores: self.grad_column_scores.as_deref().map(numbers),
            grad_theta: numbers(&self.grad_theta),
            row_parameters_after: self.row_parameters_after.as_deref().map(numbers),
            theta_after: self.theta_after.as_deref().map(numbers),
            statistics: self
                .statistics
                .iter()
                .map(|pair| PairStatistic {
                    sum: number(pair.sum),
                    target: number(pair.target),
                    count: number(pair.count),
                })
                .collect(),
            counts: self.counts,
        }
    }
}
