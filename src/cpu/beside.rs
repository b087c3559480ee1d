//! What goes with the scores of a stretch of one row's columns: [`Beside`].

use super::{
    kernels::Beside,
    problem::{ActiveRow, Problem},
    product::CpuReal,
};
use crate::Columns;
use std::ops::Range;

/// Room for what is gathered beside the scores of sampled columns.
#[derive(Default)]
pub(super) struct Gathered<R> {
    offsets: Vec<R>,
    columns: Vec<R>,
}

/// What goes with the scores at `range` of the tile, the columns `columns` of active row `row`;
/// what belongs to sampled candidates goes through `gathered`.
pub(super) fn beside<'s, R: CpuReal>(
    problem: &'s Problem<'_, R>,
    row: &ActiveRow,
    second: &'s [R],
    range: Range<usize>,
    columns: Range<usize>,
    gathered: &'s mut Gathered<R>,
) -> Beside<'s, R> {
    let second = if second.is_empty() {
        second
    } else {
        &second[range]
    };
    let of = |numbers: &'s [R], into: &'s mut Vec<R>, columns: Range<usize>| match problem
        .batch
        .column_ids()
    {
        _ if numbers.is_empty() => numbers,
        Columns::Sampled { ids, per_row } => {
            let ids = &ids[row.row * per_row..][columns];
            into.clear();
            into.extend(ids.iter().map(|&id| numbers[id as usize]));
            into.as_slice()
        }
        _ => &numbers[columns],
    };
    let constants = if problem.constants.is_empty() {
        &[]
    } else {
        &problem.constants[row.row * problem.shape.columns()..][columns.clone()]
    };
    Beside {
        second,
        offsets: of(&problem.offsets, &mut gathered.offsets, columns.clone()),
        columns: of(&problem.columns, &mut gathered.columns, columns),
        constants,
    }
}
