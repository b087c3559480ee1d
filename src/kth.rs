//! Each query's K-th largest score with any candidate: [`Kth`].

use crate::{Error, Matrix, Result, loss::Score};

/// Which score of each query: the K-th largest with any candidate, where equal scores count as often
/// as they occur. Quantile losses (SL@K) compare their positives with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kth {
    /// K, from 1 to the number of candidates.
    pub k: usize,
    /// What embeddings are compared by.
    pub score: Score,
    /// Factor on the score, above 0.
    pub score_scale: f64,
}

impl Kth {
    /// Checks K and the factor.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the argument.
    pub fn check(&self, candidates: usize) -> Result<()> {
        if self.k == 0 || self.k > candidates {
            return Err(Error::Domain {
                loss: "kth_largest",
                parameter: "k",
                value: self.k.to_string(),
                domain: format!("expected 1 to {candidates}, the number of scores"),
            });
        }
        crate::loss::positive("kth_largest", "score_scale", self.score_scale)
    }

    /// As [`Kth::check`], for two tables.
    ///
    /// # Errors
    /// As there; [`Error::Shape`] for tables of different widths.
    pub(crate) fn check_tables(&self, queries: &Matrix<'_>, candidates: &Matrix<'_>) -> Result<()> {
        if queries.dim() != candidates.dim() {
            return Err(Error::Shape {
                argument: "candidates",
                expected: format!("rows of {} numbers, as in queries", queries.dim()),
                actual: candidates.dim().to_string(),
            });
        }
        self.check(candidates.rows())
    }
}
