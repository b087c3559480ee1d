//! The stage `rank_count`: where positives and sampled columns stand among all candidates.

use super::{
    problem::{ActiveRow, LivePair},
    product::CpuReal,
    tables::{Candidates, dot, read_scaled},
};
use crate::{Batch, Columns};
use rayon::prelude::*;

/// Ranks from 1: one more than the number of candidates that score more. Candidates of equal score
/// share the best rank.
pub(super) struct Ranks<R> {
    /// Of every live pair's positive.
    pub(super) positives: Vec<R>,
    /// Of every (row, slot), B × per row; 0 in rows without a live pair.
    pub(super) entries: Vec<R>,
}

/// Counts, row by row. One function computes all scores, so that equal rows of the table tie.
pub(super) fn rank_count<R: CpuReal>(
    batch: &Batch<'_>,
    rows: &[ActiveRow],
    pairs: &[LivePair],
    candidates: &Candidates<'_, R>,
) -> Ranks<R> {
    let Columns::Sampled { ids, per_row } = batch.column_ids() else {
        // Refused by the specification's check.
        return Ranks {
            positives: Vec::new(),
            entries: Vec::new(),
        };
    };
    let (table, count) = (batch.query_table(), batch.candidate_table().rows());
    let of_row = |(query, buffer, scores): &mut (Vec<R>, Vec<R>, Vec<R>), row: &ActiveRow| {
        read_scaled(&table, row.query, row.factor, query);
        scores.clear();
        scores.extend((0..count).map(|id| dot(query, candidates.row(id, buffer))));
        let rank = |id: usize| {
            let own = scores[id];
            let above = scores.iter().filter(|score| **score > own).count();
            R::from_f64((above + 1) as f64)
        };
        let own = pairs[row.pairs.clone()].iter();
        let own: Vec<R> = own
            .map(|pair| pair.positive.map_or(R::ZERO, rank))
            .collect();
        let slots = &ids[row.row * per_row..][..per_row];
        let slots: Vec<R> = slots.iter().map(|&id| rank(id as usize)).collect();
        (own, slots)
    };
    let scratch = || {
        let row = || vec![R::ZERO; table.dim()];
        (row(), row(), Vec::with_capacity(count))
    };
    let counted: Vec<_> = (rows.par_iter().with_min_len(4))
        .map_init(scratch, of_row)
        .collect();
    let mut ranks = Ranks {
        positives: Vec::with_capacity(pairs.len()),
        entries: vec![R::ZERO; ids.len()],
    };
    for (row, (own, slots)) in rows.iter().zip(counted) {
        ranks.positives.extend(own);
        ranks.entries[row.row * per_row..][..per_row].copy_from_slice(&slots);
    }
    ranks
}
