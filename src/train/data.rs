//! Implicit feedback: which user interacted with which items.

mod rows;

use crate::{Error, Result};

/// User–item interactions as compressed sparse rows: the items of user `u` are
/// `ids[offsets[u] .. offsets[u + 1]]`, ascending and without repeats.
///
/// Offsets and ids are `u32`, so that both can be uploaded to a device as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interactions {
    items: usize,
    offsets: Vec<u32>,
    ids: Vec<u32>,
}

/// Training and test interactions over the same users and items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// What a model may learn from.
    pub train: Interactions,
    /// What it is measured on.
    pub test: Interactions,
}

impl Interactions {
    /// Collects (user, item) pairs, in any order; repeats count once. `users` and `items` are the
    /// numbers of rows of the two tables, so users and items without an interaction may exist.
    ///
    /// # Errors
    /// [`Error::Id`] for an id outside its table, [`Error::TooLarge`] where users, items or pairs
    /// do not fit `u32`.
    pub fn from_pairs(users: usize, items: usize, pairs: &[(u32, u32)]) -> Result<Self> {
        check_counts(users, items, pairs.len())?;
        let mut starts = vec![0usize; users + 1];
        for (at, &(user, item)) in pairs.iter().enumerate() {
            check_id("users", at, user, users)?;
            check_id("items", at, item, items)?;
            starts[user as usize + 1] += 1;
        }
        for user in 0..users {
            starts[user + 1] += starts[user];
        }
        let mut next = starts.clone();
        let mut ids = vec![0; pairs.len()];
        for &(user, item) in pairs {
            let place = &mut next[user as usize];
            ids[*place] = item;
            *place += 1;
        }
        Ok(Self::from_rows(items, &starts, ids))
    }

    /// Collects one list of items per user, each in any order; repeats count once.
    ///
    /// # Errors
    /// As [`Interactions::from_pairs`]; the position in [`Error::Id`] counts through all lists.
    pub fn from_lists(items: usize, lists: &[Vec<u32>]) -> Result<Self> {
        let ids = lists.concat();
        check_counts(lists.len(), items, ids.len())?;
        for (at, &item) in ids.iter().enumerate() {
            check_id("items", at, item, items)?;
        }
        let mut starts = Vec::with_capacity(lists.len() + 1);
        starts.push(0);
        let mut end = 0;
        for list in lists {
            end += list.len();
            starts.push(end);
        }
        Ok(Self::from_rows(items, &starts, ids))
    }

    /// Sorts each row of `ids` and closes the gaps that repeats leave. Counts and ids are checked.
    fn from_rows(items: usize, starts: &[usize], mut ids: Vec<u32>) -> Self {
        let mut offsets = Vec::with_capacity(starts.len());
        offsets.push(0);
        let mut end = 0;
        for bounds in starts.windows(2) {
            ids[bounds[0]..bounds[1]].sort_unstable();
            let row = end;
            for from in bounds[0]..bounds[1] {
                if end == row || ids[end - 1] != ids[from] {
                    ids[end] = ids[from];
                    end += 1;
                }
            }
            offsets.push(end as u32); // fits: check_counts bounds the number of ids
        }
        ids.truncate(end);
        Self {
            items,
            offsets,
            ids,
        }
    }

    /// Number of users, with or without interactions.
    pub fn users(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of items, with or without interactions.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Number of interactions.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no interaction.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Where each user's items start in [`Interactions::ids`]; users + 1 entries.
    pub fn offsets(&self) -> &[u32] {
        &self.offsets
    }

    /// The items of all users, user after user.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The items of `user`, ascending.
    ///
    /// # Panics
    /// Where `user` is not below [`Interactions::users`], as indexing a slice does.
    pub fn of(&self, user: usize) -> &[u32] {
        &self.ids[self.offsets[user] as usize..self.offsets[user + 1] as usize]
    }

    /// All (user, item) pairs, ascending.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0u32..)
            .zip(self.offsets.windows(2))
            .flat_map(|(user, bounds)| {
                let row = &self.ids[bounds[0] as usize..bounds[1] as usize];
                row.iter().map(move |&item| (user, item))
            })
    }

    /// A number that tells data sets apart (FNV-1a over sizes, offsets and ids), the same on every
    /// platform: reports name it.
    pub fn fingerprint(&self) -> u64 {
        let sizes = [self.users() as u64, self.items as u64];
        let lists = self.offsets.iter().chain(&self.ids).map(|&n| n.into());
        let numbers = sizes.into_iter().chain(lists);
        numbers.fold(0xcbf2_9ce4_8422_2325, |hash, number: u64| {
            (hash ^ number).wrapping_mul(0x0100_0000_01b3)
        })
    }

    /// How many users each item has.
    pub fn item_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.items];
        for &item in &self.ids {
            counts[item as usize] += 1;
        }
        counts
    }
}

fn check_counts(users: usize, items: usize, interactions: usize) -> Result<()> {
    // The largest u32 stays free: a batch marks ignored rows with it.
    let limit = u32::MAX as usize;
    for (what, count) in [
        ("users", users),
        ("items", items),
        ("interactions", interactions),
    ] {
        if count > limit {
            return Err(Error::TooLarge {
                what: format!("{count} {what}, numbered by 4 bytes each"),
                bytes: 4 * count as u64,
                limit: 4 * limit as u64,
            });
        }
    }
    Ok(())
}

fn check_id(argument: &'static str, at: usize, id: u32, count: usize) -> Result<()> {
    if (id as usize) < count {
        return Ok(());
    }
    Err(Error::Id {
        argument,
        at,
        id: id.into(),
        count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_sorted_and_counted_once() {
        let pairs = [(2, 1), (0, 3), (2, 0), (0, 3), (2, 1), (0, 0)];
        let data = Interactions::from_pairs(4, 5, &pairs).unwrap();
        assert_eq!(data.offsets(), [0, 2, 2, 4, 4]);
        assert_eq!(data.ids(), [0, 3, 0, 1]);
        assert!(data.of(1).is_empty());
        let sorted: Vec<_> = data.pairs().collect();
        assert_eq!(sorted, [(0, 0), (0, 3), (2, 0), (2, 1)]);
        assert_eq!(data.item_counts(), [2, 1, 0, 1, 0]);
        let lists = [vec![3, 0, 3], vec![], vec![1, 0, 1], vec![]];
        assert_eq!(data, Interactions::from_lists(5, &lists).unwrap());
    }

    #[test]
    fn ids_outside_their_table_are_named() {
        let error = Interactions::from_pairs(2, 2, &[(0, 1), (2, 0)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "users[1]: id 2 is out of range, the table has 2 rows"
        );
        let error = Interactions::from_pairs(2, 2, &[(0, 2)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "items[0]: id 2 is out of range, the table has 2 rows"
        );
        assert!(Interactions::from_lists(2, &[vec![0], vec![5]]).is_err());
    }

    #[test]
    fn nothing_is_valid_data() {
        let none = Interactions::from_pairs(0, 0, &[]).unwrap();
        assert_eq!((none.users(), none.items(), none.len()), (0, 0, 0));
        assert!(none.is_empty());
    }
}
