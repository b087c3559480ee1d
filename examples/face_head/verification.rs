//! Verification: do two images show the same digit? Yes, where the cosine of their features is above
//! a threshold.

use crate::{digits::Images, random::Random};

/// Pairs of either kind, as in LFW: half of all pairs show the same digit.
const PAIRS: usize = 3_000;

const FOLDS: usize = 10;

/// Two images, and whether they show the same digit.
type Pair = ([usize; 2], bool);

/// Images, and random pairs of them.
pub struct Test {
    pub images: Images,
    pub pairs: Vec<Pair>,
}

impl Test {
    /// Pairs of one digit and of two in turn; the same every time.
    pub fn new(images: Images) -> Test {
        let labels = &images.labels;
        let mut random = Random::new(11);
        let mut pairs: Vec<Pair> = Vec::with_capacity(2 * PAIRS);
        while pairs.len() < 2 * PAIRS {
            let same = pairs.len().is_multiple_of(2);
            let pair = [random.below(labels.len()), random.below(labels.len())];
            if pair[0] < pair[1] && (labels[pair[0]] == labels[pair[1]]) == same {
                pairs.push((pair, same));
            }
        }
        Test { images, pairs }
    }

    /// Of the pairs, by features of the images.
    pub fn scores(&self, features: &[f32], dim: usize) -> Scores {
        let row = |at: usize| &features[at * dim..][..dim];
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let score = |([one, other], same): &Pair| {
            let (a, b) = (row(*one), row(*other));
            let lengths = (dot(a, a) * dot(b, b)).sqrt();
            let cos = if lengths > 0.0 {
                dot(a, b) / lengths
            } else {
                0.0
            };
            (cos, *same)
        };
        Scores(self.pairs.iter().map(score).collect())
    }
}

/// The cosine of each pair, and whether it shows the same digit.
pub struct Scores(Vec<(f32, bool)>);

impl Scores {
    /// The share of pairs that a threshold gets right.
    pub fn accuracy(&self, threshold: f32) -> f64 {
        right(&self.0, threshold)
    }

    /// As LFW has it: the threshold that is best on nine tenths of the pairs is tried on the tenth
    /// that is left; the mean over the ten.
    pub fn best_threshold_accuracy(&self) -> f64 {
        let tenth = self.0.len() / FOLDS;
        let folds = (0..FOLDS).map(|fold| {
            let (from, to) = (fold * tenth, (fold + 1) * tenth);
            let others = [&self.0[..from], &self.0[to..]].concat();
            right(&self.0[from..to], best_threshold(others))
        });
        folds.sum::<f64>() / FOLDS as f64
    }
}

fn right(scores: &[(f32, bool)], threshold: f32) -> f64 {
    let right = scores
        .iter()
        .filter(|(cos, same)| (*cos >= threshold) == *same);
    right.count() as f64 / scores.len() as f64
}

/// The threshold that gets most pairs right: a score, or beyond the highest.
fn best_threshold(mut scores: Vec<(f32, bool)>) -> f32 {
    scores.sort_by(|a, b| b.0.total_cmp(&a.0));
    // At a threshold beyond the highest score all pairs are told apart.
    let mut right = scores.iter().filter(|(_, same)| !same).count();
    let (mut most, mut best) = (right, f32::INFINITY);
    for (at, (cos, same)) in scores.iter().enumerate() {
        right = if *same { right + 1 } else { right - 1 };
        let tied = scores.get(at + 1).is_some_and(|next| next.0 == *cos);
        if right > most && !tied {
            (most, best) = (right, *cos);
        }
    }
    best
}
