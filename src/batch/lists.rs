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
    /// One id per row; [`IGNORED`](crate::IGNORED) leaves the row out.
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
