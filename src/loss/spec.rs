//! What the engine must know about a loss before it runs: [`Spec`].

use crate::{ColumnKind, Error, Result, Shape, shape::ReductionKind};
use serde::{Deserialize, Serialize};

/// What two embeddings are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// The inner product.
    Dot,
    /// The inner product of the unit vectors; a zero vector scores 0 and gets no gradient.
    Cosine,
    /// The inner product with the candidate's unit vector, ‖q‖·cos θ: norms of features count,
    /// those of classes do not.
    Projection,
}

impl Score {
    /// Whether queries are taken to unit length.
    #[must_use]
    pub fn unit_queries(self) -> bool {
        self == Score::Cosine
    }

    /// Whether candidates are taken to unit length.
    #[must_use]
    pub fn unit_candidates(self) -> bool {
        self != Score::Dot
    }
}

/// How a row's values become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowReduction {
    /// `log Σ e^z`.
    LogSumExp,
    /// `Σ z`.
    Sum,
}

/// In which form [`Loss::target`](super::Loss::target) gives the slope of t.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetForm {
    /// dt/ds⁺, the slope by the (scaled) score: identities, shifts, detached margins.
    Score,
    /// dt/dθ, the slope by the angle; applied along the unit tangent, so nothing diverges at
    /// θ = 0 or π. Not for dot products.
    Tangent,
}

/// Whether the targets of one query's pairs are pooled before `row` sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pool {
    /// Each pair keeps its own target.
    Each,
    /// All pairs of equal query see `log mean e^{κt}` over the group, or its sum,
    /// κ = [`Loss::pool_scale`](super::Loss::pool_scale).
    Query {
        /// Whether a group counts once in the mean (each of its pairs weighs 1/n), or each pair.
        per_group: bool,
        /// Whether they see `log Σ e^{κt}` in place of the mean.
        sum: bool,
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
    /// Whether the tables are constants: a reference model's. They get no gradients, and `target`
    /// sees the positive's own r.
    pub frozen: bool,
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
    /// How many numbers per batch row the functions read, at most
    /// [`MAX_ROW_PARAMETERS`](crate::MAX_ROW_PARAMETERS).
    pub row_parameters: usize,
    /// Whether the functions read a number per candidate: a threshold, a bias.
    pub column_parameters: bool,
    /// Whether `pair` reads a number per (row, slot) of sampled columns.
    pub entry_constants: bool,
    /// Whether rows may be without a positive ([`ABSENT`](crate::ABSENT)): their t is −1e32, a
    /// constant, and `row` makes of it what the loss says.
    pub absent_positives: bool,
    /// Whether rows without a live column count all the same under
    /// [`RowReduction::LogSumExp`]: their R is [`EMPTY`](super::EMPTY), a constant. Otherwise such
    /// a row's loss is 0, and so are its gradients.
    pub empty_rows: bool,
    /// Whether [`Loss::row_state`](super::Loss::row_state) renews the row parameters with every
    /// evaluation.
    pub row_state: bool,
    /// Whether `target` and `pair` read ranks, counted over all candidates. Columns are sampled then.
    pub ranks: bool,
    /// Whether z is α·s² with a constant α. Over all columns its sum then follows from the candidates'
    /// second moments, without a tile.
    pub quadratic: bool,
    /// Whether `target` or [`Loss::theta_state`](super::Loss::theta_state) read statistics of
    /// [`Loss::batch_value`](super::Loss::batch_value) over the batch.
    pub batch_statistics: bool,
    /// Whether those tell the mean score of rows with the candidates that are not their positive.
    /// Every row has one positive then, and every candidate is a column.
    pub negative_mean: bool,
    /// Whether θ is state that [`Loss::theta_state`](super::Loss::theta_state) renews from the batch's
    /// statistics, before anything else reads it, and not learnt: it has no gradient.
    pub theta_state: bool,
    /// Whether [`Loss::norm_slope`](super::Loss::norm_slope) tells how the row's loss changes with
    /// ‖q‖ beside t.
    pub norm_slope: bool,
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
            row_parameters: 0,
            column_parameters: false,
            entry_constants: false,
            absent_positives: false,
            empty_rows: false,
            row_state: false,
            ranks: false,
            quadratic: false,
            batch_statistics: false,
            negative_mean: false,
            theta_state: false,
            norm_slope: false,
        }
    }

    /// How many scalars θ have gradients.
    #[must_use]
    pub fn learnt(&self) -> usize {
        if self.theta_state { 0 } else { self.thetas }
    }

    /// Checks that a batch brings what the loss needs beside its parameters.
    ///
    /// # Errors
    /// Wrong number of θ, second tables missing or superfluous, `log_q` with a plain sum, a target
    /// in tangent form with dot products, weights or another reduction beside [`Outer::LogMeanExp`],
    /// row parameters, column parameters or entry constants missing or superfluous, a target in
    /// tangent form with given scores, rows without a positive.
    pub fn check(&self, shape: &Shape) -> Result<()> {
        self.check_numbers(shape)?;
        let second = self.second.is_some();
        let sampled = matches!(shape.columns, ColumnKind::Sampled(_));
        let tangent = self.target == TargetForm::Tangent;
        let plain_mean = shape.reduction == ReductionKind::Mean && !shape.weights;
        let refused = [
            (
                second && shape.second_dim.is_none(),
                "needs second tables (adv_queries, adv_candidates)",
            ),
            (
                !second && shape.second_dim.is_some(),
                "takes no second tables (adv_queries, adv_candidates)",
            ),
            (
                shape.absent && !self.absent_positives,
                "every row needs a positive",
            ),
            (
                self.ranks && !(sampled && shape.given.is_none()),
                "ranks are counted for sampled columns of embeddings",
            ),
            (
                self.row_state && shape.row_parameters == 0,
                "needs the state of its rows (row_parameters)",
            ),
            (
                shape.given.is_some() && tangent,
                "given scores have no angles",
            ),
            (
                shape.columns_per_class > 1 && second,
                "sub-centres go with one pair of tables",
            ),
            (
                shape.log_q && self.reduction == RowReduction::Sum,
                "log_q is for log-sum losses only",
            ),
            (
                tangent && self.score == Score::Dot,
                "targets in tangent form need unit candidates, not dot products",
            ),
            (
                self.negative_mean && !whole_rows(shape),
                "the mean over other candidates takes all columns, and one positive per row",
            ),
            (
                self.outer == Outer::LogMeanExp && !plain_mean,
                "one value per batch takes reduction `mean` and no weights",
            ),
        ];
        match refused.into_iter().find(|(refused, _)| *refused) {
            Some((_, why)) => Err(Error::Unsupported(format!("{}: {why}", self.name))),
            None => Ok(()),
        }
    }

    /// The numbers: learnable ones, per row, per candidate and per entry.
    fn check_numbers(&self, shape: &Shape) -> Result<()> {
        let wrong = |argument, needed: String, given: String| {
            Err(Error::Shape {
                argument,
                expected: format!("{needed} for {}", self.name),
                actual: given,
            })
        };
        let given = |on: bool| if on { "given" } else { "none" };
        if shape.thetas != self.thetas {
            return wrong(
                "theta",
                format!("{} numbers", self.thetas),
                shape.thetas.to_string(),
            );
        }
        if shape.row_parameters != self.row_parameters {
            return wrong(
                "row_parameters",
                format!("{} numbers per row", self.row_parameters),
                shape.row_parameters.to_string(),
            );
        }
        for (argument, needs, has) in [
            (
                "column_parameters",
                self.column_parameters,
                shape.column_parameters,
            ),
            (
                "entry_constants",
                self.entry_constants,
                shape.entry_constants,
            ),
        ] {
            if needs != has {
                return wrong(argument, given(needs).into(), given(has).into());
            }
        }
        Ok(())
    }
}

/// Whether every row has one positive, and all other candidates for columns.
fn whole_rows(shape: &Shape) -> bool {
    let plain = shape.columns == ColumnKind::All && shape.excluded.is_none();
    let alone = shape.columns_per_class == 1 && !shape.exclude_self;
    plain && alone && !shape.many_positives && shape.given.is_none() && shape.candidates > 1
}
