//! What the engines read of a batch.

use super::{Batch, Columns, Exclude, GivenScores, Positives, Reduction, checks::shape};
use crate::{
    ColumnKind, Matrix, ReductionKind, Result, Shape,
    shape::{ABSENT, MAX_ROW_PARAMETERS},
};

impl<'a> Batch<'a> {
    /// Checks that rows without [`Batch::rows`] are as many as queries, and gives the shape.
    ///
    /// # Errors
    /// B ≠ U although no rows are given.
    pub fn shape(&self) -> Result<Shape> {
        if let Some(given) = self.given {
            return Ok(self.given_shape(&given));
        }
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
            reduction: self.reduction_kind(),
            second_dim: self.second.map(|(queries, _)| queries.dim()),
            thetas: self.theta.len(),
            row_parameters: self.row_parameters.map_or(0, |_| self.per_row),
            parameters_by_query: self.parameters_by_query,
            column_parameters: self.column_parameters.is_some(),
            entry_constants: self.entry_constants.is_some(),
            exclude_self: self.exclude_self,
            positives_in_columns: self.positives_in_columns,
            columns_per_class: self.columns_per_class,
            absent: self.positive_ids().contains(&ABSENT),
            given: None,
        })
    }

    fn given_shape(&self, given: &GivenScores<'_>) -> Shape {
        Shape {
            given: Some(given.reference.is_some()),
            columns: ColumnKind::Sampled(given.per_row),
            weights: self.weights.is_some(),
            reduction: self.reduction_kind(),
            thetas: self.theta.len(),
            row_parameters: self.row_parameters.map_or(0, |_| self.per_row),
            ..Shape::new(given.positives.len(), 1, 1)
        }
    }

    fn reduction_kind(&self) -> ReductionKind {
        match self.reduction {
            Reduction::Mean => ReductionKind::Mean,
            Reduction::Sum => ReductionKind::Sum,
            Reduction::None { .. } => ReductionKind::None,
        }
    }

    /// B.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        if let Some(given) = self.given {
            return given.positives.len();
        }
        match self.positives {
            Positives::One(ids) => ids.len(),
            Positives::Many(lists) => lists.offsets.len() - 1,
        }
    }

    /// P.
    #[must_use]
    pub fn n_pairs(&self) -> usize {
        if let Some(given) = self.given {
            return given.positives.len();
        }
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

    /// The candidate of pair `pair`, or [`IGNORED`](crate::IGNORED), or [`ABSENT`].
    #[must_use]
    pub fn positive(&self, pair: usize) -> u32 {
        self.positive_ids()[pair]
    }

    /// The candidates of all pairs.
    #[must_use]
    pub fn positive_ids(&self) -> &[u32] {
        if self.given.is_some() {
            return &self.given_ids;
        }
        match self.positives {
            Positives::One(ids) => ids,
            Positives::Many(lists) => lists.ids,
        }
    }

    /// The parameters of row `row`, 0 beyond those given.
    #[must_use]
    pub fn row_parameters_of(&self, row: usize) -> [f64; MAX_ROW_PARAMETERS] {
        let mut all = [0.0; MAX_ROW_PARAMETERS];
        if let Some(given) = self.row_parameters {
            let place = self.parameters_place(row);
            all[..self.per_row].copy_from_slice(&given[place * self.per_row..][..self.per_row]);
        }
        all
    }

    /// Which entry of the numbers per row or query belongs to row `row`.
    pub(crate) fn parameters_place(&self, row: usize) -> usize {
        match self.parameters_by_query {
            true => self.query_of(row),
            false => row,
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
    /// The numbers per batch row or query, as given.
    all_row_parameters, row_parameters: Option<&'a [f64]>;
    /// A number per candidate.
    all_column_parameters, column_parameters: Option<&'a [f32]>;
    /// A number per (row, slot) of sampled columns.
    all_entry_constants, entry_constants: Option<&'a [f32]>;
    /// Whether rows are no negatives of themselves.
    excludes_self, exclude_self: bool;
    /// Whether positives are columns of their rows.
    keeps_positives, positives_in_columns: bool;
    /// What value and gradients are multiplied by.
    value_factor, factor: f32;
    /// Scores in place of embeddings.
    given_scores, given: Option<GivenScores<'a>>;
    /// K, sub-centres of a class.
    centres_per_class, columns_per_class: usize;
}
