//! The compact gradient of sampled classes, one row per class.

use super::is_class;
use crate::{Error, Real, Result};

/// Adds the pairs' rows of a compact gradient to the rows of their classes: |ids| × D numbers, row
/// r the gradient of class `ids[r]`. Pairs are added in their order, so the bits repeat.
///
/// `gradient` is what [`Want::compact`](crate::Want::compact) gave for the columns `ids`: |ids| × D
/// numbers for the columns, then D for each pair of `positives` (the labels, where each row has
/// one). Ids are ascending, each once, and hold every positive, as
/// [`ClassSampler::sample`](super::ClassSampler::sample) gives them.
///
/// # Errors
/// [`Error::Shape`] for a gradient of another length, ids that do not ascend, or a positive that is
/// none of them.
pub fn add_pair_rows<R: Real>(
    mut gradient: Vec<R>,
    dim: usize,
    ids: &[u32],
    positives: &[u32],
) -> Result<Vec<R>> {
    let shape = |argument, expected: String, actual: String| Error::Shape {
        argument,
        expected,
        actual,
    };
    let rows = ids.len() + positives.len();
    if gradient.len() != rows * dim {
        let expected = format!(
            "a compact gradient of {rows} rows of {dim} numbers, for {} columns and {} pairs",
            ids.len(),
            positives.len()
        );
        let actual = format!("{} numbers", gradient.len());
        return Err(shape("gradient", expected, actual));
    }
    if let Some(at) = ids.windows(2).position(|two| two[0] >= two[1]) {
        let actual = format!("{} before {}", ids[at], ids[at + 1]);
        return Err(shape("ids", "ascending ids, each once".into(), actual));
    }
    let (columns, pairs) = gradient.split_at_mut(ids.len() * dim);
    for (pair, id) in positives.iter().enumerate() {
        if !is_class(*id) {
            continue;
        }
        let place = ids.binary_search(id).map_err(|_| {
            let expected = format!("class {id} among them, the positive of pair {pair}");
            shape("ids", expected, "ids without it".into())
        })?;
        let sums = &mut columns[place * dim..][..dim];
        for (sum, more) in sums.iter_mut().zip(&pairs[pair * dim..]) {
            *sum += *more;
        }
    }
    gradient.truncate(ids.len() * dim);
    Ok(gradient)
}
