//! Sums over columns, made piece by piece and added to the candidates' gradients.

use super::{
    backward::{add_through_norm, load},
    gradients::{Operands, grad_columns, sampled_grad_candidates},
    occurrences::Occurrences,
    plan::Plan,
    problem::Problem,
    product::CpuReal,
    tables::Candidates,
    tile::Block,
};
use crate::Columns;
use rayon::prelude::*;
use std::ops::Range;

/// A block of rows and a chunk of columns.
pub(super) struct Place<'a, R> {
    pub(super) problem: &'a Problem<'a, R>,
    pub(super) plan: &'a Plan,
    pub(super) block: &'a Block<R>,
    pub(super) chunk: &'a Range<usize>,
    /// The places of a shared list's ids, where its columns are added up candidate by candidate.
    pub(super) shared: Option<&'a Occurrences>,
}

impl<R: CpuReal> Place<'_, R> {
    /// Adds what the columns give their candidates: by their rows, or, `in_place`, by their unit
    /// vectors. Sums of all or shared columns are made piece by piece.
    pub(super) fn add(
        &self,
        operands: &Operands<'_, '_, R>,
        in_place: bool,
        sums: &mut Vec<R>,
        out: &mut [R],
    ) {
        let (problem, candidates) = (self.problem, operands.candidates);
        if let Columns::Sampled { ids, per_row } = problem.batch.column_ids() {
            let columns = (ids, per_row);
            return sampled_grad_candidates(problem, operands, self.block, columns, out, in_place);
        }
        for piece in self.plan.pieces_of(self.chunk) {
            sums.resize(piece.len() * candidates.dim(), R::ZERO);
            let ranges = [self.chunk, &piece];
            grad_columns(self.plan, operands, self.block, ranges, sums, false);
            match (problem.batch.column_ids(), self.shared) {
                (Columns::Shared(ids), Some(places)) => {
                    add_listed(candidates, ids, places, sums, &piece, out);
                }
                (Columns::Shared(ids), None) => {
                    let out = &mut out[piece.start * candidates.dim()..];
                    add_piece(candidates, |i| ids[piece.start + i] as usize, sums, out);
                }
                _ => {
                    let out = &mut out[piece.start * candidates.dim()..];
                    add_piece(candidates, |i| piece.start + i, sums, out);
                }
            }
        }
    }
}

/// Completes a piece's sums and adds them to the gradients' rows of its columns, the first of `out`;
/// `id` tells the candidate of a column of the piece.
pub(super) fn add_piece<R: CpuReal>(
    candidates: &Candidates<'_, R>,
    id: impl Fn(usize) -> usize + Sync,
    sums: &[R],
    out: &mut [R],
) {
    let dim = candidates.dim();
    let rows = out[..sums.len()].par_chunks_mut(dim);
    let rows = rows.zip(sums.par_chunks(dim)).enumerate();
    rows.with_min_len(32).for_each_init(
        || [(); 2].map(|()| vec![0.0; dim]),
        |[sum, candidate], (i, (out, sums))| {
            let id = id(i);
            load(sum, sums);
            candidates.read_double(id, candidate);
            add_through_norm(candidates, id, candidate, sum, out);
        },
    );
}

/// As [`add_piece`], for columns of a list: those of one candidate are added up first.
fn add_listed<R: CpuReal>(
    candidates: &Candidates<'_, R>,
    ids: &[u32],
    places: &Occurrences,
    sums: &[R],
    piece: &Range<usize>,
    out: &mut [R],
) {
    let dim = candidates.dim();
    let mut listed: Vec<usize> = ids[piece.clone()].iter().map(|&id| id as usize).collect();
    listed.sort_unstable();
    listed.dedup();
    let rows = listed.par_iter().zip(rows_of(out, dim, &listed));
    rows.with_min_len(32).for_each_init(
        || [(); 2].map(|()| vec![0.0; dim]),
        |[sum, candidate], (&id, out)| {
            sum.fill(0.0);
            for column in within(places.of(id), piece) {
                let own = &sums[(*column as usize - piece.start) * dim..][..dim];
                for (sum, x) in sum.iter_mut().zip(own) {
                    *sum += x.to_f64();
                }
            }
            candidates.read_double(id, candidate);
            add_through_norm(candidates, id, candidate, sum, out);
        },
    );
}

/// The places within a range, of ascending ones.
fn within<'p>(places: &'p [u32], range: &Range<usize>) -> &'p [u32] {
    let before = |bound: usize| places.partition_point(|&place| (place as usize) < bound);
    &places[before(range.start)..before(range.end)]
}

/// The table's rows with these ids, which ascend.
fn rows_of<'t, R>(mut table: &'t mut [R], dim: usize, ids: &[usize]) -> Vec<&'t mut [R]> {
    let mut begin = 0;
    let rows = ids.iter().map(|&id| {
        let (_, rest) = std::mem::take(&mut table).split_at_mut((id - begin) * dim);
        let (row, rest) = rest.split_at_mut(dim);
        (table, begin) = (rest, id + 1);
        row
    });
    rows.collect()
}
