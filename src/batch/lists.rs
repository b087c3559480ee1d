//! What a batch is told: positives, columns, exclusions, reduction.

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
    /// One id per row; [`IGNORED`](crate::IGNORED) leaves the row out, [`ABSENT`](crate::ABSENT) says
    /// that it has none.
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

/// Scores that something else computed, in place of embeddings: log-probabilities of a language
/// model, say. One positive and `per_row` columns per row.
#[derive(Clone, Copy, Debug)]
pub struct GivenScores<'a> {
    /// The positives' scores, B.
    pub positives: &'a [f32],
    /// The columns' scores, B × `per_row`, row-major.
    pub columns: &'a [f32],
    /// Columns of a row.
    pub per_row: usize,
    /// A reference model's scores of the same positives and columns, subtracted from them.
    pub reference: Option<(&'a [f32], &'a [f32])>,
}

impl GivenScores<'_> {
    /// The positive's score of row `row`, less its reference.
    #[must_use]
    pub fn positive(&self, row: usize) -> f64 {
        difference(
            self.positives,
            self.reference.map(|reference| reference.0),
            row,
        )
    }

    /// The score of slot `slot` of row `row`, less its reference.
    #[must_use]
    pub fn column(&self, row: usize, slot: usize) -> f64 {
        let at = row * self.per_row + slot;
        difference(
            self.columns,
            self.reference.map(|reference| reference.1),
            at,
        )
    }
}

fn difference(scores: &[f32], reference: Option<&[f32]>, at: usize) -> f64 {
    f64::from(scores[at]) - reference.map_or(0.0, |reference| f64::from(reference[at]))
}
