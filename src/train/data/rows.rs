//! Interactions from rows that are sorted already, and from two sets.

use super::{Interactions, check_counts, check_id};
use crate::{Error, Result};

impl Interactions {
    /// Takes over compressed sparse rows as [`Interactions::offsets`] and [`Interactions::ids`] give
    /// them.
    ///
    /// # Errors
    /// [`Error::Shape`] for offsets that do not start at 0, fall, or end elsewhere than `ids`, and for
    /// a user's items that are not ascending; [`Error::Id`] for an item outside its table.
    pub fn from_csr(items: usize, offsets: Vec<u32>, ids: Vec<u32>) -> Result<Self> {
        let refuse = |argument, expected: String, actual: String| {
            Err(Error::Shape {
                argument,
                expected,
                actual,
            })
        };
        check_counts(offsets.len().saturating_sub(1), items, ids.len())?;
        let bounds = (offsets.first(), offsets.last().map(|&end| end as usize));
        if bounds != (Some(&0), Some(ids.len())) {
            let expected = format!("numbers from 0 to {}, the number of ids", ids.len());
            return refuse("offsets", expected, format!("{bounds:?}"));
        }
        if let Some(user) = offsets.windows(2).position(|pair| pair[0] > pair[1]) {
            let actual = format!("{} after {}", offsets[user + 1], offsets[user]);
            return refuse("offsets", "ascending numbers".to_owned(), actual);
        }
        for (at, &item) in ids.iter().enumerate() {
            check_id("items", at, item, items)?;
        }
        let data = Self {
            items,
            offsets,
            ids,
        };
        let unsorted = |&user: &usize| !data.of(user).is_sorted_by(|one, next| one < next);
        match (0..data.users()).find(unsorted) {
            None => Ok(data),
            Some(user) => refuse(
                "items",
                "each user's ascending".to_owned(),
                format!("user {user}'s in another order"),
            ),
        }
    }

    /// The interactions that are in `self`, in `other`, or in both.
    ///
    /// # Errors
    /// [`Error::Shape`] where the numbers of users or items differ.
    pub fn union(&self, other: &Self) -> Result<Self> {
        let sizes = |data: &Self| format!("{} users × {} items", data.users(), data.items);
        if sizes(self) != sizes(other) {
            return Err(Error::Shape {
                argument: "other",
                expected: sizes(self),
                actual: sizes(other),
            });
        }
        let pairs: Vec<_> = self.pairs().chain(other.pairs()).collect();
        Self::from_pairs(self.users(), self.items, &pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_over_as_they_are_given() {
        let data = Interactions::from_lists(5, &[vec![0, 3], vec![], vec![1]]).unwrap();
        let csr = |items, offsets: &[u32], ids: &[u32]| {
            Interactions::from_csr(items, offsets.to_vec(), ids.to_vec())
        };
        assert_eq!(csr(5, data.offsets(), data.ids()).unwrap(), data);
        for (items, offsets, ids, told) in [
            (5, &[][..], &[][..], "offsets: expected numbers from 0"),
            (5, &[1, 2], &[0, 3], "offsets: expected numbers from 0"),
            (5, &[0, 1], &[0, 3], "offsets: expected numbers from 0"),
            (5, &[0, 2, 1, 2], &[0, 3], "offsets: expected ascending"),
            (5, &[0, 9, 2], &[0, 3], "offsets: expected ascending"),
            (5, &[0, 2], &[3, 3], "user 0's in another order"),
            (3, &[0, 2], &[0, 3], "items[1]: id 3 is out of range"),
        ] {
            let error = csr(items, offsets, ids).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_union_has_what_either_has() {
        let list = |lists: &[Vec<u32>]| Interactions::from_lists(5, lists).unwrap();
        let both = list(&[vec![0, 3], vec![]]).union(&list(&[vec![3, 1], vec![4]]));
        assert_eq!(both.unwrap(), list(&[vec![0, 1, 3], vec![4]]));
        assert!(list(&[vec![0]]).union(&list(&[vec![0], vec![]])).is_err());
    }
}
