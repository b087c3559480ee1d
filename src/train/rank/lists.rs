//! Top-K lists of all users in one piece of memory: [`TopK`].

use crate::train::best::Entry;

/// The best items of each user, best first; equal scores by ascending id.
#[derive(Clone, Debug, PartialEq)]
pub struct TopK {
    k: usize,
    offsets: Vec<usize>,
    items: Vec<u32>,
    scores: Vec<f32>,
}

impl TopK {
    pub(super) fn from_lists(k: usize, lists: impl IntoIterator<Item = Vec<Entry>>) -> Self {
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

    /// Multiplies the scores of `user`; a positive `factor` keeps their order.
    pub(in crate::train) fn scale(&mut self, user: usize, factor: f64) {
        for score in &mut self.scores[self.offsets[user]..self.offsets[user + 1]] {
            *score = (f64::from(*score) * factor) as f32;
        }
    }
}
