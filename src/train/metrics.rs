//! Recall@K and NDCG@K.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Interactions, TopK};
use crate::{Error, Result};

/// Which users the averages are taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Average {
    /// Users with relevant items.
    #[default]
    UsersWithItems,
    /// All users; those without relevant items count 0, as IR-Benchmark does.
    AllUsers,
}

/// Metrics of a set of top-K lists.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metrics {
    /// Number of users that the averages are taken over.
    pub users: usize,
    /// One entry per K asked for, in that order.
    pub at: Vec<AtK>,
}

/// Metrics of the first K places of each list, averaged over users; from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AtK {
    /// The K.
    pub k: usize,
    /// Share of the user's relevant items that are in the list.
    pub recall: f64,
    /// Discounted cumulative gain over that of an ideal list: a hit at place π (from 1) counts
    /// 1/log₂(1 + π), and the ideal list starts with min(K, number of relevant items) hits.
    pub ndcg: f64,
}

/// Measures `lists` against the `relevant` items of each user (the test or validation set), at
/// every K of `ks`.
///
/// # Errors
/// [`Error::Shape`] where the numbers of users differ, a K is 0 or above that of `lists`, or there
/// is no user to average over.
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
    let largest = ks.iter().copied().max().unwrap_or(0);
    let gains = Gains::new(largest.min(relevant.items()));
    let per_user: Vec<Vec<(f64, f64)>> = users
        .par_iter()
        .map(|&user| gains.measure(lists.items(user), relevant.of(user), ks))
        .collect();
    let count = users.len() as f64;
    let mean = |(at, &k): (usize, &usize)| AtK {
        k,
        // One after the other in the users' order: the same bits on any number of threads.
        recall: per_user.iter().map(|user| user[at].0).sum::<f64>() / count,
        ndcg: per_user.iter().map(|user| user[at].1).sum::<f64>() / count,
    };
    Ok(Metrics {
        users: users.len(),
        at: ks.iter().enumerate().map(mean).collect(),
    })
}

/// Discounted gains by place.
struct Gains {
    /// At place π - 1: 1/log₂(1 + π).
    single: Vec<f64>,
    /// At n: the sum of the first n.
    ideal: Vec<f64>,
}

impl Gains {
    fn new(places: usize) -> Self {
        let single: Vec<f64> = (0..places)
            .map(|at| 1.0 / (at as f64 + 2.0).log2())
            .collect();
        let mut ideal = vec![0.0];
        ideal.extend(single.iter().scan(0.0, |sum, gain| {
            *sum += gain;
            Some(*sum)
        }));
        Self { single, ideal }
    }

    /// (recall, NDCG) of one user at each K. `relevant` is ascending.
    fn measure(&self, list: &[u32], relevant: &[u32], ks: &[usize]) -> Vec<(f64, f64)> {
        if relevant.is_empty() {
            return vec![(0.0, 0.0); ks.len()];
        }
        let hits: Vec<usize> = (0..list.len())
            .filter(|&at| relevant.binary_search(&list[at]).is_ok())
            .collect();
        let at_k = |&k: &usize| {
            let hits = &hits[..hits.partition_point(|&at| at < k)];
            // Not `sum`, which is -0 for no hits.
            let gain = hits.iter().fold(0.0, |gain, &at| gain + self.single[at]);
            let recall = hits.len() as f64 / relevant.len() as f64;
            (recall, gain / self.ideal[k.min(relevant.len())])
        };
        ks.iter().map(at_k).collect()
    }
}

fn check(lists: &TopK, relevant: &Interactions, ks: &[usize]) -> Result<()> {
    if lists.users() != relevant.users() {
        return Err(Error::Shape {
            argument: "relevant",
            expected: format!("{} users, as many as lists", lists.users()),
            actual: relevant.users().to_string(),
        });
    }
    match ks.iter().find(|&&k| k == 0 || k > lists.k()) {
        None => Ok(()),
        Some(k) => Err(Error::Shape {
            argument: "ks",
            expected: match k {
                0 => "at least 1".to_owned(),
                _ => format!("at most {}, the length of the lists", lists.k()),
            },
            actual: k.to_string(),
        }),
    }
}
