//! The stage `kth_largest`: each query's K-th largest score with any candidate.

use super::{
    product::CpuReal,
    tables::{Candidates, dot, inverse, norm, read_scaled},
};
use crate::{Kth, Matrix, Result, finite::check_finite};
use rayon::prelude::*;
use std::cmp::Ordering;

/// The K-th largest scaled score of every query with any candidate.
///
/// # Errors
/// K is 0 or beyond the number of candidates, the tables do not fit each other, or a score is not
/// finite.
pub fn kth_largest<R: CpuReal>(
    queries: Matrix<'_>,
    candidates: Matrix<'_>,
    kth: Kth,
) -> Result<Vec<R>> {
    kth.check_tables(&queries, &candidates)?;
    let (dim, count) = (queries.dim(), candidates.rows());
    // Beyond this, a copy of the table is no longer in any cache.
    let table = Candidates::<R>::new(candidates, kth.score, None, 64 << 20);
    let scale = R::from_f64(kth.score_scale);
    let scratch = || {
        let numbers = |count: usize| Vec::<R>::with_capacity(count);
        (
            vec![0.0; dim],
            vec![R::ZERO; dim],
            vec![R::ZERO; dim],
            numbers(count),
        )
    };
    let found: Vec<R> = (0..queries.rows())
        .into_par_iter()
        .with_min_len(8)
        .map_init(scratch, |(raw, query, buffer, scores), row| {
            queries.read_row(row, raw);
            let factor = match kth.score.unit_queries() {
                true => inverse(norm(raw)),
                false => 1.0,
            };
            read_scaled(&queries, row, factor, query);
            scores.clear();
            scores.extend((0..count).map(|id| dot(query, table.row(id, buffer))));
            let descending = |a: &R, b: &R| b.partial_cmp(a).unwrap_or(Ordering::Equal);
            let (_, found, _) = scores.select_nth_unstable_by(kth.k - 1, descending);
            *found * scale
        })
        .collect();
    check_finite("scores", &found)?;
    Ok(found)
}
