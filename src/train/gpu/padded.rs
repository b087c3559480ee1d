//! Steps of a fixed shape: [`Capacity`] and [`Padded`].

use crate::{ColumnKind, IGNORED, Shape, train::Step};

/// Numbers of rows, pairs and shared columns that a plan is made for. Steps with fewer are padded:
/// with rows that repeat the last user and hold no pair, with ignored pairs, and with a column that
/// every row masks. None has any weight in value or gradients, so the results are those of the
/// step itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Rows.
    pub rows: usize,
    /// Pairs.
    pub pairs: usize,
    /// Columns that rows share; 0 where they share none.
    pub columns: usize,
}

impl Capacity {
    /// Room for a step, and some more, so that similar steps fit as well. It follows from the
    /// step's sizes and the kind of its columns alone.
    pub fn of(step: &Step, shape: &Shape) -> Self {
        let columns = match shape.columns {
            ColumnKind::Shared(_) => roomy(step.negatives().len()),
            _ => 0,
        };
        let (rows, pairs) = (roomy(step.rows().len()), roomy(step.pairs()));
        Capacity {
            rows,
            pairs,
            columns,
        }
    }

    /// The shape of its plan.
    pub fn shape(self, shape: &Shape) -> Shape {
        let columns = match shape.columns {
            ColumnKind::Shared(_) => ColumnKind::Shared(self.columns),
            other => other,
        };
        Shape {
            rows: self.rows,
            pairs: self.pairs,
            columns,
            ..shape.clone()
        }
    }
}

/// At least `count`: a multiple of an eighth of the power of two below it, and of 32.
fn roomy(count: usize) -> usize {
    let unit = (count.max(1).ilog2().saturating_sub(3) as usize).max(5);
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
    /// Negatives of each row, or of all.
    pub columns: Vec<u32>,
}

impl Padded {
    /// Takes over a step, whose shape is to be `shape`. `spare` is masked in every row.
    pub fn fill(&mut self, step: &Step, shape: &Shape, spare: u32) {
        let last = step.rows().last().copied().unwrap_or(0);
        self.rows.clear();
        self.rows.extend_from_slice(step.rows());
        self.rows.resize(shape.rows, last);
        self.columns.clear();
        self.columns.extend_from_slice(step.negatives());
        match shape.columns {
            ColumnKind::All => {}
            ColumnKind::Shared(count) => self.columns.resize(count, spare),
            // Rows without a pair weigh nothing, whatever their columns are.
            ColumnKind::Sampled(count) => self.columns.resize(shape.rows * count, 0),
        }
        self.positives.clear();
        if shape.many_positives {
            self.deal_pairs(step, shape);
        } else {
            self.positives.extend_from_slice(step.positives().ids);
            self.positives.resize(shape.pairs, IGNORED);
        }
    }

    /// Ignored pairs are dealt evenly to the rows, for none is to take longer than the others.
    fn deal_pairs(&mut self, step: &Step, shape: &Shape) {
        let lists = step.positives();
        let spare = shape.pairs - step.pairs();
        self.offsets.clear();
        self.offsets.push(0);
        for row in 0..shape.rows {
            if row < step.rows().len() {
                self.positives.extend_from_slice(lists.list(row));
            }
            let pads = spare * (row + 1) / shape.rows - spare * row / shape.rows;
            let end = self.positives.len() + pads;
            self.positives.resize(end, IGNORED);
            self.offsets.push(end as u32); // fits: a little more than the training pairs
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{BatchBy, Batching, Dealer, Interactions, Negatives};

    #[test]
    fn capacities_have_some_room() {
        assert_eq!(
            [1, 32, 33, 1000, 1024, 10_000].map(roomy),
            [32, 32, 64, 1024, 1024, 10_240]
        );
    }

    fn train() -> Interactions {
        let lists: Vec<Vec<u32>> = (0..50).map(|n| (0..n % 7).collect()).collect();
        Interactions::from_lists(8, &lists).unwrap()
    }

    #[test]
    fn padding_keeps_lists_and_fills_the_room() {
        let train = train();
        let (by, size) = (BatchBy::Users, 9);
        let negatives = Negatives::InBatch { log_q: false };
        let dealer = Dealer::new(&train, Batching { by, size }, negatives, 1).unwrap();
        let shape = Shape {
            many_positives: true,
            columns: ColumnKind::Shared(1),
            ..Shape::new(1, 9, 4)
        };
        let mut padded = Padded::default();
        for step in dealer.epoch(0) {
            let shape = Capacity::of(&step, &shape).shape(&shape);
            padded.fill(&step, &shape, 8);
            assert_eq!(padded.rows.len(), shape.rows);
            assert_eq!(padded.positives.len(), shape.pairs);
            assert_eq!(padded.offsets.last(), Some(&(shape.pairs as u32)));
            assert_eq!(ColumnKind::Shared(padded.columns.len()), shape.columns);
            let (columns, pads) = padded.columns.split_at(step.negatives().len());
            assert_eq!(columns, step.negatives());
            assert!(pads.iter().all(|&id| id == 8));
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

    #[test]
    fn rows_with_negatives_of_their_own_are_padded_by_ignored_ones() {
        let train = train();
        let (by, size) = (BatchBy::Interactions, 40);
        let dealer = Dealer::new(&train, Batching { by, size }, Negatives::Sampled(3), 1).unwrap();
        let shape = Shape {
            columns: ColumnKind::Sampled(3),
            ..Shape::new(1, 8, 4)
        };
        let mut padded = Padded::default();
        for step in dealer.epoch(0) {
            let shape = Capacity::of(&step, &shape).shape(&shape);
            padded.fill(&step, &shape, 8);
            let pairs = step.pairs();
            assert_eq!(padded.positives[..pairs], *step.positives().ids);
            assert!(padded.positives[pairs..].iter().all(|&id| id == IGNORED));
            assert_eq!(padded.columns.len(), 3 * shape.rows);
            assert_eq!((shape.rows, shape.pairs), (padded.rows.len(), shape.rows));
        }
    }
}
