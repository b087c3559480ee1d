//! What a backend is told to learn from at once: [`Step`].

use crate::Lists;

/// One step's rows: users, ascending, each with the items that the step is about. A user's items
/// share the row, and with it the scores, also where interactions are batched: the value is the
/// mean over pairs either way. Where rows have negatives of their own, each interaction of a batch
/// of interactions is a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub(super) rows: Vec<u32>,
    pub(super) offsets: Vec<u32>,
    pub(super) ids: Vec<u32>,
    pub(super) negatives: Vec<u32>,
}

impl Step {
    /// Groups (user, item) pairs by user, if they are to share rows. Items keep ascending order, so
    /// equal sets of pairs give equal steps.
    pub(super) fn from_pairs(mut pairs: Vec<(u32, u32)>, grouped: bool) -> Self {
        pairs.sort_unstable();
        let mut step = Step::with_capacity(pairs.len());
        for row in pairs.chunk_by(|a, b| grouped && a.0 == b.0) {
            step.push(row[0].0, row.iter().map(|pair| pair.1));
        }
        step
    }

    pub(super) fn with_capacity(rows: usize) -> Self {
        Step {
            rows: Vec::with_capacity(rows),
            offsets: vec![0],
            ids: Vec::with_capacity(rows),
            negatives: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, user: u32, items: impl Iterator<Item = u32>) {
        self.rows.push(user);
        self.ids.extend(items);
        self.offsets.push(self.ids.len() as u32); // fits: training pairs are numbered by u32
    }

    /// The users.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The items of each user.
    pub fn positives(&self) -> Lists<'_> {
        Lists {
            offsets: &self.offsets,
            ids: &self.ids,
        }
    }

    /// Number of (user, item) pairs.
    pub fn pairs(&self) -> usize {
        self.ids.len()
    }

    /// The items that are compared with: each row's own, row after row, or those that all rows
    /// share; none where those are all items.
    pub fn negatives(&self) -> &[u32] {
        &self.negatives
    }
}
