//! What a loss's scalar functions see and give; the WGSL twins are in
//! `shaders/shared/loss_types.wgsl`.

use crate::{
    Real,
    shape::{MAX_CONSTANTS, MAX_ROW_PARAMETERS, MAX_THETA},
};

/// The numbers that the scalar functions read; on the device a small buffer, so a sweep over a
/// temperature recompiles nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parameters<R> {
    /// From [`Loss::constants`](super::Loss::constants), in its order.
    pub constants: [R; MAX_CONSTANTS],
    /// The learnable scalars θ.
    pub theta: [R; MAX_THETA],
}

impl<R: Real> Parameters<R> {
    /// Of a loss with these constants; θ is 0.
    pub(crate) fn new(constants: &[f64]) -> Self {
        let mut all = Parameters::default();
        for (to, from) in all.constants.iter_mut().zip(constants) {
            *to = R::from_f64(*from);
        }
        all
    }
}

/// A learnable scalar θₖ, as trainers and case files know it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scalar {
    /// Its name in case files and checkpoints.
    pub name: &'static str,
    /// Where training begins.
    pub initial: f64,
    /// Factor on the learning rate; below 0 to ascend.
    pub rate: f64,
}

/// A number per batch row, as trainers and case files know it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowParameter {
    /// Its name in case files and checkpoints.
    pub name: &'static str,
    /// What case files call it after the evaluation, if that renews it.
    pub after: Option<&'static str>,
    /// Whether case files hold its exponential, 0 for [`UNSET`].
    pub log: bool,
    /// Where training begins.
    pub initial: f64,
    /// What changes it.
    pub renewal: Renewal,
}

/// What changes a row parameter in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Nothing: the caller's number.
    Given,
    /// Every step, by [`Loss::row_state`](super::Loss::row_state).
    Step,
    /// A pass of its own: the K-th largest scaled score of the row's query with any candidate.
    KthLargest(usize),
}

/// A logarithm that is not known yet, where a parameter's first value will be taken as it comes.
/// Finite, for inputs must be; far below any logarithm.
pub const UNSET: f64 = -1e30;

/// The log-sum of no column, where [`Spec::empty_rows`](super::Spec::empty_rows) lets such rows
/// count. Finite, since devices know no infinities; every exponential of it is 0.
pub const EMPTY: f64 = -1e25;

/// What `target` sees of a (row, positive) pair.
#[derive(Clone, Copy, Debug)]
pub struct PositiveScore<R> {
    /// The scaled score s⁺.
    pub score: R,
    /// 1 − cos θ by the chord formula (1 for dot products).
    pub one_minus_cos: R,
    /// 1 + cos θ by the chord formula (1 for dot products).
    pub one_plus_cos: R,
    /// ‖q‖.
    pub query_norm: R,
    /// The row's parameters; 0 beyond [`Spec::row_parameters`](super::Spec::row_parameters).
    pub row: [R; MAX_ROW_PARAMETERS],
    /// The positive's column parameter (0 without).
    pub column: R,
    /// The second tile's score r of the positive, where the second tables are frozen (else 0).
    pub second: R,
    /// 1 + the number of candidates that score more than the positive, where the loss asks for ranks
    /// (else 0).
    pub rank: R,
    /// Statistics over the batch; zeros unless the loss asks for them.
    pub batch: BatchStatistics<R>,
}

/// Statistics of [`Loss::batch_value`](super::Loss::batch_value) over the pairs that are not
/// ignored. Constants as far as gradients are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BatchStatistics<R> {
    /// The mean.
    pub mean: R,
    /// The mean squared deviation from it.
    pub variance: R,
    /// `log Σ e^v`, nats.
    pub log_sum_exp: R,
    /// Number of pairs.
    pub count: R,
    /// The mean score of rows with the candidates that are not their positive, where the loss asks
    /// for it (else 0). Only [`Loss::theta_state`](super::Loss::theta_state) sees it.
    pub negative_mean: R,
    /// How many candidates those are, likewise.
    pub negatives: R,
}

/// What `target` gives.
#[derive(Clone, Copy, Debug)]
pub struct Target<R> {
    /// t.
    pub value: R,
    /// dt/ds⁺ or dt/dθ, as [`Spec::target`](super::Spec::target) says.
    pub slope: R,
    /// dt/d‖q‖.
    pub norm_slope: R,
    /// One number derived from the positive that `pair` and `row` see again.
    pub row_constant: R,
}

/// What `pair` sees of one column of one pair's row.
#[derive(Clone, Copy, Debug)]
pub struct Entry<R> {
    /// The scaled score s.
    pub score: R,
    /// The pair's t; not to be read by a separable loss.
    pub target: R,
    /// From [`Target::row_constant`]; not to be read by a separable loss.
    pub row_constant: R,
    /// The second tile's score r (0 without one).
    pub second: R,
    /// The column's parameter (0 without).
    pub column: R,
    /// The number of this (row, slot) (0 without); its rank where the loss asks for ranks.
    pub constant: R,
}

/// What `pair` gives.
#[derive(Clone, Copy, Debug)]
pub struct Pair<R> {
    /// z; −∞ under [`RowReduction::LogSumExp`](super::RowReduction::LogSumExp) for a dead column (its slopes are then 0).
    pub value: R,
    /// ∂z/∂s.
    pub score_slope: R,
    /// ∂z/∂t.
    pub target_slope: R,
}

/// What `row` sees.
#[derive(Clone, Copy, Debug)]
pub struct Row<R> {
    /// R.
    pub sum: R,
    /// `LSE_j r`, if the second tile asks for it.
    pub second_sum: R,
    /// t, or the pooled target.
    pub target: R,
    /// Number of columns that were not masked.
    pub count: R,
    /// −log q of the positive (0 without `log_q`), for losses with the positive in the sum.
    pub positive_offset: R,
    /// From [`Target::row_constant`].
    pub row_constant: R,
    /// The row's parameters.
    pub row: [R; MAX_ROW_PARAMETERS],
}

/// What `row` gives.
#[derive(Clone, Copy, Debug)]
pub struct RowLoss<R> {
    /// ℓ in nats.
    pub value: R,
    /// ∂ℓ/∂R.
    pub sum_slope: R,
    /// ∂ℓ/∂t at fixed R.
    pub target_slope: R,
}
