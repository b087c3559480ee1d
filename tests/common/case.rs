//! Batches that own their data.

use wgloss::{Batch, Columns, Exclude, IGNORED, Lists, Matrix, Positives, Reduction, Result};

/// A small generator of numbers that look random; the same ones every time.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    /// A number below `bound`.
    pub fn id(&mut self, bound: usize) -> u32 {
        (self.next() % bound as u64) as u32
    }

    /// `count` numbers below `bound`.
    pub fn ids(&mut self, count: usize, bound: usize) -> Vec<u32> {
        (0..count).map(|_| self.id(bound)).collect()
    }

    /// `count` numbers in [−1, 1), exact in f32.
    pub fn numbers(&mut self, count: usize) -> Vec<f64> {
        let mut number = || (self.next() >> 29) as f64 / f64::from(1 << 23) - 1.0;
        (0..count).map(|_| number()).collect()
    }

    /// The same in f32.
    pub fn singles(&mut self, count: usize) -> Vec<f32> {
        self.numbers(count).iter().map(|&x| x as f32).collect()
    }
}

/// Lists of ids: offsets and ids.
pub type Places = (Vec<u32>, Vec<u32>);

fn lists(places: &Places) -> Lists<'_> {
    Lists {
        offsets: &places.0,
        ids: &places.1,
    }
}

/// Which columns a case has.
#[derive(Clone, Debug)]
pub enum Choice {
    /// All candidates.
    All,
    /// One list.
    Shared(Vec<u32>),
    /// So many ids per row.
    Sampled(Vec<u32>, usize),
}

/// The data of a batch.
#[derive(Clone, Debug)]
pub struct Case {
    /// D.
    pub dim: usize,
    /// U × D.
    pub queries: Vec<f64>,
    /// N × D.
    pub candidates: Vec<f64>,
    /// Query per row.
    pub rows: Option<Vec<u32>>,
    /// Offsets, if there are several positives per row, and ids.
    pub positives: (Option<Vec<u32>>, Vec<u32>),
    /// Columns.
    pub columns: Choice,
    /// Excluded ids, by row.
    pub exclude: Option<Places>,
    /// Whether the exclusion lists belong to queries.
    pub exclude_by_query: bool,
    /// Log sampling probabilities.
    pub log_q: Option<Vec<f32>>,
    /// Pair weights.
    pub weights: Option<Vec<f32>>,
    /// Whether the reduction is a sum.
    pub sum: bool,
    /// Upstream gradients.
    pub upstream: Option<Vec<f32>>,
    /// D of the second tables, queries, candidates.
    pub second: Option<(usize, Vec<f64>, Vec<f64>)>,
    /// θ.
    pub theta: Vec<f64>,
    /// Numbers per batch row, row by row.
    pub row_parameters: Vec<f64>,
    /// Numbers per (row, slot) of sampled columns.
    pub entry_constants: Vec<f32>,
}

impl Case {
    /// One random positive per row, all candidates, mean.
    pub fn new(random: &mut Random, rows: usize, candidates: usize, dim: usize) -> Self {
        Case {
            dim,
            queries: random.numbers(rows * dim),
            candidates: random.numbers(candidates * dim),
            rows: None,
            positives: (None, random.ids(rows, candidates)),
            columns: Choice::All,
            exclude: None,
            exclude_by_query: false,
            log_q: None,
            weights: None,
            sum: false,
            upstream: None,
            second: None,
            theta: Vec::new(),
            row_parameters: Vec::new(),
            entry_constants: Vec::new(),
        }
    }

    /// N.
    pub fn n_candidates(&self) -> usize {
        self.candidates.len() / self.dim
    }

    /// B.
    pub fn n_rows(&self) -> usize {
        match &self.positives {
            (None, ids) => ids.len(),
            (Some(offsets), _) => offsets.len() - 1,
        }
    }

    /// The query of a row.
    pub fn query_of(&self, row: usize) -> usize {
        self.rows.as_ref().map_or(row, |rows| rows[row] as usize)
    }

    /// The numbers of a row.
    pub fn row_parameters_of(&self, row: usize) -> &[f64] {
        let each = self.row_parameters.len() / self.n_rows();
        &self.row_parameters[row * each..][..each]
    }

    /// The pairs of a row.
    pub fn pairs_of(&self, row: usize) -> std::ops::Range<usize> {
        match &self.positives.0 {
            None => row..row + 1,
            Some(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
        }
    }

    /// The candidates of the columns that a row is compared with, by the words of the contract.
    pub fn columns_of(&self, row: usize) -> Vec<usize> {
        let positives = &self.positives.1[self.pairs_of(row)];
        let excluded = self.exclude.as_ref().map_or(&[][..], |lists_of| {
            let at = if self.exclude_by_query {
                self.query_of(row)
            } else {
                row
            };
            lists(lists_of).list(at)
        });
        let is_positive = |id: &u32| positives.contains(id);
        let kept: Vec<u32> = match &self.columns {
            Choice::All => (0..self.n_candidates() as u32)
                .filter(|id| !is_positive(id) && !excluded.contains(id))
                .collect(),
            Choice::Shared(ids) => (ids.iter().copied())
                .filter(|id| !is_positive(id) && !excluded.contains(id))
                .collect(),
            Choice::Sampled(ids, per_row) => (ids[row * per_row..(row + 1) * per_row].iter())
                .copied()
                .filter(|id| is_positive(id) || !excluded.contains(id))
                .collect(),
        };
        kept.iter().map(|&id| id as usize).collect()
    }

    /// Marks a pair as ignored.
    pub fn ignore(&mut self, pair: usize) {
        self.positives.1[pair] = IGNORED;
    }

    /// The batch.
    ///
    /// # Errors
    /// As its constructors.
    pub fn batch(&self) -> Result<Batch<'_>> {
        let table = |name, numbers| Matrix::new(name, numbers, self.dim);
        let positives = match &self.positives {
            (None, ids) => Positives::One(ids),
            (Some(offsets), ids) => Positives::Many(Lists { offsets, ids }),
        };
        let mut batch = Batch::new(
            table("queries", &self.queries[..])?,
            table("candidates", &self.candidates[..])?,
            positives,
        )?;
        if let Some(rows) = &self.rows {
            batch = batch.rows(rows)?;
        }
        match &self.columns {
            Choice::All => {}
            Choice::Shared(ids) => batch = batch.columns(Columns::Shared(ids))?,
            &Choice::Sampled(ref ids, per_row) => {
                batch = batch.columns(Columns::Sampled { ids, per_row })?;
            }
        }
        if let Some(places) = &self.exclude {
            batch = batch.exclude(if self.exclude_by_query {
                Exclude::ByQuery(lists(places))
            } else {
                Exclude::ByRow(lists(places))
            })?;
        }
        if let Some(log_q) = &self.log_q {
            batch = batch.log_q(log_q)?;
        }
        if let Some(weights) = &self.weights {
            batch = batch.weights(weights)?;
        }
        if let Some((dim, queries, candidates)) = &self.second {
            batch = batch.second(
                Matrix::new("adv_queries", &queries[..], *dim)?,
                Matrix::new("adv_candidates", &candidates[..], *dim)?,
            )?;
        }
        if !self.row_parameters.is_empty() {
            let each = self.row_parameters.len() / self.n_rows();
            batch = batch.row_parameters(&self.row_parameters, each)?;
        }
        if !self.entry_constants.is_empty() {
            batch = batch.entry_constants(&self.entry_constants)?;
        }
        let reduction = match &self.upstream {
            Some(upstream) => Reduction::None { upstream },
            None if self.sum => Reduction::Sum,
            None => Reduction::Mean,
        };
        batch.reduction(reduction)?.theta(&self.theta)
    }
}
