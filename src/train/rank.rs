//! Exact top-K lists of the scores queries · candidatesᵀ.
//!
//! Scores exist for one tile of users × items per thread at a time, never for all.

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

/// The best items of each user, best first; equal scores by ascending id.
#[derive(Clone, Debug, PartialEq)]
pub struct TopK {
    k: usize,
    offsets: Vec<usize>,
    items: Vec<u32>,
    scores: Vec<f32>,
}

impl TopK {
    fn from_lists(k: usize, lists: impl IntoIterator<Item = Vec<Entry>>) -> Self {
        let mut all = Self {
            k,
            offsets: vec![0],
            items: Vec::new(),
            scores: Vec::new(),
        };
        for list in lists {
            all.items.extend(list.iter().map(|entry| entry.item));
            all.scores.extend(list.iter().map(|entry| entry.score));
            all.offsets.push(all.items.len());
        }
        all
    }

    /// Number of users.
    pub fn users(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The K that was asked for. A list is shorter where the user has fewer items to choose from.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The items of `user`, best first.
    ///
    /// # Panics
    /// Where `user` is not below [`TopK::users`], as indexing a slice does.
    pub fn items(&self, user: usize) -> &[u32] {
        &self.items[self.offsets[user]..self.offsets[user + 1]]
    }

    /// The scores of [`TopK::items`].
    ///
    /// # Panics
    /// Where `user` is not below [`TopK::users`], as indexing a slice does.
    pub fn scores(&self, user: usize) -> &[f32] {
        &self.scores[self.offsets[user]..self.offsets[user + 1]]
    }
}

/// The `k` items of highest score queries\[u\] · candidates\[i\] for every user u, without the
/// items that `masked` lists for the user. `queries` is users × `dim`, `candidates` items × `dim`,
/// row by row. For cosine scores, pass normalised candidates.
///
/// Lists are shorter than `k` where the catalogue, less the masked items, is. The bits do not
/// depend on the number of threads.
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
    let users = rows("queries", queries, dim)?;
    let items = rows("candidates", candidates, dim)?;
    if let Some(masked) = masked {
        check_masked("users", masked.users(), users)?;
        check_masked("items", masked.items(), items)?;
    }
    if k == 0 || items == 0 {
        return Ok(TopK::from_lists(k, vec![Vec::new(); users]));
    }
    let tables = Tables {
        queries,
        candidates,
        dim,
        items,
        k: k.min(items),
        masked,
    };
    let blocks: Vec<_> = even_parts(users, TILE_USERS).collect();
    let lists: Vec<Result<Vec<Vec<Entry>>>> = blocks
        .into_par_iter()
        .map_init(Vec::new, |scores, block| tables.rank_block(block, scores))
        .collect();
    // Collected before errors are looked at: the first user's error is told, on any thread count.
    let lists = lists.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(TopK::from_lists(k, lists.into_iter().flatten()))
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
    items: usize,
    k: usize,
    masked: Option<&'a Interactions>,
}

impl Tables<'_> {
    /// The lists of a block of users; `scores` is memory to reuse.
    fn rank_block(&self, users: Range<usize>, scores: &mut Vec<f32>) -> Result<Vec<Vec<Entry>>> {
        let queries = &self.queries[users.start * self.dim..users.end * self.dim];
        let mut best: Vec<Best> = users.clone().map(|_| Best::new(self.k)).collect();
        for tile in even_parts(self.items, TILE_ITEMS) {
            let candidates = &self.candidates[tile.start * self.dim..tile.end * self.dim];
            scores.resize(users.len() * tile.len(), 0.0);
            score_tile(queries, candidates, self.dim, scores);
            let rows = scores.chunks_exact(tile.len());
            for ((user, best), row) in users.clone().zip(&mut best).zip(rows) {
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
