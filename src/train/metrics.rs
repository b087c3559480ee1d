//! What top-K lists are worth: recall, precision, NDCG, MRR, hit ratio, MAP, coverage.

mod at_k;
mod hits;

pub use at_k::{AtK, Metric};

use hits::{Gains, Hits};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Interactions, TopK};
use crate::{Error, Result};

/// Which users the averages are taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    /// Users with relevant items.
    #[default]
    UsersWithItems,
    /// All users; those without relevant items count 0, as IR-Benchmark does.
    AllUsers,
}

/// Metrics of a set of top-K lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Number of users that the averages are taken over.
    pub users: usize,
    /// One entry per K asked for, in that order.
    pub at: Vec<AtK>,
}

/// Measures `lists` against the `relevant` items of each user (the test or validation set), at
/// every K of `ks`.
///
/// # Errors
/// [`Error::Shape`] where the numbers of users differ, a K is 0, above that of `lists` or above the
/// number of items, or there is no user to average over; [`Error::Id`] for a listed item that
/// `relevant` does not know.
pub fn evaluate(
    lists: &TopK,
    relevant: &Interactions,
    ks: &[usize],
    average: Average,
) -> Result<Metrics> {
    check(lists, relevant, ks)?;
    let users: Vec<usize> = (0..relevant.users())
        .filter(|&user| average == Average::AllUsers || !relevant.of(user).is_empty())
        .collect();
    if users.is_empty() {
        return Err(Error::Shape {
            argument: "relevant",
            expected: "at least one user to average over".to_owned(),
            actual: "none".to_owned(),
        });
    }
    let gains = Gains::new(ks.iter().copied().max().unwrap_or(0));
    let per_user: Vec<Vec<Hits>> = users
        .par_iter()
        .map(|&user| gains.measure(lists.items(user), relevant.of(user), ks))
        .collect();
    let first_places = first_places(lists, &users, relevant.items())?;
    let at = |(at, &k): (usize, &usize)| {
        let covered = first_places.iter().filter(|&&place| place < k).count();
        let coverage = covered as f64 / relevant.items() as f64;
        hits::average(k, per_user.iter().map(|user| &user[at]), coverage)
    };
    Ok(Metrics {
        users: users.len(),
        at: ks.iter().enumerate().map(at).collect(),
    })
}

/// The smallest place, from 0, of each item in the lists of `users`; the largest number where it is
/// in none.
fn first_places(lists: &TopK, users: &[usize], items: usize) -> Result<Vec<usize>> {
    let mut first = vec![usize::MAX; items];
    for &user in users {
        for (place, &item) in lists.items(user).iter().enumerate() {
            let Some(first) = first.get_mut(item as usize) else {
                return Err(Error::Id {
                    argument: "lists",
                    at: place,
                    id: item.into(),
                    count: items,
                });
            };
            *first = place.min(*first);
        }
    }
    Ok(first)
}

fn check(lists: &TopK, relevant: &Interactions, ks: &[usize]) -> Result<()> {
    if lists.users() != relevant.users() {
        return Err(Error::Shape {
            argument: "relevant",
            expected: format!("{} users, as many as lists", lists.users()),
            actual: relevant.users().to_string(),
        });
    }
    check_ks(ks, relevant.items())?;
    match ks.iter().find(|&&k| k > lists.k()) {
        None => Ok(()),
        Some(k) => Err(Error::Shape {
            argument: "ks",
            expected: format!("at most {}, the length of the lists", lists.k()),
            actual: k.to_string(),
        }),
    }
}

/// Checks the Ks against the number of items. A K above it would measure lists that cannot exist,
/// and is a slip of the pen more often than a wish.
///
/// # Errors
/// [`Error::Shape`] for a K of 0 or above `items`.
pub fn check_ks(ks: &[usize], items: usize) -> Result<()> {
    match ks.iter().find(|&&k| k == 0 || k > items) {
        None => Ok(()),
        Some(k) => Err(Error::Shape {
            argument: "ks",
            expected: match k {
                0 => "at least 1".to_owned(),
                _ => format!("at most {items}, the number of items"),
            },
            actual: k.to_string(),
        }),
    }
}
