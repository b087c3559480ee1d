//! Initial embeddings.

use std::f64::consts::TAU;

use rand::RngExt;
use rayon::prelude::*;

use super::random::{Purpose, stream};

/// Values that share a random stream; part of what a seed means, so never to be changed.
const BLOCK: usize = 8192;

/// Which table is initialised. Two tables of one seed are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// The users' embeddings.
    Queries,
    /// The items' embeddings.
    Candidates,
}

/// `rows` × `dim` values, row by row, from N(0, `deviation`²), by Box and Muller's method in f64.
///
/// A standard deviation of 1 is IR-Benchmark's protocol for matrix factorisation. It matters even
/// to cosine losses: their gradients leave the norms (8 at `dim` = 64) as they are, so the initial
/// norms set the angle of each optimiser step.
pub fn normal(rows: usize, dim: usize, deviation: f32, seed: u64, table: Table) -> Vec<f32> {
    let purpose = match table {
        Table::Queries => Purpose::InitQueries,
        Table::Candidates => Purpose::InitCandidates,
    };
    let deviation = f64::from(deviation);
    let mut values = vec![0.0; rows * dim];
    values
        .par_chunks_mut(BLOCK)
        .enumerate()
        .for_each(|(block, values)| {
            let mut rng = stream(seed, purpose, block as u64);
            for pair in values.chunks_mut(2) {
                // From (0, 1], where the logarithm is finite.
                let uniform = 1.0 - rng.random::<f64>();
                let radius = deviation * (-2.0 * uniform.ln()).sqrt();
                let (sin, cos) = (TAU * rng.random::<f64>()).sin_cos();
                for (value, part) in pair.iter_mut().zip([cos, sin]) {
                    *value = (radius * part) as f32; // at most 9 deviations: no overflow
                }
            }
        });
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_normal_distribution() {
        let values = normal(2000, 64, 1.0, 3, Table::Queries);
        let n = values.len() as f64;
        let moment = |power| {
            values
                .iter()
                .map(|&v| f64::from(v).powi(power))
                .sum::<f64>()
                / n
        };
        // Standard errors at n = 128,000: 0.003, 0.004, 0.011, 0.027; bounds are 4 of them.
        assert!(moment(1).abs() < 0.012);
        assert!((moment(2) - 1.0).abs() < 0.016);
        assert!(moment(3).abs() < 0.044);
        assert!((moment(4) - 3.0).abs() < 0.11);
        // Neighbours come from one Box–Muller pair and must not be correlated.
        let product = values.chunks(2).map(|p| f64::from(p[0] * p[1]));
        assert!(product.sum::<f64>().abs() / (n / 2.0) < 0.016);
    }

    #[test]
    fn seed_and_table_decide_and_size_does_not() {
        let a = normal(300, 33, 0.5, 3, Table::Queries);
        assert_eq!(a.len(), 300 * 33);
        assert_eq!(a[..5 * 33], normal(5, 33, 0.5, 3, Table::Queries));
        assert_ne!(a, normal(300, 33, 0.5, 4, Table::Queries));
        assert_ne!(a, normal(300, 33, 0.5, 3, Table::Candidates));
        assert!(a.iter().all(|v| v.is_finite()));
        assert!(normal(0, 8, 1.0, 0, Table::Queries).is_empty());
    }
}
