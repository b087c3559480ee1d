//! Checks of a batch's inputs, each naming the argument.

use super::Lists;
use crate::{
    Error, Result,
    shape::{ABSENT, IGNORED},
};

pub(super) fn shape(argument: &'static str, expected: String, actual: impl ToString) -> Error {
    Error::Shape {
        argument,
        expected,
        actual: actual.to_string(),
    }
}

pub(super) fn fits_u32(argument: &'static str, count: usize) -> Result<()> {
    if u32::try_from(count).is_ok_and(|count| count < IGNORED) {
        return Ok(());
    }
    Err(shape(argument, format!("fewer than {IGNORED} rows"), count))
}

pub(super) fn check_ids(
    argument: &'static str,
    ids: &[u32],
    count: usize,
    ignorable: bool,
) -> Result<()> {
    let bad = |id: &u32| *id as usize >= count && !(ignorable && *id >= ABSENT);
    match ids.iter().position(bad) {
        None => Ok(()),
        Some(at) => Err(Error::Id {
            argument,
            at,
            id: u64::from(ids[at]),
            count,
        }),
    }
}

pub(super) fn check_lists(
    argument: &'static str,
    lists: Lists<'_>,
    expected: usize,
    count: usize,
    ignorable: bool,
) -> Result<()> {
    let offsets = lists.offsets;
    if offsets.len() != expected + 1 {
        return Err(shape(
            argument,
            format!("{} offsets", expected + 1),
            offsets.len(),
        ));
    }
    let ascending = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
    if offsets[0] != 0 || !ascending || offsets[expected] as usize != lists.ids.len() {
        return Err(shape(
            argument,
            format!(
                "offsets ascending from 0 to {}, the number of ids",
                lists.ids.len()
            ),
            format!(
                "first {}, last {}, ascending: {ascending}",
                offsets[0], offsets[expected]
            ),
        ));
    }
    check_ids(argument, lists.ids, count, ignorable)
}

pub(super) fn check_numbers(
    argument: &'static str,
    numbers: &[f32],
    expected: usize,
) -> Result<()> {
    if numbers.len() != expected {
        return Err(shape(
            argument,
            format!("{expected} numbers"),
            numbers.len(),
        ));
    }
    match numbers.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::NotFinite {
            argument,
            at,
            value: f64::from(numbers[at]),
        }),
    }
}
