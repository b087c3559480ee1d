//! Exact top-K lists of the scores queries · candidatesᵀ.
//!
//! Scores exist for one tile of users × items per thread at a time, never for all.

mod lists;

pub use lists::TopK;

use std::cmp::Reverse;
use std::ops::Range;

use rayon::prelude::*;

use super::Interactions;
use super::best::{Best, Entry};
use crate::{Error, Result};

/// Users of a tile.
const TILE_USERS: usize = 64;
/// Items of a tile: with 64 users 512 KiB of scores, which a core's own cache can hold.
const TILE_ITEMS: usize = 2048;

/// The `k` items of highest score queries\[u\] · candidates\[i\] for every user u, without the
/// items that `masked` lists for the user. `queries` is users × `dim`, `candidates` items × `dim`,
/// row by row. For cosine scores, pass normalised candidates.
///
/// Lists are shorter than `k` where the catalogue, less the masked items, is. The bits do not
/// depend on the number of threads.
///
/// ```
/// use wgloss::train::{Interactions, top_k};
///
/// let queries = [1.0, 0.0, 0.0, 1.0]; // two users
/// let candidates = [0.5, 2.0, 3.0, 1.0, 3.0, -1.0]; // three items
/// let known = Interactions::from_lists(3, &[vec![1], vec![]])?;
/// let lists = top_k(&queries, &candidates, 2, 2, Some(&known))?;
/// assert_eq!(lists.items(0), [2, 0]);
/// assert_eq!(lists.scores(0), [3.0, 0.5]);
/// assert_eq!(lists.items(1), [0, 1]);
/// # Ok::<(), wgloss::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] for tables that are no multiple of `dim` or do not match `masked`,
/// [`Error::NotFinite`] for an embedding, or a score (an overflow), that is no number.
pub fn top_k(
    queries: &[f32],
    candidates: &[f32],
    dim: usize,
    k: usize,
    masked: Option<&Interactions>,
) -> Result<TopK> {
    let tables = Tables::new(queries, candidates, dim, k, masked)?;
    let users: Vec<u32> = (0u32..).take(tables.users).collect();
    tables.rank(&users)
}

/// As [`top_k`], for these `users` alone: list n is that of users\[n\], and has the bits that it has
/// among all.
///
/// # Errors
/// As [`top_k`]; [`Error::Id`] for a user outside `queries`.
pub fn top_k_of(
    users: &[u32],
    queries: &[f32],
    candidates: &[f32],
    dim: usize,
    k: usize,
    masked: Option<&Interactions>,
) -> Result<TopK> {
    let tables = Tables::new(queries, candidates, dim, k, masked)?;
    match users.iter().position(|&user| user as usize >= tables.users) {
        None => tables.rank(users),
        Some(at) => Err(Error::Id {
            argument: "users",
            at,
            id: users[at].into(),
            count: tables.users,
        }),
    }
}

/// The `k` items with most users in `train` for every user, without the user's own: what a model
/// has to beat. Scores are numbers of users.
pub fn top_popular(train: &Interactions, k: usize) -> TopK {
    top_popular_but(train, train, k)
}

/// As [`top_popular`], without the items that `masked` lists for the user.
pub(super) fn top_popular_but(train: &Interactions, masked: &Interactions, k: usize) -> TopK {
    let counts = train.item_counts();
    let mut order: Vec<u32> = (0u32..).take(counts.len()).collect();
    order.sort_by_key(|&item| (Reverse(counts[item as usize]), item));
    let list = |user| {
        let masked = masked.of(user);
        let others = (order.iter()).filter(|item| masked.binary_search(item).is_err());
        let entry = |&item: &u32| Entry {
            // Exact below 2²⁴ users; the order above comes from the integers.
            score: counts[item as usize] as f32,
            item,
        };
        others.take(k).map(entry).collect()
    };
    TopK::from_lists(k, (0..train.users()).map(list))
}

/// The checked arguments of [`top_k`].
struct Tables<'a> {
    queries: &'a [f32],
    candidates: &'a [f32],
    dim: usize,
    users: usize,
    items: usize,
    k: usize,
    masked: Option<&'a Interactions>,
}

/// Memory that a thread uses again.
#[derive(Default)]
struct Scratch {
    queries: Vec<f32>,
    scores: Vec<f32>,
}

impl<'a> Tables<'a> {
    fn new(
        queries: &'a [f32],
        candidates: &'a [f32],
        dim: usize,
        k: usize,
        masked: Option<&'a Interactions>,
    ) -> Result<Self> {
        let users = rows("queries", queries, dim)?;
        let items = rows("candidates", candidates, dim)?;
        if let Some(masked) = masked {
            check_masked("users", masked.users(), users)?;
            check_masked("items", masked.items(), items)?;
        }
        Ok(Tables {
            queries,
            candidates,
            dim,
            users,
            items,
            k,
            masked,
        })
    }

    fn rank(&self, users: &[u32]) -> Result<TopK> {
        if self.k == 0 || self.items == 0 {
            return Ok(TopK::from_lists(self.k, vec![Vec::new(); users.len()]));
        }
        let lists: Vec<Result<Vec<Vec<Entry>>>> = users
            .par_chunks(TILE_USERS)
            .map_init(Scratch::default, |scratch, block| {
                self.rank_block(block, scratch)
            })
            .collect();
        // Collected before errors are looked at: the first user's error is told, on any thread count.
        let lists = lists.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(TopK::from_lists(self.k, lists.into_iter().flatten()))
    }

    /// The lists of a block of users.
    fn rank_block(&self, users: &[u32], scratch: &mut Scratch) -> Result<Vec<Vec<Entry>>> {
        let Scratch { queries, scores } = scratch;
        queries.clear();
        for &user in users {
            queries.extend_from_slice(&self.queries[user as usize * self.dim..][..self.dim]);
        }
        // Products of other sizes may take other paths, with other roundings: a user's scores would
        // depend on how many are asked.
        queries.resize(TILE_USERS * self.dim, 0.0);
        let k = self.k.min(self.items);
        let mut best: Vec<Best> = users.iter().map(|_| Best::new(k)).collect();
        for tile in even_parts(self.items, TILE_ITEMS) {
            let candidates = &self.candidates[tile.start * self.dim..tile.end * self.dim];
            scores.resize(TILE_USERS * tile.len(), 0.0);
            score_tile(queries, candidates, self.dim, scores);
            let rows = scores.chunks_exact(tile.len());
            for ((&user, best), row) in users.iter().zip(&mut best).zip(rows) {
                let user = user as usize;
                best.see_unmasked(tile.clone(), row, self.masked_in(user, &tile), user)?;
            }
        }
        Ok(best.into_iter().map(Best::finish).collect())
    }

    /// The masked items of a user that lie in a tile.
    fn masked_in(&self, user: usize, tile: &Range<usize>) -> &[u32] {
        let masked = self.masked.map_or(&[][..], |masked| masked.of(user));
        let below = |end: usize| masked.partition_point(|&item| (item as usize) < end);
        &masked[below(tile.start)..below(tile.end)]
    }
}

/// scores = queries · candidatesᵀ, row by row.
#[expect(unsafe_code, reason = "gemm's only interface takes pointers")]
fn score_tile(queries: &[f32], candidates: &[f32], dim: usize, scores: &mut [f32]) {
    let (m, n) = (queries.len() / dim, candidates.len() / dim);
    assert_eq!(scores.len(), m * n);
    // Strides are below the slices' lengths, which fit isize.
    let (row, width) = (dim as isize, n as isize);
    // SAFETY: (m, dim) with strides (dim, 1), (dim, n) with strides (1, dim) and (m, n) with
    // strides (n, 1) each span exactly their slice, and `scores` is borrowed mutably.
    unsafe {
        gemm::gemm(
            m,
            n,
            dim,
            scores.as_mut_ptr(),
            1,
            width,
            false,
            queries.as_ptr(),
            1,
            row,
            candidates.as_ptr(),
            row,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// Cuts `0..len` into the fewest parts of at most `most`, as equal as possible: a last part of one
/// row would take another path through the product than its equals, with other roundings, and
/// equal items would no longer tie.
fn even_parts(len: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = len.div_ceil(most);
    (0..parts).map(move |part| len * part / parts..len * (part + 1) / parts)
}

/// Checks a table and counts its rows.
fn rows(argument: &'static str, table: &[f32], dim: usize) -> Result<usize> {
    if dim == 0 || !table.len().is_multiple_of(dim) || table.len() / dim >= u32::MAX as usize {
        return Err(Error::Shape {
            argument,
            expected: format!("a multiple of dim = {dim}, above 0, and fewer than 2³² - 1 rows"),
            actual: format!("{} values", table.len()),
        });
    }
    match table.par_iter().position_first(|value| !value.is_finite()) {
        None => Ok(table.len() / dim),
        Some(at) => Err(Error::NotFinite {
            argument,
            at,
            value: table[at].into(),
        }),
    }
}

fn check_masked(what: &'static str, actual: usize, expected: usize) -> Result<()> {
    if actual == expected {
        return Ok(());
    }
    Err(Error::Shape {
        argument: "masked",
        expected: format!("{expected} {what}, as the tables have"),
        actual: actual.to_string(),
    })
}
