//! The trained tables.

use std::{collections::HashMap, io, path::Path};

use rayon::prelude::*;
use safetensors::{Dtype, tensor::TensorView};
use serde::{Deserialize, Serialize};

use super::{
    Interactions, TopK,
    init::{Table, normal},
    rank::top_k,
    whole_file::write_whole,
};
use crate::{Error, Result, loss::Score, shape::MAX_DIM};

/// Embeddings of users (the queries) and items (the candidates), row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    /// Width of both tables.
    pub dim: usize,
    /// Users × `dim`.
    pub queries: Vec<f32>,
    /// Items × `dim`.
    pub candidates: Vec<f32>,
}

/// Where training starts from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Init {
    /// Width of the embeddings.
    pub dim: usize,
    /// Their standard deviation.
    pub deviation: f64,
}

impl Default for Init {
    /// Width 64 and N(0, 1), as in the published protocol.
    fn default() -> Self {
        Init {
            dim: 64,
            deviation: 1.0,
        }
    }
}

impl Embeddings {
    /// Normally distributed tables for the users and items of `data`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a width outside 1..=1024, [`Error::Domain`] for a deviation that is
    /// not a positive number.
    pub fn normal(data: &Interactions, init: Init, seed: u64) -> Result<Self> {
        let Init { dim, deviation } = init;
        if !(1..=MAX_DIM).contains(&dim) {
            return Err(Error::Shape {
                argument: "dim",
                expected: format!("a width of 1 to {MAX_DIM}"),
                actual: dim.to_string(),
            });
        }
        if !(deviation > 0.0 && deviation <= 1e18) {
            return Err(Error::Domain {
                loss: "embeddings",
                parameter: "deviation",
                value: deviation.to_string(),
                // Beyond, squared norms are no f32.
                domain: "must be above 0 and at most 1e18".into(),
            });
        }
        let deviation = deviation as f32;
        Ok(Embeddings {
            dim,
            queries: normal(data.users(), dim, deviation, seed, Table::Queries),
            candidates: normal(data.items(), dim, deviation, seed, Table::Candidates),
        })
    }

    /// The `k` best items of each user by `score`, without those that `masked` lists.
    ///
    /// # Errors
    /// As [`top_k`].
    pub fn top_k(&self, score: Score, k: usize, masked: Option<&Interactions>) -> Result<TopK> {
        match score {
            Score::Dot => top_k(&self.queries, &self.candidates, self.dim, k, masked),
            // A user's own norm changes all of the user's scores alike: no list depends on it.
            // Norms of users change no user's order.
            Score::Cosine | Score::Projection => {
                let candidates = self.unit_candidates();
                top_k(&self.queries, &candidates, self.dim, k, masked)
            }
        }
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        let tables = [&self.queries, &self.candidates];
        (tables.iter()).all(|table| table.par_iter().all(|x| x.is_finite()))
    }

    /// Writes both tables, named `queries` and `candidates`, as a safetensors file with the notes
    /// of `about` as its metadata. The file appears whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`]; an older file of the name is kept then.
    pub fn save(&self, path: &Path, about: HashMap<String, String>) -> Result<()> {
        let view = |table| {
            let shape = vec![Vec::len(table) / self.dim, self.dim];
            // Two numbers of a shape that multiply to the length: no view can be refused.
            TensorView::new(Dtype::F32, shape, bytemuck::cast_slice(table))
        };
        write_whole(path, |temporary| {
            let tables = [
                ("queries", view(&self.queries).map_err(io::Error::other)?),
                (
                    "candidates",
                    view(&self.candidates).map_err(io::Error::other)?,
                ),
            ];
            safetensors::serialize_to_file(tables, Some(about), temporary).map_err(io::Error::other)
        })
    }

    /// The candidates at unit length; a zero vector stays one.
    fn unit_candidates(&self) -> Vec<f32> {
        let mut candidates = self.candidates.clone();
        for row in candidates.chunks_exact_mut(self.dim) {
            let square: f64 = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            if square > 0.0 {
                let scale = 1.0 / square.sqrt();
                row.iter_mut()
                    .for_each(|x| *x = (f64::from(*x) * scale) as f32);
            }
        }
        candidates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_and_dot_rank_differently() {
        let model = Embeddings {
            dim: 2,
            queries: vec![1.0, 0.0],
            candidates: vec![0.5, 0.0, 3.0, 3.0, 0.0, 0.0, -1.0, 0.0],
        };
        let items = |score| model.top_k(score, 4, None).unwrap().items(0).to_vec();
        assert_eq!(items(Score::Dot), [1, 0, 2, 3]);
        assert_eq!(items(Score::Cosine), [0, 1, 2, 3]);
    }

    #[test]
    fn settings_outside_their_domain_are_named() {
        let data = Interactions::from_lists(3, &[vec![0], vec![2]]).unwrap();
        let init = |dim, deviation| Embeddings::normal(&data, Init { dim, deviation }, 0);
        let model = init(4, 1.0).unwrap();
        assert_eq!((model.queries.len(), model.candidates.len()), (8, 12));
        assert!(init(0, 1.0).unwrap_err().to_string().starts_with("dim:"));
        assert!(init(1025, 1.0).is_err());
        for deviation in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e30] {
            let error = init(4, deviation).unwrap_err().to_string();
            assert!(error.contains("deviation"), "{error}");
        }
    }
}
