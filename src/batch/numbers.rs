//! What only some losses read, and which columns are a row's own.

use super::{
    Batch, Columns, Reduction,
    checks::{check_numbers, shape},
};
use crate::{
    Error, Matrix, Result,
    shape::{MAX_ROW_PARAMETERS, MAX_THETA},
};

impl<'a> Batch<'a> {
    /// The second pair of tables (an adversary's), row for row beside the first.
    ///
    /// # Errors
    /// Row counts or widths do not fit.
    pub fn second(mut self, queries: Matrix<'a>, candidates: Matrix<'a>) -> Result<Self> {
        self.needs_embeddings("adv_queries")?;
        if queries.rows() != self.queries.rows() {
            return Err(shape(
                "adv_queries",
                format!("{} rows", self.queries.rows()),
                queries.rows(),
            ));
        }
        if candidates.rows() != self.candidates.rows() || candidates.dim() != queries.dim() {
            return Err(shape(
                "adv_candidates",
                format!(
                    "{} rows of {} numbers",
                    self.candidates.rows(),
                    queries.dim()
                ),
                format!("{} rows of {}", candidates.rows(), candidates.dim()),
            ));
        }
        self.second = Some((queries, candidates));
        Ok(self)
    }

    /// The same scores for a loss that reads nothing beside them: mean, without weights and numbers.
    pub(crate) fn scores_alone(&self) -> Batch<'a> {
        Batch {
            weights: None,
            reduction: Reduction::Mean,
            second: None,
            theta: &[],
            row_parameters: None,
            per_row: 0,
            parameters_by_query: false,
            column_parameters: None,
            entry_constants: None,
            factor: 1.0,
            ..self.clone()
        }
    }

    /// The learnable scalars θ of the loss.
    ///
    /// # Errors
    /// More than [`MAX_THETA`], or one is not finite.
    pub fn theta(mut self, theta: &'a [f64]) -> Result<Self> {
        if theta.len() > MAX_THETA {
            return Err(shape(
                "theta",
                format!("at most {MAX_THETA} numbers"),
                theta.len(),
            ));
        }
        if let Some(at) = theta.iter().position(|x| !x.is_finite()) {
            return Err(Error::NotFinite {
                argument: "theta",
                at,
                value: theta[at],
            });
        }
        self.theta = theta;
        Ok(self)
    }

    /// Numbers per batch row that the loss reads: `per_row` for each of the B rows, row-major. A
    /// device rounds them to f32.
    ///
    /// # Errors
    /// More than [`MAX_ROW_PARAMETERS`] per row, a length other than B × `per_row`, or a number is
    /// not finite (as f32).
    pub fn row_parameters(self, numbers: &'a [f64], per_row: usize) -> Result<Self> {
        let rows = self.n_rows();
        self.parameters("row_parameters", numbers, per_row, rows)
    }

    /// The same for state that belongs to queries: `per_query` numbers for each row of the query
    /// table, which all batch rows of that query read.
    ///
    /// # Errors
    /// As [`Batch::row_parameters`], with U rows.
    pub fn query_parameters(mut self, numbers: &'a [f64], per_query: usize) -> Result<Self> {
        self.needs_embeddings("query_parameters")?;
        let queries = self.queries.rows();
        self = self.parameters("query_parameters", numbers, per_query, queries)?;
        self.parameters_by_query = true;
        Ok(self)
    }

    fn parameters(
        mut self,
        argument: &'static str,
        numbers: &'a [f64],
        each: usize,
        rows: usize,
    ) -> Result<Self> {
        if each == 0 || each > MAX_ROW_PARAMETERS {
            let expected = format!("1 to {MAX_ROW_PARAMETERS} numbers per row");
            return Err(shape(argument, expected, each));
        }
        if numbers.len() != rows * each {
            let expected = format!("{} numbers, {each} for each of {rows} rows", rows * each);
            return Err(shape(argument, expected, numbers.len()));
        }
        if let Some(at) = numbers.iter().position(|x| !(*x as f32).is_finite()) {
            let value = numbers[at];
            return Err(Error::NotFinite {
                argument,
                at,
                value,
            });
        }
        (self.row_parameters, self.per_row) = (Some(numbers), each);
        self.parameters_by_query = false;
        Ok(self)
    }

    /// A number per candidate that the loss reads and may have a gradient: a class's threshold.
    ///
    /// # Errors
    /// The length is not N, or a number is not finite.
    pub fn column_parameters(mut self, numbers: &'a [f32]) -> Result<Self> {
        self.needs_embeddings("column_parameters")?;
        check_numbers("column_parameters", numbers, self.candidates.rows())?;
        self.column_parameters = Some(numbers);
        Ok(self)
    }

    /// A number per (row, slot) of sampled columns that the loss reads. Call [`Batch::columns`]
    /// first.
    ///
    /// # Errors
    /// The columns are not sampled, the length is not that of their ids, or a number is not finite.
    pub fn entry_constants(mut self, numbers: &'a [f32]) -> Result<Self> {
        self.needs_embeddings("entry_constants")?;
        let Columns::Sampled { ids, .. } = self.columns else {
            let expected = "sampled columns to go with".into();
            return Err(shape("entry_constants", expected, "none"));
        };
        check_numbers("entry_constants", numbers, ids.len())?;
        self.entry_constants = Some(numbers);
        Ok(self)
    }

    /// Candidates are the queries (both tables the same rows in the same order): a row is no
    /// negative of itself. Columns may be all or shared.
    ///
    /// # Errors
    /// The tables differ in their number of rows, or columns are sampled.
    pub fn exclude_self(mut self) -> Result<Self> {
        self.needs_embeddings("exclude_self")?;
        if self.queries.rows() != self.candidates.rows() {
            let expected = format!("{} rows, as in queries", self.queries.rows());
            return Err(shape("candidates", expected, self.candidates.rows()));
        }
        self.not_sampled("exclude_self")?;
        if self.columns_per_class > 1 {
            return Err(shape(
                "exclude_self",
                "classes of one candidate".into(),
                "several",
            ));
        }
        self.exclude_self = true;
        Ok(self)
    }

    /// A row's positives are columns of it too, its pair's own one included: the denominators of
    /// supervised contrastive losses. Columns may be all or shared.
    ///
    /// # Errors
    /// Columns are sampled: those are taken literally anyway.
    pub fn positives_in_columns(mut self) -> Result<Self> {
        self.needs_embeddings("positives_in_columns")?;
        self.not_sampled("positives_in_columns")?;
        self.positives_in_columns = true;
        Ok(self)
    }

    /// Classes have `count` sub-centres each: candidates `count`·y to `count`·y + `count` − 1 are
    /// those of class y, and a row's score with y is that of the best, the lowest on ties (Deng et
    /// al., Sub-center ArcFace, ECCV 2020). Positives and exclusion lists then hold classes; log q
    /// and column parameters still belong to candidates. All columns; no second tables.
    ///
    /// # Errors
    /// `count` is 0 or does not divide the number of candidates, a positive or an excluded id is no
    /// class, columns are listed, or [`Batch::exclude_self`] was called.
    pub fn columns_per_class(mut self, count: usize) -> Result<Self> {
        self.needs_embeddings("columns_per_class")?;
        let candidates = self.candidates.rows();
        if count == 0 || !candidates.is_multiple_of(count) {
            let expected = format!("a divisor of {candidates}, the number of candidates");
            return Err(shape("columns_per_class", expected, count));
        }
        if !matches!(self.columns, Columns::All) || self.exclude_self {
            let expected = "all columns, without exclude_self".into();
            return Err(shape("columns_per_class", expected, "other columns"));
        }
        self.columns_per_class = count;
        self.check_positives()?;
        match self.exclude {
            Some(exclude) => self.exclude(exclude),
            None => Ok(self),
        }
    }
}
