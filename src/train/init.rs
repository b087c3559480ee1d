//! Initial embeddings: [`Init`].

use std::{f64::consts::TAU, fmt, str::FromStr};

use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::random::{Purpose, stream};
use crate::{Error, Result};

/// Values that share a random stream; part of what a seed means, so never to be changed.
const BLOCK: usize = 8192;

/// The largest deviation. Beyond, squared norms are no f32.
const LARGEST: f64 = 1e18;

/// Where training starts from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Init {
    /// Width of the embeddings.
    pub dim: usize,
    /// Their distribution.
    pub kind: InitKind,
}

/// The distribution of initial embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InitKind {
    /// N(0, `deviation`²).
    Normal {
        /// The standard deviation, above 0.
        deviation: f64,
    },
    /// N(0, 2 / (rows + dim)), each table by its own number of rows (Glorot and Bengio, 2010): what
    /// IR-Benchmark has for BPR.
    XavierNormal,
}

impl Default for Init {
    /// Width 64 and N(0, 1), as in the published protocol.
    fn default() -> Self {
        Init {
            dim: 64,
            kind: InitKind::default(),
        }
    }
}

impl Default for InitKind {
    fn default() -> Self {
        InitKind::Normal { deviation: 1.0 }
    }
}

impl Init {
    /// Width `dim` and N(0, `deviation`²).
    #[must_use]
    pub fn normal(dim: usize, deviation: f64) -> Self {
        Init {
            dim,
            kind: InitKind::Normal { deviation },
        }
    }
}

impl InitKind {
    /// The standard deviation of a table of `rows` × `dim`.
    #[must_use]
    pub fn deviation(self, rows: usize, dim: usize) -> f64 {
        match self {
            InitKind::Normal { deviation } => deviation,
            InitKind::XavierNormal => (2.0 / (rows + dim) as f64).sqrt(),
        }
    }

    /// Checks the deviation.
    ///
    /// # Errors
    /// [`Error::Domain`] for one that is not above 0 and at most 10¹⁸.
    pub fn validate(self) -> Result<()> {
        match self {
            InitKind::Normal { deviation } if !(deviation > 0.0 && deviation <= LARGEST) => {
                Err(Error::Domain {
                    loss: "embeddings",
                    parameter: "deviation",
                    value: deviation.to_string(),
                    domain: "must be above 0 and at most 1e18".into(),
                })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for InitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InitKind::Normal { deviation } => write!(f, "{deviation}"),
            InitKind::XavierNormal => write!(f, "xavier"),
        }
    }
}

impl FromStr for InitKind {
    type Err = Error;

    /// A standard deviation, or `xavier`. The deviation's domain is checked where it is used.
    fn from_str(text: &str) -> Result<Self> {
        match text.parse() {
            Ok(deviation) => Ok(InitKind::Normal { deviation }),
            Err(_) if text == "xavier" => Ok(InitKind::XavierNormal),
            Err(_) => Err(Error::Unknown {
                what: "init".into(),
                kind: "choice",
                name: text.into(),
                valid: "a standard deviation, xavier".into(),
            }),
        }
    }
}

/// Which table is initialised. Two tables of one seed are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// The users' embeddings.
    Queries,
    /// The items' embeddings.
    Candidates,
    /// The adversary's embeddings of users.
    SecondQueries,
    /// The adversary's embeddings of items.
    SecondCandidates,
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
        Table::SecondQueries => Purpose::InitSecondQueries,
        Table::SecondCandidates => Purpose::InitSecondCandidates,
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
        for other in [
            Table::Candidates,
            Table::SecondQueries,
            Table::SecondCandidates,
        ] {
            assert_ne!(a, normal(300, 33, 0.5, 3, other));
        }
        assert!(a.iter().all(|v| v.is_finite()));
        assert!(normal(0, 8, 1.0, 0, Table::Queries).is_empty());
    }

    #[test]
    fn each_table_has_the_deviation_of_its_own_size() {
        let xavier = InitKind::XavierNormal;
        assert_eq!(xavier.deviation(1_974, 64), (2.0f64 / 2_038.0).sqrt());
        assert_eq!(xavier.deviation(1_200, 64), (2.0f64 / 1_264.0).sqrt());
        assert_eq!(InitKind::Normal { deviation: 0.01 }.deviation(7, 64), 0.01);
    }

    #[test]
    fn texts_are_read_and_written() {
        for text in ["0.01", "1", "xavier"] {
            let kind: InitKind = text.parse().unwrap();
            assert_eq!(kind.to_string(), text);
            kind.validate().unwrap();
        }
        let error = "he".parse::<InitKind>().unwrap_err().to_string();
        assert!(error.ends_with("a standard deviation, xavier"), "{error}");
        assert!("nan".parse::<InitKind>().unwrap().validate().is_err());
    }
}
