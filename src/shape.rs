//! Sizes and kinds of a batch, without its data: what plans and loss checks need.

use crate::{Error, Result};

/// Label of a pair that is to be ignored: no loss, no gradient, not in the divisor of the mean.
pub const IGNORED: u32 = u32::MAX;

/// Label of a pair whose row has no positive and counts all the same, for losses that take such rows.
pub const ABSENT: u32 = u32::MAX - 1;

/// Most learnable scalars θ that a loss may have.
pub const MAX_THETA: usize = 16;

/// Most constants that a loss may pass to its scalar functions.
pub const MAX_CONSTANTS: usize = 16;

/// Most numbers per batch row that a loss's scalar functions may read.
pub const MAX_ROW_PARAMETERS: usize = 2;

/// Largest embedding width D.
pub const MAX_DIM: usize = 1024;

/// Which candidates a row is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Every candidate except the row's positives.
    All,
    /// One list for all rows, of this length; ids may repeat and then count repeatedly; a row's
    /// positives are masked by id.
    Shared(usize),
    /// This many ids per row, taken literally: they may repeat and may equal the positive.
    Sampled(usize),
}

/// How row losses become the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReductionKind {
    /// Weighted sum divided by the number of pairs that are not ignored.
    Mean,
    /// Weighted sum.
    Sum,
    /// `Σ upstream · row loss`: the caller passes the gradient of each row loss.
    None,
}

/// Sizes and kinds of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// U, rows of the query table.
    pub queries: usize,
    /// N, rows of the candidate table.
    pub candidates: usize,
    /// D, width of both tables.
    pub dim: usize,
    /// B, rows of the batch.
    pub rows: usize,
    /// P, (row, positive) pairs; equals B with one positive per row.
    pub pairs: usize,
    /// Whether positives come as lists (several, or none, per row).
    pub many_positives: bool,
    /// Whether batch rows name their query (otherwise row b reads query b, and B = U).
    pub indexed_rows: bool,
    /// Which candidates are compared.
    pub columns: ColumnKind,
    /// Number of listed excluded ids, if there are exclusion lists.
    pub excluded: Option<usize>,
    /// Whether the exclusion lists belong to queries (U lists) and not to batch rows (B lists).
    pub exclude_by_query: bool,
    /// Whether log sampling probabilities are given.
    pub log_q: bool,
    /// Whether pair weights are given.
    pub weights: bool,
    /// Reduction.
    pub reduction: ReductionKind,
    /// Width of the second pair of tables, if there is one.
    pub second_dim: Option<usize>,
    /// Number of learnable scalars given.
    pub thetas: usize,
    /// Numbers per batch row.
    pub row_parameters: usize,
    /// Whether those belong to queries (U times as many) and not to batch rows (B times).
    pub parameters_by_query: bool,
    /// Whether a number per candidate is given.
    pub column_parameters: bool,
    /// Whether a number per (row, slot) of sampled columns is given.
    pub entry_constants: bool,
    /// Whether a row is no negative of itself: candidates are the queries, and column j is masked
    /// where it is the row's query.
    pub exclude_self: bool,
    /// Whether a row's positives are columns of it too.
    pub positives_in_columns: bool,
    /// K, candidates that belong to one class and compete for it; 1 unless classes have
    /// sub-centres.
    pub columns_per_class: usize,
    /// Whether some pairs are [`ABSENT`].
    pub absent: bool,
    /// Where scores are given in place of embeddings, whether reference scores are too. U is B
    /// then, N and D are 1, and columns are sampled ones.
    pub given: Option<bool>,
}

impl Shape {
    /// Of the plainest batch: `rows` queries, each a row with one positive, compared with every
    /// candidate; mean. Other shapes differ from it by their fields.
    #[must_use]
    pub fn new(rows: usize, candidates: usize, dim: usize) -> Self {
        Shape {
            queries: rows,
            candidates,
            dim,
            rows,
            pairs: rows,
            many_positives: false,
            indexed_rows: false,
            columns: ColumnKind::All,
            excluded: None,
            exclude_by_query: false,
            log_q: false,
            weights: false,
            reduction: ReductionKind::Mean,
            second_dim: None,
            thetas: 0,
            row_parameters: 0,
            parameters_by_query: false,
            column_parameters: false,
            entry_constants: false,
            exclude_self: false,
            positives_in_columns: false,
            columns_per_class: 1,
            absent: false,
            given: None,
        }
    }

    /// Checks that the fields go together. The shape of a [`Batch`](crate::Batch) does.
    ///
    /// # Errors
    /// Classes of no or unequal numbers of candidates, or with other columns than all; self-exclusion
    /// with tables of different heights; what belongs to one kind of columns with another; given
    /// scores with anything that belongs to tables.
    pub fn check(&self) -> Result<()> {
        let sampled = matches!(self.columns, ColumnKind::Sampled(_));
        let centres = self.columns_per_class;
        let divides = centres > 0 && self.candidates.is_multiple_of(centres);
        let alone = centres == 1 || (self.columns == ColumnKind::All && !self.exclude_self);
        let plain = Shape {
            columns: self.columns,
            weights: self.weights,
            reduction: self.reduction,
            thetas: self.thetas,
            row_parameters: self.row_parameters,
            given: self.given,
            ..Shape::new(self.rows, 1, 1)
        };
        for (argument, fits, expected) in [
            (
                "columns_per_class",
                divides,
                "a divisor of the number of candidates",
            ),
            (
                "columns_per_class",
                alone,
                "1, or all columns without exclude_self",
            ),
            (
                "exclude_self",
                !self.exclude_self || (!sampled && self.queries == self.candidates),
                "as many queries as candidates, and no sampled columns",
            ),
            (
                "positives_in_columns",
                !self.positives_in_columns || !sampled,
                "no sampled columns",
            ),
            (
                "entry_constants",
                !self.entry_constants || sampled,
                "sampled columns to go with",
            ),
            (
                "row_parameters",
                self.row_parameters <= MAX_ROW_PARAMETERS,
                "at most 2 numbers per row",
            ),
            (
                "scores",
                self.given.is_none() || (sampled && *self == plain),
                "sampled columns, and nothing that belongs to tables",
            ),
        ] {
            if !fits {
                return Err(Error::Shape {
                    argument,
                    expected: expected.into(),
                    actual: format!("{self:?}"),
                });
            }
        }
        Ok(())
    }

    /// How many row parameters there are in all, of rows or of queries.
    #[must_use]
    pub fn parameters(&self) -> usize {
        let rows = match self.parameters_by_query {
            true => self.queries,
            false => self.rows,
        };
        rows * self.row_parameters
    }

    /// Number of columns that a row sees before masks: N, or the length of its list.
    #[must_use]
    pub fn columns(&self) -> usize {
        match self.columns {
            ColumnKind::All => self.candidates,
            ColumnKind::Shared(n) | ColumnKind::Sampled(n) => n,
        }
    }
}
