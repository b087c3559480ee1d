//! Which columns of a row are hidden: its positives and what the batch excludes.

use super::{
    occurrences::Occurrences,
    problem::{ActiveRow, Problem},
    product::CpuReal,
};
use crate::{ABSENT, Columns};
use rayon::prelude::*;
use std::ops::Range;

/// The hidden columns of every row of a block, ascending, each once.
pub(super) struct Masks(Vec<Vec<u32>>);

impl Masks {
    /// For `rows` (positions in `problem.rows`); `shared` holds the places of a shared list's ids.
    pub(super) fn new<R: CpuReal>(
        problem: &Problem<'_, R>,
        rows: Range<usize>,
        shared: Option<&Occurrences>,
    ) -> Self {
        let rows = problem.rows[rows].par_iter().with_min_len(8);
        Masks(rows.map(|row| hidden(problem, row, shared)).collect())
    }

    /// All hidden columns of the block's row `row`.
    pub(super) fn of(&self, row: usize) -> &[u32] {
        &self.0[row]
    }

    /// Those within `columns`.
    pub(super) fn within(&self, row: usize, columns: Range<usize>) -> &[u32] {
        let all = &self.0[row];
        let start = all.partition_point(|&column| (column as usize) < columns.start);
        let end = all.partition_point(|&column| (column as usize) < columns.end);
        &all[start..end]
    }
}

fn hidden<R: CpuReal>(
    problem: &Problem<'_, R>,
    row: &ActiveRow,
    shared: Option<&Occurrences>,
) -> Vec<u32> {
    let batch = problem.batch;
    if batch.given_scores().is_some() {
        return Vec::new();
    }
    let excluded = batch.excluded_of(row.row);
    let positives = &batch.positive_ids()[batch.pairs_of(row.row)];
    if let Columns::Sampled { ids, per_row } = batch.column_ids() {
        let ids = &ids[row.row * per_row..(row.row + 1) * per_row];
        return hidden_samples(ids, excluded, positives);
    }
    let positives = if batch.keeps_positives() {
        &[]
    } else {
        positives
    };
    let own = batch.excludes_self().then_some(row.query as u32);
    let ids = (positives.iter().chain(excluded).chain(&own)).filter(|&&id| id < ABSENT);
    let centres = batch.centres_per_class() as u32;
    let mut columns: Vec<u32> = match shared {
        None => ids
            .flat_map(|&id| id * centres..(id + 1) * centres)
            .collect(),
        Some(places) => ids
            .flat_map(|&id| places.of(id as usize))
            .copied()
            .collect(),
    };
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Samples are taken literally: only an excluded id hides one, unless it is the row's positive.
fn hidden_samples(ids: &[u32], excluded: &[u32], positives: &[u32]) -> Vec<u32> {
    let mut excluded: Vec<u32> = (excluded.iter())
        .filter(|id| !positives.contains(id))
        .copied()
        .collect();
    excluded.sort_unstable();
    let places = ids.iter().zip(0..);
    places
        .filter(|(id, _)| excluded.binary_search(id).is_ok())
        .map(|(_, place)| place)
        .collect()
}
