//! A batch: borrowed inputs, checked once.

use crate::{
    ColumnKind, Error, Matrix, ReductionKind, Result, Shape,
    shape::{IGNORED, MAX_THETA},
};

/// Lists of ids in compressed form: list i is `ids[offsets[i]..offsets[i + 1]]`.
#[derive(Clone, Copy, Debug)]
pub struct Lists<'a> {
    /// One more than there are lists, ascending from 0 to `ids.len()`.
    pub offsets: &'a [u32],
    /// The ids of all lists.
    pub ids: &'a [u32],
}

impl<'a> Lists<'a> {
    /// List `i`.
    #[must_use]
    pub fn list(&self, i: usize) -> &'a [u32] {
        &self.ids[self.offsets[i] as usize..self.offsets[i + 1] as usize]
    }
}

/// The candidates that belong to the rows.
#[derive(Clone, Copy, Debug)]
pub enum Positives<'a> {
    /// One id per row; [`IGNORED`] leaves the row out.
    One(&'a [u32]),
    /// A list per row; each (row, positive) is a pair with a loss of its own.
    Many(Lists<'a>),
}

/// The candidates that rows are compared with.
#[derive(Clone, Copy, Debug)]
pub enum Columns<'a> {
    /// Every candidate except the row's positives.
    All,
    /// One list for all rows; repeats count; the row's positives are masked by id.
    Shared(&'a [u32]),
    /// `per_row` ids per row, row-major, taken literally.
    Sampled {
        /// B × `per_row` ids.
        ids: &'a [u32],
        /// Ids per row.
        per_row: usize,
    },
}

/// Candidates that are no negatives, beside the positives.
#[derive(Clone, Copy, Debug)]
pub enum Exclude<'a> {
    /// A list per batch row.
    ByRow(Lists<'a>),
    /// A list per query; row b uses the list of its query.
    ByQuery(Lists<'a>),
}

/// How row losses become the value.
#[derive(Clone, Copy, Debug)]
pub enum Reduction<'a> {
    /// Weighted sum over pairs divided by the number of pairs that are not ignored.
    Mean,
    /// Weighted sum over pairs.
    Sum,
    /// `Σ_p upstream_p · ℓ_p`; P numbers, the gradient of each pair's loss.
    None {
        /// P upstream gradients.
        upstream: &'a [f32],
    },
}

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
        let batch = Batch {
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
        };
        batch.check_positives()?;
        Ok(batch)
    }

    /// Row b reads query `rows[b]`. The gradient stays that of the table.
    ///
    /// # Errors
    /// The length is not that of the positives, or an id is out of range.
    pub fn rows(mut self, rows: &'a [u32]) -> Result<Self> {
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
        match columns {
            Columns::All => {}
            Columns::Shared(ids) => {
                if ids.is_empty() {
                    return Err(shape("columns", "at least one id".into(), 0));
                }
                check_ids("columns", ids, self.candidates.rows(), false)?;
            }
            Columns::Sampled { ids, per_row } => {
                let expected = self.n_rows() * per_row;
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
        Ok(self)
    }

    /// Excludes candidates from the negatives of a row; a row's own positive listed here changes
    /// nothing, order and repeats neither.
    ///
    /// # Errors
    /// The wrong number of lists, or an id out of range. Call [`Batch::rows`] first.
    pub fn exclude(mut self, exclude: Exclude<'a>) -> Result<Self> {
        let (lists, expected) = match exclude {
            Exclude::ByRow(lists) => (lists, self.n_rows()),
            Exclude::ByQuery(lists) => (lists, self.queries.rows()),
        };
        check_lists("exclude", lists, expected, self.candidates.rows(), false)?;
        self.exclude = Some(exclude);
        Ok(self)
    }

    /// Log sampling probability per candidate, subtracted from every logit in the sum.
    ///
    /// # Errors
    /// The length is not N, or a number is not finite.
    pub fn log_q(mut self, log_q: &'a [f32]) -> Result<Self> {
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

    /// The second pair of tables (an adversary's), row for row beside the first.
    ///
    /// # Errors
    /// Row counts or widths do not fit.
    pub fn second(mut self, queries: Matrix<'a>, candidates: Matrix<'a>) -> Result<Self> {
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

    fn check_positives(&self) -> Result<()> {
        let n = self.candidates.rows();
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

/// What the engines read.
impl<'a> Batch<'a> {
    /// Checks that rows without [`Batch::rows`] are as many as queries, and gives the shape.
    ///
    /// # Errors
    /// B ≠ U although no rows are given.
    pub fn shape(&self) -> Result<Shape> {
        if self.rows.is_none() && self.n_rows() != self.queries.rows() {
            return Err(shape(
                "positives",
                format!(
                    "{} entries, one per query (or give rows)",
                    self.queries.rows()
                ),
                self.n_rows(),
            ));
        }
        Ok(Shape {
            queries: self.queries.rows(),
            candidates: self.candidates.rows(),
            dim: self.queries.dim(),
            rows: self.n_rows(),
            pairs: self.n_pairs(),
            many_positives: matches!(self.positives, Positives::Many(_)),
            indexed_rows: self.rows.is_some(),
            columns: match self.columns {
                Columns::All => ColumnKind::All,
                Columns::Shared(ids) => ColumnKind::Shared(ids.len()),
                Columns::Sampled { per_row, .. } => ColumnKind::Sampled(per_row),
            },
            excluded: self.exclude.map(|exclude| match exclude {
                Exclude::ByRow(lists) | Exclude::ByQuery(lists) => lists.ids.len(),
            }),
            exclude_by_query: matches!(self.exclude, Some(Exclude::ByQuery(_))),
            log_q: self.log_q.is_some(),
            weights: self.weights.is_some(),
            reduction: match self.reduction {
                Reduction::Mean => ReductionKind::Mean,
                Reduction::Sum => ReductionKind::Sum,
                Reduction::None { .. } => ReductionKind::None,
            },
            second_dim: self.second.map(|(queries, _)| queries.dim()),
            thetas: self.theta.len(),
        })
    }

    /// B.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        match self.positives {
            Positives::One(ids) => ids.len(),
            Positives::Many(lists) => lists.offsets.len() - 1,
        }
    }

    /// P.
    #[must_use]
    pub fn n_pairs(&self) -> usize {
        match self.positives {
            Positives::One(ids) => ids.len(),
            Positives::Many(lists) => lists.ids.len(),
        }
    }

    /// The query that row `row` reads.
    #[must_use]
    pub fn query_of(&self, row: usize) -> usize {
        self.rows.map_or(row, |rows| rows[row] as usize)
    }

    /// The pairs of row `row`, as a range of pair numbers.
    #[must_use]
    pub fn pairs_of(&self, row: usize) -> std::ops::Range<usize> {
        match self.positives {
            Positives::One(_) => row..row + 1,
            Positives::Many(lists) => lists.offsets[row] as usize..lists.offsets[row + 1] as usize,
        }
    }

    /// The candidate of pair `pair`, or [`IGNORED`].
    #[must_use]
    pub fn positive(&self, pair: usize) -> u32 {
        self.positive_ids()[pair]
    }

    /// The candidates of all pairs.
    #[must_use]
    pub fn positive_ids(&self) -> &'a [u32] {
        match self.positives {
            Positives::One(ids) => ids,
            Positives::Many(lists) => lists.ids,
        }
    }

    /// The ids excluded from row `row`, unsorted.
    #[must_use]
    pub fn excluded_of(&self, row: usize) -> &'a [u32] {
        match self.exclude {
            None => &[],
            Some(Exclude::ByRow(lists)) => lists.list(row),
            Some(Exclude::ByQuery(lists)) => lists.list(self.query_of(row)),
        }
    }
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident, $field:ident: $type:ty;)*) => {
        impl<'a> Batch<'a> {
            $($(#[$doc])* #[must_use] pub fn $name(&self) -> $type { self.$field })*
        }
    };
}

getters! {
    /// The query table.
    query_table, queries: Matrix<'a>;
    /// The candidate table.
    candidate_table, candidates: Matrix<'a>;
    /// Query per row, if given.
    row_ids, rows: Option<&'a [u32]>;
    /// The positives.
    positive_lists, positives: Positives<'a>;
    /// The columns.
    column_ids, columns: Columns<'a>;
    /// The exclusion lists.
    exclude_lists, exclude: Option<Exclude<'a>>;
    /// Log sampling probabilities.
    log_probabilities, log_q: Option<&'a [f32]>;
    /// Pair weights.
    pair_weights, weights: Option<&'a [f32]>;
    /// The reduction.
    reduction_of_rows, reduction: Reduction<'a>;
    /// The second tables.
    second_tables, second: Option<(Matrix<'a>, Matrix<'a>)>;
    /// θ.
    thetas, theta: &'a [f64];
}

fn shape(argument: &'static str, expected: String, actual: impl ToString) -> Error {
    Error::Shape {
        argument,
        expected,
        actual: actual.to_string(),
    }
}

fn fits_u32(argument: &'static str, count: usize) -> Result<()> {
    if u32::try_from(count).is_ok_and(|count| count < IGNORED) {
        return Ok(());
    }
    Err(shape(argument, format!("fewer than {IGNORED} rows"), count))
}

fn check_ids(argument: &'static str, ids: &[u32], count: usize, ignorable: bool) -> Result<()> {
    let bad = |id: &u32| *id as usize >= count && !(ignorable && *id == IGNORED);
    match ids.iter().position(bad) {
        None => Ok(()),
        Some(at) => Err(Error::Id {
            argument,
            at,
            id: u64::from(ids[at]),
            count,
        }),
    }
}

fn check_lists(
    argument: &'static str,
    lists: Lists<'_>,
    expected: usize,
    count: usize,
    ignorable: bool,
) -> Result<()> {
    let offsets = lists.offsets;
    if offsets.len() != expected + 1 {
        return Err(shape(
            argument,
            format!("{} offsets", expected + 1),
            offsets.len(),
        ));
    }
    let ascending = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
    if offsets[0] != 0 || !ascending || offsets[expected] as usize != lists.ids.len() {
        return Err(shape(
            argument,
            format!(
                "offsets ascending from 0 to {}, the number of ids",
                lists.ids.len()
            ),
            format!(
                "first {}, last {}, ascending: {ascending}",
                offsets[0], offsets[expected]
            ),
        ));
    }
    check_ids(argument, lists.ids, count, ignorable)
}

fn check_numbers(argument: &'static str, numbers: &[f32], expected: usize) -> Result<()> {
    if numbers.len() != expected {
        return Err(shape(
            argument,
            format!("{expected} numbers"),
            numbers.len(),
        ));
    }
    match numbers.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::NotFinite {
            argument,
            at,
            value: f64::from(numbers[at]),
        }),
    }
}
