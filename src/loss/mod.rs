//! A loss is a handful of scalar functions: [`Loss`]. Tiles, reductions and gradients know no
//! loss by name.
//!
//! Per row and column the engine computes a score `s`; per (row, positive) pair the target `t`,
//! the positive's score after the loss's margin map. Then
//!
//! ```text
//! z = pair(s, t)            value of a column, with ∂z/∂s and ∂z/∂t
//! R = LSE_j z  or  Σ_j z    reduction over the row's columns
//! ℓ = row(R, t)             loss of the pair in nats, with ∂ℓ/∂R and ∂ℓ/∂t
//! ```
//!
//! Adding a loss costs its Rust file, its WGSL file (the same functions), and a line in
//! [`registry`].

mod about;
mod adv_info_nce;
mod arc_face;
mod bsl;
mod erased;
mod psl;
pub mod registry;
mod sl;
mod uss;

pub use about::{About, Described, Parameter};
pub use adv_info_nce::AdvInfoNce;
pub use arc_face::{ArcFace, Gradient, Variant};
pub use bsl::{Bsl, BslForm};
pub use erased::DynLoss;
pub use psl::{Activation, Psl};
pub use registry::AnyLoss;
pub use sl::{InfoNce, Sl};
pub use uss::Uss;

use crate::{
    Real, Result, Shape,
    shape::{MAX_CONSTANTS, MAX_THETA, ReductionKind},
};
use serde::{Deserialize, Serialize};

/// What two embeddings are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// The inner product.
    Dot,
    /// The inner product of the unit vectors; a zero vector scores 0 and gets no gradient.
    Cosine,
}

/// How a row's values become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowReduction {
    /// `log Σ e^z`.
    LogSumExp,
    /// `Σ z`.
    Sum,
}

/// In which form [`Loss::target`] gives the slope of t.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetForm {
    /// dt/ds⁺, the slope by the (scaled) score: identities, shifts, detached margins.
    Score,
    /// dt/dθ, the slope by the angle; applied along the unit tangent, so nothing diverges at
    /// θ = 0 or π. Cosine scores only.
    Tangent,
}

/// Whether the targets of one query's pairs are pooled before `row` sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pool {
    /// Each pair keeps its own target.
    Each,
    /// All pairs of equal query see `log mean e^{κt}` over the group, κ = [`Loss::pool_scale`].
    Query {
        /// Whether a group counts once in the mean (each of its pairs weighs 1/n), or each pair.
        per_group: bool,
    },
}

/// How row losses become the value, beside the batch's reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outer {
    /// As the batch says: mean, sum, or none.
    Rows,
    /// `log Σ_b e^{ℓ_b} − log Σ_b count_b`: one value per batch.
    LogMeanExp,
}

/// The second tile of a loss: a score r from tables of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecondTile {
    /// What the second tables are compared by.
    pub score: Score,
    /// Whether the row also needs `LSE_j r`.
    pub log_sum: bool,
}

/// What the engine must know about a loss before it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// The loss's name in case files, on the command line, in labels.
    pub name: &'static str,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score.
    pub score_scale: f64,
    /// Reduction over the columns.
    pub reduction: RowReduction,
    /// Whether z does not depend on t: one statistic per row then serves all its pairs.
    pub separable: bool,
    /// Form of the target's slope.
    pub target: TargetForm,
    /// Number of learnable scalars θ.
    pub thetas: usize,
    /// The second tile, if the loss has one.
    pub second: Option<SecondTile>,
    /// Pooling of targets.
    pub pool: Pool,
    /// Outer reduction.
    pub outer: Outer,
}

impl Spec {
    /// The commonest form: separable log-sum-exp over `score`, each pair for itself.
    #[must_use]
    pub fn log_sum_exp(name: &'static str, score: Score, score_scale: f64) -> Self {
        Spec {
            name,
            score,
            score_scale,
            reduction: RowReduction::LogSumExp,
            separable: true,
            target: TargetForm::Score,
            thetas: 0,
            second: None,
            pool: Pool::Each,
            outer: Outer::Rows,
        }
    }
}

impl Spec {
    /// Checks that a batch brings what the loss needs beside its parameters.
    ///
    /// # Errors
    /// Wrong number of θ, second tables missing or superfluous, `log_q` with a plain sum, a target
    /// in tangent form without cosine, weights or another reduction beside [`Outer::LogMeanExp`].
    pub fn check(&self, shape: &Shape) -> Result<()> {
        if shape.thetas != self.thetas {
            return Err(crate::Error::Shape {
                argument: "theta",
                expected: format!("{} numbers for {}", self.thetas, self.name),
                actual: shape.thetas.to_string(),
            });
        }
        if shape.second_dim.is_some() != self.second.is_some() {
            let verb = if self.second.is_some() {
                "needs"
            } else {
                "takes no"
            };
            let message = format!(
                "{}: {verb} second tables (adv_queries, adv_candidates)",
                self.name
            );
            return Err(crate::Error::Unsupported(message));
        }
        if shape.log_q && self.reduction == RowReduction::Sum {
            let message = format!("{}: log_q is for log-sum losses only", self.name);
            return Err(crate::Error::Unsupported(message));
        }
        if self.target == TargetForm::Tangent && self.score == Score::Dot {
            let message = format!("{}: targets in tangent form need cosine scores", self.name);
            return Err(crate::Error::Unsupported(message));
        }
        let plain_mean = shape.reduction == ReductionKind::Mean && !shape.weights;
        if self.outer == Outer::LogMeanExp && !plain_mean {
            let message = format!(
                "{}: one value per batch takes reduction `mean` and no weights",
                self.name
            );
            return Err(crate::Error::Unsupported(message));
        }
        Ok(())
    }
}

/// The numbers that the scalar functions read; on the device a small buffer, so a sweep over a
/// temperature recompiles nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parameters<R> {
    /// From [`Loss::constants`], in its order.
    pub constants: [R; MAX_CONSTANTS],
    /// The learnable scalars θ.
    pub theta: [R; MAX_THETA],
}

/// What `target` sees of a (row, positive) pair.
#[derive(Clone, Copy, Debug)]
pub struct PositiveScore<R> {
    /// The scaled score s⁺.
    pub score: R,
    /// 1 − cos θ by the chord formula (cosine only).
    pub one_minus_cos: R,
    /// 1 + cos θ by the chord formula (cosine only).
    pub one_plus_cos: R,
    /// ‖q‖.
    pub query_norm: R,
}

/// What `target` gives.
#[derive(Clone, Copy, Debug)]
pub struct Target<R> {
    /// t.
    pub value: R,
    /// dt/ds⁺ or dt/dθ, as [`Spec::target`] says.
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
}

/// What `pair` gives.
#[derive(Clone, Copy, Debug)]
pub struct Pair<R> {
    /// z; −∞ under [`RowReduction::LogSumExp`] for a dead column (its slopes are then 0).
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

/// A loss: configuration and scalar functions, the same in Rust (generic over the float) and in
/// WGSL. Implement it for your own type to run it on every path.
///
/// The WGSL text defines, with the shared math functions in scope and `loss_constant(k)`,
/// `loss_theta(k)` for the parameters:
///
/// ```wgsl
/// fn loss_target(positive: PositiveScore) -> Target
/// fn loss_pair(entry: Entry) -> Pair
/// fn loss_row(row: Row) -> RowLoss
/// ```
///
/// and, where [`Spec`] asks for them, `loss_pair_theta(k: u32, entry: Entry) -> f32`,
/// `loss_row_theta(k: u32, row: Row) -> f32`, `loss_pool_scale() -> f32`. The structs have the
/// fields of their Rust twins. Use `DEAD` for the value of a dead column.
pub trait Loss: Clone + Send + Sync + std::fmt::Debug + 'static {
    /// What the engine must know.
    fn spec(&self) -> Spec;

    /// The numbers the functions read as `constants`, at most [`MAX_CONSTANTS`]. The first is the
    /// factor that z has on scores (1/τ, or a scale): tolerances of [`crate::check`] read it.
    fn constants(&self) -> Vec<f64>;

    /// Checks parameters and their fit to the batch.
    ///
    /// # Errors
    /// [`crate::Error::Domain`] naming parameter and domain.
    fn check(&self, shape: &Shape) -> Result<()>;

    /// The WGSL functions.
    fn wgsl(&self) -> &'static str;

    /// Runs `work` on a loss equal to `self`. A loss whose functions branch on its configuration
    /// calls `work` once per branch, each time on a value that is constant there: the compiler
    /// then vectorises every branch by itself.
    #[inline(always)]
    fn specialized<T>(&self, work: impl FnOnce(&Self) -> T) -> T {
        work(self)
    }

    /// t of a pair. The identity unless said otherwise.
    fn target<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> Target<R> {
        Target {
            value: positive.score,
            slope: R::ONE,
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    /// z of a column and its slopes.
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R>;

    /// ∂z/∂θₖ.
    fn pair_theta<R: Real>(&self, _k: usize, _entry: Entry<R>, _p: &Parameters<R>) -> R {
        R::ZERO
    }

    /// ℓ of a pair and its slopes.
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R>;

    /// ∂ℓ/∂θₖ at fixed R.
    fn row_theta<R: Real>(&self, _k: usize, _row: Row<R>, _p: &Parameters<R>) -> R {
        R::ZERO
    }

    /// κ of [`Pool::Query`].
    fn pool_scale<R: Real>(&self, _p: &Parameters<R>) -> R {
        R::ONE
    }
}

/// Checks that a parameter is a positive finite number.
pub(crate) fn positive(loss: &'static str, parameter: &'static str, value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(crate::Error::Domain {
        loss,
        parameter,
        value: value.to_string(),
        domain: "expected a finite number above 0".into(),
    })
}
