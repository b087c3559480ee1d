//! Scores of columns that each row has of its own.

use crate::cpu::{
    problem::{ActiveRow, Problem},
    product::CpuReal,
    tables::{Candidates, dot},
};
use rayon::prelude::*;

/// Scores that the batch brings.
pub(super) fn given_scores<R: CpuReal>(
    problem: &Problem<'_, R>,
    rows: &[ActiveRow],
    per_row: usize,
    scale: R,
    out: &mut [R],
) {
    let Some(given) = problem.batch.given_scores() else {
        return;
    };
    let rows = out.par_chunks_mut(per_row).zip(rows);
    rows.for_each(|(out, row)| {
        for (slot, score) in out.iter_mut().enumerate() {
            *score = scale * R::from_f64(given.column(row.row, slot));
        }
    });
}

/// Scores of per-row columns: each a dot product with a gathered row.
pub(super) fn sampled_scores<R: CpuReal>(
    rows: &[ActiveRow],
    ids: &[u32],
    per_row: usize,
    queries: &[R],
    candidates: &Candidates<'_, R>,
    scale: R,
    out: &mut [R],
) {
    let dim = candidates.dim();
    let rows = rows.par_iter().zip(queries.par_chunks(dim));
    out.par_chunks_mut(per_row).zip(rows).for_each_init(
        || vec![R::ZERO; dim],
        |buffer, (out, (row, query))| {
            let ids = &ids[row.row * per_row..][..per_row];
            R::vectorized(
                #[inline(always)]
                || {
                    for (score, &id) in out.iter_mut().zip(ids) {
                        *score = scale * dot(query, candidates.row(id as usize, buffer));
                    }
                },
            );
        },
    );
}
