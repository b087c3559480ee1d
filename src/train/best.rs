//! One user's best items, found in one pass over the scores.

use std::cmp::Ordering;
use std::ops::Range;

use crate::{Error, Result};

/// Scores that are compared with a list's worst entry at once.
const LANES: usize = 16;

/// An item of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) score: f32,
    pub(super) item: u32,
}

impl Entry {
    /// Best first. No score is NaN.
    fn order(&self, other: &Self) -> Ordering {
        let by_score = other.score.partial_cmp(&self.score);
        by_score
            .unwrap_or(Ordering::Equal)
            .then(self.item.cmp(&other.item))
    }
}

/// The best `k` entries so far, and later ones that may belong to them.
pub(super) struct Best {
    k: usize,
    entries: Vec<Entry>,
    /// Score of the worst of the best `k`; NaN, which nothing is at or below, until there are so
    /// many. Items come in ascending order, so a later item with the same score never enters.
    floor: f32,
}

impl Best {
    pub(super) fn new(k: usize) -> Self {
        Self {
            k,
            entries: Vec::new(),
            floor: f32::NAN,
        }
    }

    /// Looks at a tile's scores but those of `masked`, in pieces between them, so that no score
    /// has to stand for "masked".
    pub(super) fn see_unmasked(
        &mut self,
        tile: Range<usize>,
        scores: &[f32],
        masked: &[u32],
        user: usize,
    ) -> Result<()> {
        let mut start = tile.start;
        for end in masked.iter().map(|&item| item as usize).chain([tile.end]) {
            self.see(start, &scores[start - tile.start..end - tile.start], user)?;
            start = end + 1;
        }
        Ok(())
    }

    /// Looks at the scores of the items `first..`, which are above all items seen before.
    fn see(&mut self, first: usize, scores: &[f32], user: usize) -> Result<()> {
        for (at, lanes) in scores.chunks(LANES).enumerate() {
            // Nearly all chunks hold nothing of interest, and this test compiles to vector code.
            let floor = self.floor;
            let all_below = lanes
                .iter()
                .fold(true, |all, &score| all & (score <= floor));
            if !all_below {
                self.enter(first + at * LANES, lanes, user)?;
            }
        }
        Ok(())
    }

    #[expect(
        clippy::neg_cmp_op_on_partial_ord,
        reason = "a NaN floor and a NaN score must both take the branch"
    )]
    fn enter(&mut self, first: usize, scores: &[f32], user: usize) -> Result<()> {
        for (item, &score) in (first..).zip(scores) {
            if !(score <= self.floor) {
                if score.is_nan() {
                    return Err(Error::NotFinite {
                        argument: "scores of user",
                        at: user,
                        value: score.into(),
                    });
                }
                let item = item as u32; // fits: `rows` bounds the number of items
                self.entries.push(Entry { score, item });
                if self.entries.len() >= 2 * self.k {
                    self.prune();
                }
            }
        }
        Ok(())
    }

    /// Drops all but the best `k`: every k-th entry at the earliest, so entries cost O(1) each.
    fn prune(&mut self) {
        self.entries
            .select_nth_unstable_by(self.k - 1, Entry::order);
        self.entries.truncate(self.k);
        self.floor = self.entries[self.k - 1].score;
    }

    pub(super) fn finish(mut self) -> Vec<Entry> {
        self.entries.sort_unstable_by(Entry::order);
        self.entries.truncate(self.k);
        self.entries
    }
}
