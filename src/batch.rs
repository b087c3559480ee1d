//! A batch: borrowed inputs, checked once.

mod checks;
mod labels;
mod lists;
mod numbers;
mod read;

pub use labels::{Lonely, ProxyPairs, SamplePairs};
pub use lists::{Columns, Exclude, GivenScores, Lists, Positives, Reduction};

use crate::{Matrix, Result};
use checks::{check_ids, check_lists, check_numbers, fits_u32, shape};

/// Inputs of one evaluation, borrowed; the constructors check shapes, ids and finiteness.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    queries: Matrix<'a>,
    candidates: Matrix<'a>,
    rows: Option<&'a [u32]>,
    positives: Positives<'a>,
    columns: Columns<'a>,
    exclude: Option<Exclude<'a>>,
    log_q: Option<&'a [f32]>,
    weights: Option<&'a [f32]>,
    reduction: Reduction<'a>,
    second: Option<(Matrix<'a>, Matrix<'a>)>,
    theta: &'a [f64],
    row_parameters: Option<&'a [f64]>,
    /// Numbers of a row, or of a query.
    per_row: usize,
    parameters_by_query: bool,
    column_parameters: Option<&'a [f32]>,
    entry_constants: Option<&'a [f32]>,
    exclude_self: bool,
    positives_in_columns: bool,
    columns_per_class: usize,
    factor: f32,
    given: Option<GivenScores<'a>>,
    /// Ids of the positives where scores are given: all of them the one candidate there is.
    given_ids: Vec<u32>,
}

impl<'a> Batch<'a> {
    /// Row b is query b; every candidate is a column; mean.
    ///
    /// # Errors
    /// Widths differ, lengths do not fit, or an id is out of range.
    pub fn new(
        queries: Matrix<'a>,
        candidates: Matrix<'a>,
        positives: Positives<'a>,
    ) -> Result<Self> {
        if queries.dim() != candidates.dim() {
            return Err(shape(
                "candidates",
                format!("rows of {} numbers, as in queries", queries.dim()),
                candidates.dim(),
            ));
        }
        fits_u32("queries", queries.rows())?;
        fits_u32("candidates", candidates.rows())?;
        let batch = Batch::plain(queries, candidates, positives);
        batch.check_positives()?;
        Ok(batch)
    }

    fn plain(queries: Matrix<'a>, candidates: Matrix<'a>, positives: Positives<'a>) -> Self {
        Batch {
            queries,
            candidates,
            rows: None,
            positives,
            columns: Columns::All,
            exclude: None,
            log_q: None,
            weights: None,
            reduction: Reduction::Mean,
            second: None,
            theta: &[],
            row_parameters: None,
            per_row: 0,
            parameters_by_query: false,
            column_parameters: None,
            entry_constants: None,
            exclude_self: false,
            positives_in_columns: false,
            columns_per_class: 1,
            factor: 1.0,
            given: None,
            given_ids: Vec::new(),
        }
    }

    /// A batch without embeddings: scores are given, and gradients are for them. One positive per
    /// row; weights, reduction, row parameters and θ as with embeddings.
    ///
    /// # Errors
    /// No rows or columns, lengths that do not fit, or a number is not finite.
    pub fn from_scores(given: GivenScores<'a>) -> Result<Self> {
        let rows = given.positives.len();
        if rows == 0 || given.per_row == 0 {
            let actual = format!("{rows} rows of {} columns", given.per_row);
            return Err(shape(
                "scores",
                "at least one row and column".into(),
                actual,
            ));
        }
        fits_u32("positive_scores", rows)?;
        check_numbers("positive_scores", given.positives, rows)?;
        let entries = rows.saturating_mul(given.per_row);
        check_numbers("column_scores", given.columns, entries)?;
        if let Some((positives, columns)) = given.reference {
            check_numbers("reference_positive_scores", positives, rows)?;
            check_numbers("reference_column_scores", columns, entries)?;
        }
        let none = Matrix::none();
        let per_row = given.per_row;
        Ok(Batch {
            columns: Columns::Sampled { ids: &[], per_row },
            given: Some(given),
            given_ids: vec![0; rows],
            ..Batch::plain(none, none, Positives::One(&[]))
        })
    }

    /// The same batch on other tables of the same sizes: the next step of a training loop.
    ///
    /// # Errors
    /// Rows or widths differ from the tables before.
    pub fn tables(mut self, queries: Matrix<'a>, candidates: Matrix<'a>) -> Result<Self> {
        self.needs_embeddings("queries")?;
        for (argument, before, after) in [
            ("queries", &self.queries, &queries),
            ("candidates", &self.candidates, &candidates),
        ] {
            if (before.rows(), before.dim()) != (after.rows(), after.dim()) {
                let expected = format!("{} rows of {} numbers", before.rows(), before.dim());
                let actual = format!("{} rows of {}", after.rows(), after.dim());
                return Err(shape(argument, expected, actual));
            }
        }
        (self.queries, self.candidates) = (queries, candidates);
        Ok(self)
    }

    /// Row b reads query `rows[b]`. The gradient stays that of the table.
    ///
    /// # Errors
    /// The length is not that of the positives, or an id is out of range.
    pub fn rows(mut self, rows: &'a [u32]) -> Result<Self> {
        self.needs_embeddings("rows")?;
        if rows.len() != self.n_rows() {
            return Err(shape(
                "rows",
                format!("{} ids, one per row", self.n_rows()),
                rows.len(),
            ));
        }
        check_ids("rows", rows, self.queries.rows(), false)?;
        self.rows = Some(rows);
        Ok(self)
    }

    /// Chooses the columns.
    ///
    /// # Errors
    /// An empty list, a length other than B × `per_row`, or an id out of range.
    pub fn columns(mut self, columns: Columns<'a>) -> Result<Self> {
        self.needs_embeddings("columns")?;
        if self.columns_per_class > 1 && !matches!(columns, Columns::All) {
            return Err(shape("columns", "all columns".into(), "listed ones"));
        }
        match columns {
            Columns::All => {}
            Columns::Shared(ids) => {
                if ids.is_empty() {
                    return Err(shape("columns", "at least one id".into(), 0));
                }
                check_ids("columns", ids, self.candidates.rows(), false)?;
            }
            Columns::Sampled { .. } if self.exclude_self || self.positives_in_columns => {
                return Err(shape(
                    "columns",
                    "all or shared columns".into(),
                    "sampled ones",
                ));
            }
            Columns::Sampled { ids, per_row } => {
                let expected = self.n_rows().saturating_mul(per_row);
                if per_row == 0 || ids.len() != expected {
                    return Err(shape(
                        "negatives",
                        format!("{} rows of {per_row} ids, at least one each", self.n_rows()),
                        ids.len(),
                    ));
                }
                check_ids("negatives", ids, self.candidates.rows(), false)?;
            }
        }
        self.columns = columns;
        self.entry_constants = None;
        Ok(self)
    }

    /// Excludes candidates from the negatives of a row; a row's own positive listed here changes
    /// nothing, order and repeats neither.
    ///
    /// # Errors
    /// The wrong number of lists, or an id out of range. Call [`Batch::rows`] first.
    pub fn exclude(mut self, exclude: Exclude<'a>) -> Result<Self> {
        self.needs_embeddings("exclude")?;
        let (lists, expected) = match exclude {
            Exclude::ByRow(lists) => (lists, self.n_rows()),
            Exclude::ByQuery(lists) => (lists, self.queries.rows()),
        };
        check_lists("exclude", lists, expected, self.n_classes(), false)?;
        self.exclude = Some(exclude);
        Ok(self)
    }

    /// Log sampling probability per candidate, subtracted from every logit in the sum.
    ///
    /// # Errors
    /// The length is not N, or a number is not finite.
    pub fn log_q(mut self, log_q: &'a [f32]) -> Result<Self> {
        self.needs_embeddings("log_q")?;
        check_numbers("log_q", log_q, self.candidates.rows())?;
        self.log_q = Some(log_q);
        Ok(self)
    }

    /// Weight per pair, multiplied to its loss before the reduction.
    ///
    /// # Errors
    /// The length is not P, or a number is not finite.
    pub fn weights(mut self, weights: &'a [f32]) -> Result<Self> {
        check_numbers("row_weights", weights, self.n_pairs())?;
        self.weights = Some(weights);
        Ok(self)
    }

    /// Chooses the reduction.
    ///
    /// # Errors
    /// The upstream gradients' length is not P, or one is not finite.
    pub fn reduction(mut self, reduction: Reduction<'a>) -> Result<Self> {
        if let Reduction::None { upstream } = reduction {
            check_numbers("upstream", upstream, self.n_pairs())?;
        }
        self.reduction = reduction;
        Ok(self)
    }

    /// Multiplies the value and all gradients, not the row losses: with gradients added to those of
    /// other losses, the weight of this one in their sum.
    ///
    /// # Errors
    /// Not a finite number.
    pub fn factor(mut self, factor: f32) -> Result<Self> {
        check_numbers("factor", &[factor], 1)?;
        self.factor = factor;
        Ok(self)
    }

    /// What ids of positives are below.
    fn n_classes(&self) -> usize {
        self.candidates.rows() / self.columns_per_class
    }

    /// What belongs to tables has no place where scores are given.
    fn needs_embeddings(&self, argument: &'static str) -> Result<()> {
        match self.given {
            Some(_) => Err(shape(
                argument,
                "embeddings to go with".into(),
                "given scores",
            )),
            None => Ok(()),
        }
    }

    fn not_sampled(&self, argument: &'static str) -> Result<()> {
        match self.columns {
            Columns::Sampled { .. } => Err(shape(
                argument,
                "all or shared columns".into(),
                "sampled ones",
            )),
            _ => Ok(()),
        }
    }

    fn check_positives(&self) -> Result<()> {
        let n = self.n_classes();
        match self.positives {
            Positives::One(ids) => {
                if ids.len() != self.queries.rows() && ids.is_empty() {
                    return Err(shape("positives", "at least one id".into(), 0));
                }
                fits_u32("positives", ids.len())?;
                check_ids("positives", ids, n, true)
            }
            Positives::Many(lists) => {
                let rows = lists.offsets.len().saturating_sub(1);
                if rows == 0 {
                    return Err(shape("positives", "at least one list".into(), 0));
                }
                check_lists("positives", lists, rows, n, true)
            }
        }
    }
}
