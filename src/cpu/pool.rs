//! Pooling of targets: the pairs of one query share a target.

use super::{positives::Positive, problem::Problem, product::CpuReal};
use crate::loss::Pool;

/// The groups of pairs of equal query, with their shared targets, `log mean e^{κt}` or the log of
/// the sum.
pub(super) struct Pooled {
    /// Group per live pair.
    group: Vec<usize>,
    /// Per group: the shared target and the number of pairs.
    groups: Vec<(f64, usize)>,
    /// ∂T/∂t per live pair: κ times its share of the group.
    slope: Vec<f64>,
    /// Whether a group counts once.
    per_group: bool,
}

impl Pooled {
    /// Groups the pairs, if the loss pools.
    pub(super) fn new<R: CpuReal>(
        problem: &Problem<'_, R>,
        positives: &[Positive<R>],
    ) -> Option<Self> {
        let Pool::Query { per_group, sum } = problem.spec.pool else {
            return None;
        };
        let kappa = problem.kernels.pool_scale(&problem.parameters).to_f64();
        let query = |at: &usize| problem.rows[problem.pairs[*at].row].query;
        let mut order: Vec<usize> = (0..positives.len()).collect();
        order.sort_by_key(query);
        let mut pooled = Pooled {
            group: vec![0; positives.len()],
            groups: Vec::new(),
            slope: vec![0.0; positives.len()],
            per_group,
        };
        for members in order.chunk_by(|a, b| query(a) == query(b)) {
            let scaled = |at: &usize| kappa * positives[*at].target.value.to_f64();
            let total = log_sum_exp(members.iter().map(scaled));
            for at in members {
                pooled.group[*at] = pooled.groups.len();
                pooled.slope[*at] = kappa * (scaled(at) - total).exp();
            }
            let divisor = if sum { 1 } else { members.len() };
            let target = total - (divisor as f64).ln();
            pooled.groups.push((target, members.len()));
        }
        Some(pooled)
    }

    /// The target that the pair's row sees.
    pub(super) fn target(&self, at: usize) -> f64 {
        self.groups[self.group[at]].0
    }

    /// What a pair weighs beside its own weight.
    pub(super) fn weight(&self, at: usize) -> f64 {
        if self.per_group {
            1.0 / self.groups[self.group[at]].1 as f64
        } else {
            1.0
        }
    }

    /// What the mean divides by, if groups count once.
    pub(super) fn divisor(&self) -> Option<usize> {
        self.per_group.then_some(self.groups.len())
    }

    /// Turns gradients by each pair's shared target into gradients by its own.
    pub(super) fn backward(&self, by_shared: &mut [f64]) {
        let mut sums = vec![0.0; self.groups.len()];
        for (&gradient, &group) in by_shared.iter().zip(&self.group) {
            sums[group] += gradient;
        }
        for (at, gradient) in by_shared.iter_mut().enumerate() {
            *gradient = self.slope[at] * sums[self.group[at]];
        }
    }
}

/// `log Σ e^x`; −∞ of nothing.
pub(super) fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let max = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return max;
    }
    max + values.map(|x| (x - max).exp()).sum::<f64>().ln()
}
