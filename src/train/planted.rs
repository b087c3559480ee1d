//! The built-in data set: interactions drawn from known tastes.

use std::ops::Range;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::random::{Purpose, stream};
use super::{Dataset, Interactions, split};
use crate::{Error, Result};

/// Probability that an interaction comes from the user's first, second, … cluster. The rest comes
/// from the whole catalogue.
const TASTES: [f64; 3] = [0.5, 0.2, 0.1];
/// The most active users have 1/√`RAREST` times the weight of the least active.
const RAREST: f64 = 0.0025;
/// Draws per wanted item, after which a user's list is filled up in order instead.
const PATIENCE: usize = 64;

/// Sizes of a planted data set.
///
/// Items fall into clusters and, independently, into ranks of popularity: rank r weighs
/// 1/(r + items/200), Zipf's law with a flattened head. Every user likes three random clusters and
/// draws half, a fifth and a tenth of their items from them, the rest from the whole catalogue,
/// always by popularity. Users' activity has a long tail too: few have ten times the mean. So a
/// popularity ranking earns something, and a model that finds the clusters earns much more.
///
/// The numbers depend on these fields alone: only exactly rounded operations are used, no
/// platform's mathematics library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planted {
    /// Number of users.
    pub users: usize,
    /// Number of items.
    pub items: usize,
    /// Number of interactions, train and test together; at most half of users × items.
    pub interactions: usize,
    /// Number of clusters of items, of equal size.
    pub clusters: usize,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for Planted {
    /// 20,000 users, 10,000 items in 50 clusters, 1,000,000 interactions.
    fn default() -> Self {
        Self {
            users: 20_000,
            items: 10_000,
            interactions: 1_000_000,
            clusters: 50,
            seed: 0,
        }
    }
}

impl Planted {
    /// Draws the data and splits it 80/20 per user ([`split::train_test`]).
    ///
    /// # Errors
    /// [`Error::Domain`] for sizes of 0, more clusters than items, ids that do not fit, or more
    /// interactions than half of users × items.
    pub fn generate(&self) -> Result<Dataset> {
        self.validate()?;
        let catalogue = Catalogue::new(self);
        let lists: Vec<Vec<u32>> = self
            .activity()
            .into_par_iter()
            .enumerate()
            .map_init(
                || vec![false; self.items],
                |taken, (user, count)| {
                    let mut rng = stream(self.seed, Purpose::PlantedUser, user as u64);
                    let list = catalogue.draw(count, taken, &mut rng);
                    list.iter().for_each(|&item| taken[item as usize] = false);
                    list
                },
            )
            .collect();
        let all = Interactions::from_lists(self.items, &lists)?;
        split::train_test(&all, self.seed)
    }

    fn validate(&self) -> Result<()> {
        let ids = u32::MAX as usize;
        let pairs = self.users.saturating_mul(self.items / 2);
        for (parameter, value, most) in [
            ("users", self.users, ids),
            ("items", self.items, ids),
            ("clusters", self.clusters, self.items),
            ("interactions", self.interactions, pairs.min(ids)),
        ] {
            if value == 0 || value > most {
                return Err(Error::Domain {
                    loss: "planted data",
                    parameter,
                    value: value.to_string(),
                    domain: format!("must be from 1 to {most}"),
                });
            }
        }
        Ok(())
    }

    /// The number of items of each user; the sum is `interactions`, the most is half the items.
    fn activity(&self) -> Vec<usize> {
        let mut rng = stream(self.seed, Purpose::PlantedCatalogue, 1);
        let weights: Vec<f64> = (0..self.users)
            .map(|_| 1.0 / rng.random::<f64>().max(RAREST).sqrt())
            .collect();
        let total: f64 = weights.iter().sum();
        let most = self.items / 2;
        let (mut left, mut sum, mut before) = (self.interactions, 0.0, 0);
        let mut counts = Vec::with_capacity(self.users);
        for weight in weights {
            // Differences of rounded running sums, so that roundings do not add up.
            sum += weight;
            let until = (sum / total * self.interactions as f64) as usize;
            let count = (until - before).min(most).min(left);
            before = until;
            left -= count;
            counts.push(count);
        }
        // What the most active had to leave goes to whoever has room.
        while left > 0 {
            for count in &mut counts {
                let more = usize::from(left > 0 && *count < most);
                *count += more;
                left -= more;
            }
        }
        counts
    }
}

/// The items, cluster after cluster, with their popularity.
struct Catalogue {
    clusters: usize,
    ids: Vec<u32>,
    /// At p: the sum of the weights of the first p items.
    cumulative: Vec<f64>,
}

impl Catalogue {
    fn new(planted: &Planted) -> Self {
        let mut rng = stream(planted.seed, Purpose::PlantedCatalogue, 0);
        let mut ids: Vec<u32> = (0u32..).take(planted.items).collect();
        let mut ranks = ids.clone();
        ids.shuffle(&mut rng);
        ranks.shuffle(&mut rng);
        let head = (planted.items as f64 / 200.0).max(1.0);
        let mut cumulative = vec![0.0];
        cumulative.extend(ranks.iter().scan(0.0, |sum, &rank| {
            *sum += 1.0 / (f64::from(rank) + head);
            Some(*sum)
        }));
        Self {
            clusters: planted.clusters,
            ids,
            cumulative,
        }
    }

    /// A user's clusters, the favourite first; what a user's stream gives first.
    fn tastes(&self, rng: &mut ChaCha8Rng) -> [usize; TASTES.len()] {
        TASTES.map(|_| rng.random_range(0..self.clusters))
    }

    /// Where the items of a cluster are.
    fn places(&self, cluster: usize) -> Range<usize> {
        let bound = |cluster| self.ids.len() * cluster / self.clusters;
        bound(cluster)..bound(cluster + 1)
    }

    /// `count` different items for a user with random tastes. `taken` is false for every item, and
    /// true for the list's items afterwards.
    fn draw(&self, count: usize, taken: &mut [bool], rng: &mut ChaCha8Rng) -> Vec<u32> {
        let tastes = self.tastes(rng);
        let mut list = Vec::with_capacity(count);
        for _ in 0..PATIENCE.saturating_mul(count) {
            if list.len() == count {
                return list;
            }
            let item = self.draw_one(tastes, rng);
            if !taken[item as usize] {
                taken[item as usize] = true;
                list.push(item);
            }
        }
        // The rare user who wants more of a tiny catalogue than draws can find in time.
        for &item in &self.ids {
            if list.len() < count && !taken[item as usize] {
                taken[item as usize] = true;
                list.push(item);
            }
        }
        list
    }

    /// One item, by popularity, from one of the user's clusters or from everything.
    fn draw_one(&self, tastes: [usize; TASTES.len()], rng: &mut ChaCha8Rng) -> u32 {
        let mut choice = rng.random::<f64>();
        let mut places = 0..self.ids.len();
        for (cluster, share) in tastes.into_iter().zip(TASTES) {
            if choice < share {
                places = self.places(cluster);
                break;
            }
            choice -= share;
        }
        let (low, high) = (self.cumulative[places.start], self.cumulative[places.end]);
        let at = low + rng.random::<f64>() * (high - low);
        let ends = &self.cumulative[places.start + 1..places.end];
        // Every end but the last: a draw that rounds up to `high` still finds the last item.
        self.ids[places.start + ends.partition_point(|&end| end <= at)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        loss::Score,
        train::{Embeddings, Folds},
    };

    /// Embeddings whose dot products are the probabilities that items are drawn with: a dimension
    /// per cluster, where the user's number is the cluster's share over its weight and the item's
    /// is its weight.
    fn probabilities(planted: &Planted) -> Embeddings {
        let catalogue = Catalogue::new(planted);
        let (items, dim) = (planted.items, planted.clusters);
        let weight = |from: usize, to: usize| catalogue.cumulative[to] - catalogue.cumulative[from];
        let from_all = (1.0 - TASTES.iter().sum::<f64>()) / weight(0, items);
        let mut queries = vec![from_all as f32; planted.users * dim];
        for (user, row) in queries.chunks_exact_mut(dim).enumerate() {
            let mut rng = stream(planted.seed, Purpose::PlantedUser, user as u64);
            for (cluster, share) in catalogue.tastes(&mut rng).into_iter().zip(TASTES) {
                let places = catalogue.places(cluster);
                row[cluster] += (share / weight(places.start, places.end)) as f32;
            }
        }
        let mut candidates = vec![0.0; items * dim];
        for cluster in 0..dim {
            for place in catalogue.places(cluster) {
                let item = catalogue.ids[place] as usize;
                candidates[item * dim + cluster] = weight(place, place + 1) as f32;
            }
        }
        Embeddings {
            dim,
            queries,
            candidates,
        }
    }

    /// What knowing the tastes is worth: NDCG@20 over popularity's. Margins that tests and README
    /// ask of trained models are to be read beside these.
    #[test]
    fn there_is_much_to_find() {
        let small = Planted {
            users: 1000,
            items: 500,
            interactions: 30_000,
            clusters: 20,
            seed: 3,
        };
        for (planted, expected) in [(small, 2.64), (Planted::default(), 9.79)] {
            let folds = Folds::new(&planted.generate().unwrap(), 0).unwrap();
            let known = (folds.test(&probabilities(&planted), Score::Dot, &[20])).unwrap();
            let popular = folds.popularity(&[20]).unwrap();
            let gain = known.at[0].ndcg / popular.at[0].ndcg;
            assert!((gain - expected).abs() < 0.01, "{planted:?}: {gain}");
        }
    }
}
