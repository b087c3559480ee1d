//! The trained tables.

use std::borrow::Cow;

use rayon::prelude::*;

use super::{
    Init, Interactions, TopK,
    init::{Table, normal},
    rank::{top_k, top_k_of},
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

impl Embeddings {
    /// The tables that a seed gives for the users and items of `data`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a width outside 1..=1024, [`Error::Domain`] for a deviation that is
    /// not a positive number.
    pub fn initial(data: &Interactions, init: Init, seed: u64) -> Result<Self> {
        let tables = [Table::Queries, Table::Candidates];
        Self::drawn([data.users(), data.items()], init, seed, tables)
    }

    /// As [`Embeddings::initial`], for an adversary: other numbers of the same seed.
    pub(super) fn initial_second(rows: [usize; 2], init: Init, seed: u64) -> Result<Self> {
        let tables = [Table::SecondQueries, Table::SecondCandidates];
        Self::drawn(rows, init, seed, tables)
    }

    fn drawn(rows: [usize; 2], init: Init, seed: u64, tables: [Table; 2]) -> Result<Self> {
        let Init { dim, kind } = init;
        if !(1..=MAX_DIM).contains(&dim) {
            return Err(Error::Shape {
                argument: "dim",
                expected: format!("a width of 1 to {MAX_DIM}"),
                actual: dim.to_string(),
            });
        }
        kind.validate()?;
        let draw = |at: usize| {
            let deviation = kind.deviation(rows[at], dim) as f32;
            normal(rows[at], dim, deviation, seed, tables[at])
        };
        Ok(Embeddings {
            dim,
            queries: draw(0),
            candidates: draw(1),
        })
    }

    /// The `k` best items of each user by `score`, without those that `masked` lists.
    ///
    /// # Errors
    /// As [`top_k`].
    pub fn top_k(&self, score: Score, k: usize, masked: Option<&Interactions>) -> Result<TopK> {
        let candidates = self.scored_candidates(score);
        let mut lists = top_k(&self.queries, &candidates, self.dim, k, masked)?;
        (0..lists.users()).for_each(|user| self.scale(&mut lists, user, user, score));
        Ok(lists)
    }

    /// As [`Embeddings::top_k`], for these `users` alone: list n is that of users\[n\].
    ///
    /// # Errors
    /// As [`top_k_of`].
    pub fn top_k_of(
        &self,
        users: &[u32],
        score: Score,
        k: usize,
        masked: Option<&Interactions>,
    ) -> Result<TopK> {
        let candidates = self.scored_candidates(score);
        let mut lists = top_k_of(users, &self.queries, &candidates, self.dim, k, masked)?;
        let rows = users.iter().enumerate();
        rows.for_each(|(list, &user)| self.scale(&mut lists, list, user as usize, score));
        Ok(lists)
    }

    /// Number of users.
    pub fn users(&self) -> usize {
        self.queries.len() / self.dim.max(1)
    }

    /// Number of items.
    pub fn items(&self) -> usize {
        self.candidates.len() / self.dim.max(1)
    }

    /// Brings the scores of a list to the user's unit length. After the ranking, because a user's
    /// own norm changes all of the user's scores alike: no order depends on it.
    fn scale(&self, lists: &mut TopK, list: usize, user: usize, score: Score) {
        let norm = norm(&self.queries[user * self.dim..][..self.dim]);
        if score.unit_queries() && norm > 0.0 {
            lists.scale(list, 1.0 / norm);
        }
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        let tables = [&self.queries, &self.candidates];
        (tables.iter()).all(|table| table.par_iter().all(|x| x.is_finite()))
    }

    /// The candidates, at unit length if `score` takes them so; a zero vector stays one.
    fn scored_candidates(&self, score: Score) -> Cow<'_, [f32]> {
        if !score.unit_candidates() {
            return Cow::Borrowed(&self.candidates);
        }
        let mut candidates = self.candidates.clone();
        for row in candidates.chunks_exact_mut(self.dim.max(1)) {
            let norm = norm(row);
            if norm > 0.0 {
                let scale = 1.0 / norm;
                row.iter_mut()
                    .for_each(|x| *x = (f64::from(*x) * scale) as f32);
            }
        }
        Cow::Owned(candidates)
    }
}

/// The length of a row.
fn norm(row: &[f32]) -> f64 {
    let square: f64 = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    square.sqrt()
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
    fn cosine_scores_are_cosines() {
        let model = Embeddings {
            dim: 2,
            queries: vec![0.0, 0.0, 4.0, 3.0],
            candidates: vec![2.0, 0.0, 0.0, -5.0, 0.0, 0.0],
        };
        let lists = model.top_k(Score::Cosine, 3, None).unwrap();
        let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-6, "{a} {b}");
        for (score, cosine) in lists.scores(1).iter().zip([0.8, 0.0, -0.6]) {
            close(*score, cosine);
        }
        assert_eq!(lists.items(1), [0, 2, 1]);
        assert_eq!(lists.scores(0), [0.0; 3]);
        let of = model.top_k_of(&[1], Score::Cosine, 3, None).unwrap();
        assert_eq!(of.scores(0), lists.scores(1));
        let lengths = model.top_k(Score::Projection, 1, None).unwrap();
        close(lengths.scores(1)[0], 4.0);
    }

    #[test]
    fn settings_outside_their_domain_are_named() {
        let data = Interactions::from_lists(3, &[vec![0], vec![2]]).unwrap();
        let init = |dim, deviation| Embeddings::initial(&data, Init::normal(dim, deviation), 0);
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
