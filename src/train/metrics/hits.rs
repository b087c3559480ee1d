//! One user's metrics, and their averages.

use super::AtK;

/// What one user's list comes to at one K. Numbers of [`AtK`] under their names there.
pub(super) struct Hits {
    hits: usize,
    relevant: usize,
    recall: f64,
    ndcg: f64,
    mrr: f64,
    map: f64,
    mrr_ir: f64,
}

/// Discounted gains by place.
pub(super) struct Gains {
    /// At place π - 1: 1/log₂(1 + π).
    single: Vec<f64>,
    /// At n: the sum of the first n.
    ideal: Vec<f64>,
}

impl Gains {
    pub(super) fn new(places: usize) -> Self {
        let single: Vec<f64> = (0..places)
            .map(|at| 1.0 / (at as f64 + 2.0).log2())
            .collect();
        let mut ideal = vec![0.0];
        ideal.extend(single.iter().scan(0.0, |sum, gain| {
            *sum += gain;
            Some(*sum)
        }));
        Self { single, ideal }
    }

    /// One user's metrics at each K. `relevant` is ascending.
    pub(super) fn measure(&self, list: &[u32], relevant: &[u32], ks: &[usize]) -> Vec<Hits> {
        let places: Vec<usize> = (0..list.len())
            .filter(|&at| relevant.binary_search(&list[at]).is_ok())
            .collect();
        let at_k = |&k: &usize| {
            let places = &places[..places.partition_point(|&at| at < k)];
            self.at_k(places, relevant.len(), k)
        };
        ks.iter().map(at_k).collect()
    }

    /// The metrics of hits at these places, from 0.
    fn at_k(&self, places: &[usize], relevant: usize, k: usize) -> Hits {
        let reciprocal = |at: usize| 1.0 / (at + 1) as f64;
        // Not `sum`, which is -0 for no hits.
        let sum = |term: &dyn Fn(usize) -> f64| {
            (0..places.len()).fold(0.0, |sum, before| sum + term(before))
        };
        // 0 of 0 counts 0.
        let share = |part: f64, whole: f64| if part == 0.0 { 0.0 } else { part / whole };
        let ideal = k.min(relevant);
        let hits = places.len();
        let precisions = sum(&|before| (before + 1) as f64 * reciprocal(places[before]));
        Hits {
            hits,
            relevant,
            recall: share(hits as f64, relevant as f64),
            ndcg: share(
                sum(&|before| self.single[places[before]]),
                self.ideal[ideal],
            ),
            mrr: places.first().map_or(0.0, |&at| reciprocal(at)),
            map: share(precisions, ideal as f64),
            mrr_ir: share(sum(&|before| reciprocal(places[before])), hits as f64),
        }
    }
}

/// The averages over users, of whom there is at least one.
pub(super) fn average<'a>(
    k: usize,
    users: impl ExactSizeIterator<Item = &'a Hits> + Clone,
    coverage: f64,
) -> AtK {
    let count = users.len() as f64;
    // One after the other in the users' order: the same bits on any number of threads.
    let mean = |of: &dyn Fn(&Hits) -> f64| users.clone().map(of).sum::<f64>() / count;
    let total = |of: &dyn Fn(&Hits) -> usize| users.clone().map(of).sum::<usize>();
    let (hits, relevant) = (total(&|user| user.hits), total(&|user| user.relevant));
    AtK {
        k,
        recall: mean(&|user| user.recall),
        precision: mean(&|user| user.hits as f64 / k as f64),
        ndcg: mean(&|user| user.ndcg),
        mrr: mean(&|user| user.mrr),
        hit_ratio: total(&|user| usize::from(user.hits > 0)) as f64 / count,
        map: mean(&|user| user.map),
        coverage,
        mrr_ir: mean(&|user| user.mrr_ir),
        // Nobody has relevant items: 0 of 0.
        hit_ratio_ir: hits as f64 / relevant.max(1) as f64,
    }
}
