//! Steps of a fixed shape: [`Capacity`] and [`Padded`].

use crate::{IGNORED, train::Step};

/// Numbers of rows and pairs that a plan is made for. Steps with fewer are padded: with rows that
/// repeat the last user and hold no pair, and with ignored pairs. Neither has any weight in value
/// or gradients, so the results are those of the step itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Rows.
    pub rows: usize,
    /// Pairs.
    pub pairs: usize,
}

impl Capacity {
    /// Room for a step, and some more, so that similar steps fit as well.
    pub fn of(step: &Step) -> Self {
        Capacity {
            rows: roomy(step.rows().len()),
            pairs: roomy(step.pairs()),
        }
    }

    /// Whether a step fits, and is of about the size.
    pub fn suits(self, step: &Step) -> bool {
        let fits = step.rows().len() <= self.rows && step.pairs() <= self.pairs;
        fits && Self::of(step).is_near(self)
    }

    /// Room for what either has room for, if they are of about one size.
    pub fn join(self, other: Self) -> Option<Self> {
        self.is_near(other).then(|| Capacity {
            rows: self.rows.max(other.rows),
            pairs: self.pairs.max(other.pairs),
        })
    }

    fn is_near(self, other: Self) -> bool {
        let near = |a: usize, b: usize| a / 2 <= b && b / 2 <= a;
        near(self.rows, other.rows) && near(self.pairs, other.pairs)
    }
}

/// At least `count`: a multiple of a 16th of the power of two below it, and of 32.
fn roomy(count: usize) -> usize {
    let unit = (count.max(1).ilog2().saturating_sub(4) as usize).max(5);
    count.max(1).next_multiple_of(1 << unit)
}

/// The lists of a padded step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Padded {
    /// Users.
    pub rows: Vec<u32>,
    /// Where each row's pairs begin, and the end.
    pub offsets: Vec<u32>,
    /// Items of the pairs.
    pub positives: Vec<u32>,
}

impl Padded {
    /// Takes over a step that fits `capacity`. Ignored pairs are dealt evenly to the rows, for
    /// none is to take longer than the others.
    pub fn fill(&mut self, step: &Step, capacity: Capacity) {
        let lists = step.positives();
        let last = step.rows().last().copied().unwrap_or(0);
        let spare = capacity.pairs - step.pairs();
        self.rows.clear();
        self.rows.extend_from_slice(step.rows());
        self.rows.resize(capacity.rows, last);
        self.positives.clear();
        self.offsets.clear();
        self.offsets.push(0);
        for row in 0..capacity.rows {
            if row < step.rows().len() {
                self.positives.extend_from_slice(lists.list(row));
            }
            let pads = spare * (row + 1) / capacity.rows - spare * row / capacity.rows;
            let end = self.positives.len() + pads;
            self.positives.resize(end, IGNORED);
            self.offsets.push(end as u32); // fits: a little more than the training pairs
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{BatchBy, Batching, Dealer, Interactions};

    #[test]
    fn capacities_have_some_room_and_join() {
        let capacity = |rows, pairs| Capacity { rows, pairs };
        assert_eq!(
            [1, 32, 33, 1000, 1024, 10_000].map(roomy),
            [32, 32, 64, 1024, 1024, 10_240]
        );
        let joined = capacity(64, 1024).join(capacity(96, 512));
        assert_eq!(joined, Some(capacity(96, 1024)));
        assert_eq!(capacity(64, 1024).join(capacity(64, 256)), None);
    }

    #[test]
    fn padding_keeps_lists_and_fills_the_room() {
        let lists: Vec<Vec<u32>> = (0..50).map(|n| (0..n % 7).collect()).collect();
        let train = Interactions::from_lists(7, &lists).unwrap();
        let batching = Batching {
            by: BatchBy::Users,
            size: 9,
        };
        let dealer = Dealer::new(&train, batching, 1).unwrap();
        let mut padded = Padded::default();
        for step in dealer.epoch(0) {
            let capacity = Capacity::of(&step);
            assert!(capacity.suits(&step));
            padded.fill(&step, capacity);
            assert_eq!(padded.rows.len(), capacity.rows);
            assert_eq!(padded.positives.len(), capacity.pairs);
            assert_eq!(padded.offsets.last(), Some(&(capacity.pairs as u32)));
            for (row, bounds) in padded.offsets.windows(2).enumerate() {
                let pairs = &padded.positives[bounds[0] as usize..bounds[1] as usize];
                let kept: Vec<u32> = (pairs.iter().copied().filter(|&id| id != IGNORED)).collect();
                let expected: &[u32] = match step.rows().get(row) {
                    Some(&user) => train.of(user as usize),
                    None => &[],
                };
                assert_eq!(kept, expected);
            }
        }
    }
}
