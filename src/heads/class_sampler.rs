//! Partial FC: the classes that a step compares with.

use super::is_class;
use crate::{Error, Result, shape::ABSENT};

/// Partial FC's class sampling: every class of the step's labels, and random others up to a share
/// of all classes. The ids go into [`Columns::Shared`](crate::Columns::Shared), with
/// [`Want::compact`](crate::Want::compact) and [`add_pair_rows`](super::add_pair_rows) for a
/// gradient of the sampled rows alone.
///
/// As in the official code the loss over the sampled classes is taken as it is, without a
/// correction for the rate. With classes divided over machines, each has a sampler of its own for
/// its part, and all sample with the labels of the whole batch.
///
/// Source: An et al., "Killing two birds with one stone: efficient and robust training of face
/// recognition CNNs by Partial FC" (CVPR 2022). Official code (insightface `arcface_torch`) has two
/// forms: version 1 moves the sampled classes alone, which is what compact gradients are for;
/// version 2 lets momentum and weight decay move all classes in every step.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassSampler {
    classes: usize,
    rate: f64,
    seed: u64,
}

impl ClassSampler {
    /// Of `classes` classes, the share `rate` in every step (published: 0.1 to 0.3).
    ///
    /// # Errors
    /// [`Error::Shape`] for no classes, or more than ids can name; [`Error::Domain`] for a rate
    /// outside (0, 1].
    pub fn new(classes: usize, rate: f64, seed: u64) -> Result<Self> {
        if !(1..=ABSENT as usize).contains(&classes) {
            return Err(Error::Shape {
                argument: "classes",
                expected: format!("1 to {ABSENT} classes"),
                actual: classes.to_string(),
            });
        }
        if !(rate > 0.0 && rate <= 1.0) {
            return Err(Error::Domain {
                loss: "class sampler",
                parameter: "rate",
                value: rate.to_string(),
                domain: "expected a share of the classes, 0 < rate ≤ 1".into(),
            });
        }
        Ok(ClassSampler {
            classes,
            rate,
            seed,
        })
    }

    /// How many classes there are, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many classes a step has unless its labels name more: ⌊rate·C⌋, the product rounded to
    /// f64 as in the official code, and at least 1.
    #[must_use]
    pub fn per_step(&self) -> usize {
        // At most `classes`, for the rate is at most 1.
        ((self.rate * self.classes as f64) as usize).max(1)
    }

    /// The classes of step `step`, ascending, each once: those of `labels`, and of the others a
    /// uniformly random subset that makes [`ClassSampler::per_step`] of them. Where the labels name
    /// more than that, they alone. [`IGNORED`](crate::IGNORED) and [`ABSENT`](crate::ABSENT)
    /// name no class.
    ///
    /// The same seed, step and set of labels give the same classes, in whatever order and however
    /// often the labels come. Work and memory: a random number per class drawn, a bit per class.
    ///
    /// # Errors
    /// [`Error::Id`] for a label that is no class.
    pub fn sample(&self, labels: &[u32], step: u64) -> Result<Vec<u32>> {
        let positives = self.positives(labels)?;
        let others = self.classes - positives.len();
        let wanted = self.per_step().saturating_sub(positives.len());
        let mut random = Random::new(self.seed, step);
        let drawn = Bits::subset(others, wanted, &mut random);
        Ok(merge(&positives, &drawn, positives.len() + wanted))
    }

    /// The classes of the labels, ascending, each once.
    fn positives(&self, labels: &[u32]) -> Result<Vec<u32>> {
        let named = |label: u32| is_class(label) && label as usize >= self.classes;
        if let Some(at) = labels.iter().position(|label| named(*label)) {
            return Err(Error::Id {
                argument: "labels",
                at,
                id: labels[at].into(),
                count: self.classes,
            });
        }
        let mut classes: Vec<u32> = labels.iter().copied().filter(|l| is_class(*l)).collect();
        classes.sort_unstable();
        classes.dedup();
        Ok(classes)
    }
}

/// `positives`, and the classes whose numbers, counted among the classes that are none, were drawn;
/// ascending.
fn merge(positives: &[u32], drawn: &Bits, count: usize) -> Vec<u32> {
    let mut ids = Vec::with_capacity(count);
    let mut before = 0;
    for number in drawn.set() {
        // Class `number + before` is the one with that number, unless a positive comes first.
        while positives
            .get(before)
            .is_some_and(|p| *p <= number + before as u32)
        {
            ids.push(positives[before]);
            before += 1;
        }
        ids.push(number + before as u32);
    }
    ids.extend(&positives[before..]);
    ids
}

/// A set of numbers below a bound, as bits.
struct Bits(Vec<u64>);

impl Bits {
    /// `wanted` of the numbers below `count`, every such subset as likely as any other: Floyd's
    /// algorithm, one random number per member (Bentley and Floyd, "A sample of brilliance",
    /// 1987).
    fn subset(count: usize, wanted: usize, random: &mut Random) -> Bits {
        let mut bits = Bits(vec![0; count.div_ceil(64)]);
        for last in count - wanted..count {
            let number = random.below(last as u64 + 1) as usize;
            let new = if bits.has(number) { last } else { number };
            bits.0[new / 64] |= 1 << (new % 64);
        }
        bits
    }

    fn has(&self, number: usize) -> bool {
        self.0[number / 64] >> (number % 64) & 1 == 1
    }

    /// The members, ascending.
    fn set(&self) -> impl Iterator<Item = u32> {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }
}

/// Random numbers of one step: `SplitMix64` (Steele et al., "Fast splittable pseudorandom number
/// generators", OOPSLA 2014).
struct Random(u64);

/// The odd number nearest to 2⁶⁴/φ.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The stream of a step: steps of one seed start at different places for certain.
    fn new(seed: u64, step: u64) -> Self {
        Random(scrambled(scrambled(seed) ^ step.wrapping_mul(GOLDEN)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        scrambled(self.0)
    }

    /// A number below `bound`, all as likely: the upper half of a product with a random number, drawn
    /// again where the lower half is one of those too many (Lemire, 2019).
    fn below(&mut self, bound: u64) -> u64 {
        let too_many = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next()) * u128::from(bound);
            if product as u64 >= too_many {
                return (product >> 64) as u64;
            }
        }
    }
}

/// A bijection of 64-bit numbers that leaves no trace of order.
fn scrambled(number: u64) -> u64 {
    let once = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let twice = (once ^ once >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    twice ^ twice >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first outputs of SplitMix64 from state 0.
        let mut random = Random(0);
        let first = [random.next(), random.next(), random.next()];
        let published = [
            0xe220_a839_7b1d_cdaf,
            0x6e78_9e6a_a1b9_65f4,
            0x06c4_5d18_8009_454f,
        ];
        assert_eq!(first, published);
    }

    #[test]
    fn every_subset_is_as_likely() {
        // 3 of 6: 20 subsets, 2,000 draws each; a standard deviation is 44.
        let mut counts = std::collections::BTreeMap::new();
        for step in 0..40_000 {
            let set = Bits::subset(6, 3, &mut Random::new(5, step));
            *counts.entry(set.0[0]).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 20);
        for (set, count) in counts {
            assert_eq!(set.count_ones(), 3);
            assert!((1_780..2_220).contains(&count), "{set:b}: {count}");
        }
    }
}
