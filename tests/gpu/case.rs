//! Batches with their data.

use wgloss::{
    Batch, Columns, Elements, Exclude, Lists, Matrix, Positives, Reduction,
    gpu::{TableLayout, TableLayouts},
};

/// `SplitMix64`: the same batches everywhere.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Ids below `count`.
    pub fn ids(&mut self, length: usize, count: usize) -> Vec<u32> {
        (0..length)
            .map(|_| (self.next() % count as u64) as u32)
            .collect()
    }

    /// Multiples of 2⁻⁸ in [−1, 1): exact in f16.
    pub fn numbers(&mut self, length: usize) -> Vec<f32> {
        (0..length)
            .map(|_| (self.next() >> 55) as f32 / 256.0 - 1.0)
            .collect()
    }
}

/// A table of embeddings.
#[derive(Clone)]
pub struct Table {
    pub numbers: Vec<f32>,
    pub half: Vec<half::f16>,
    pub dim: usize,
    pub stride: usize,
}

impl Table {
    pub fn new(numbers: Vec<f32>, dim: usize) -> Self {
        Table {
            numbers,
            half: Vec::new(),
            dim,
            stride: dim,
        }
    }

    /// The same rows, further apart, with numbers between them that must not be read.
    pub fn strided(&self, stride: usize) -> Self {
        let mut numbers = vec![1e30; self.numbers.len() / self.dim * stride];
        for (from, to) in self
            .numbers
            .chunks_exact(self.dim)
            .zip(numbers.chunks_exact_mut(stride))
        {
            to[..self.dim].copy_from_slice(from);
        }
        Table {
            numbers,
            stride,
            ..self.clone()
        }
    }

    /// The same numbers in f16.
    pub fn halved(&self) -> Self {
        let narrow = |x: &f32| half::f16::from_f32(x.min(60_000.0));
        Table {
            half: self.numbers.iter().map(narrow).collect(),
            ..self.clone()
        }
    }

    pub fn matrix(&self, name: &'static str) -> Matrix<'_> {
        let elements: Elements<'_> = if self.half.is_empty() {
            self.numbers.as_slice().into()
        } else {
            self.half.as_slice().into()
        };
        Matrix::strided(name, elements, self.dim, self.stride).expect("the table is right")
    }
}

/// Ids in compressed lists.
#[derive(Clone)]
pub struct OwnedLists {
    pub offsets: Vec<u32>,
    pub ids: Vec<u32>,
}

impl OwnedLists {
    /// Lists of these lengths with ids below `count`, different within a list.
    pub fn random(random: &mut Random, lengths: &[usize], count: usize) -> Self {
        let mut lists = OwnedLists {
            offsets: vec![0],
            ids: Vec::new(),
        };
        for length in lengths {
            let first = random.ids(1, count)[0] as usize;
            let ids = (0..*length).map(|k| ((first + k) % count) as u32);
            lists.ids.extend(ids);
            lists.offsets.push(lists.ids.len() as u32);
        }
        lists
    }

    fn borrowed(&self) -> Lists<'_> {
        Lists {
            offsets: &self.offsets,
            ids: &self.ids,
        }
    }
}

/// A batch's data.
#[derive(Clone)]
pub struct Case {
    pub queries: Table,
    pub candidates: Table,
    pub positives: Vec<u32>,
    pub many: Option<OwnedLists>,
    pub rows: Option<Vec<u32>>,
    pub shared: Option<Vec<u32>>,
    pub sampled: Option<(Vec<u32>, usize)>,
    pub exclude: Option<(OwnedLists, bool)>,
    pub log_q: Option<Vec<f32>>,
    pub weights: Option<Vec<f32>>,
    pub upstream: Option<Vec<f32>>,
    pub sum: bool,
}

impl Case {
    /// Random tables of U and N rows of D numbers; row b's positive is somewhere.
    pub fn new([queries, candidates, dim]: [usize; 3]) -> Self {
        let mut random = Random((queries * 31 + candidates * 17 + dim) as u64);
        let mut table = |rows: usize| {
            let mut numbers = random.numbers(rows * dim);
            // No zero vectors, and for D = 1 no opposite ones: there losses may jump.
            for row in numbers.chunks_exact_mut(dim) {
                row[0] = row[0].abs() + 0.25;
            }
            Table::new(numbers, dim)
        };
        let (queries_table, candidates_table) = (table(queries), table(candidates));
        Case {
            queries: queries_table,
            candidates: candidates_table,
            positives: random.ids(queries, candidates),
            many: None,
            rows: None,
            shared: None,
            sampled: None,
            exclude: None,
            log_q: None,
            weights: None,
            upstream: None,
            sum: false,
        }
    }

    /// The batch; for losses without second tables or θ.
    pub fn batch(&self) -> Batch<'_> {
        self.try_batch().expect("the batch is right")
    }

    fn try_batch(&self) -> wgloss::Result<Batch<'_>> {
        let positives = match &self.many {
            None => Positives::One(&self.positives),
            Some(lists) => Positives::Many(lists.borrowed()),
        };
        let (queries, candidates) = (
            self.queries.matrix("queries"),
            self.candidates.matrix("candidates"),
        );
        let mut batch = Batch::new(queries, candidates, positives)?;
        if let Some(rows) = &self.rows {
            batch = batch.rows(rows)?;
        }
        if let Some(ids) = &self.shared {
            batch = batch.columns(Columns::Shared(ids))?;
        }
        if let Some((ids, per_row)) = &self.sampled {
            let per_row = *per_row;
            batch = batch.columns(Columns::Sampled { ids, per_row })?;
        }
        if let Some((lists, by_query)) = &self.exclude {
            batch = batch.exclude(match by_query {
                true => Exclude::ByQuery(lists.borrowed()),
                false => Exclude::ByRow(lists.borrowed()),
            })?;
        }
        if let Some(log_q) = &self.log_q {
            batch = batch.log_q(log_q)?;
        }
        if let Some(weights) = &self.weights {
            batch = batch.weights(weights)?;
        }
        match &self.upstream {
            Some(upstream) => batch.reduction(Reduction::None { upstream }),
            None if self.sum => batch.reduction(Reduction::Sum),
            None => Ok(batch),
        }
    }
}

/// How a batch's tables lie in memory.
pub fn layouts(batch: &Batch<'_>) -> TableLayouts {
    let mut layouts = TableLayouts::dense(&batch.shape().expect("it has a shape"));
    let of = |matrix: Matrix<'_>| TableLayout {
        stride: matrix.stride(),
        half: matches!(matrix.elements(), Elements::F16(_)),
    };
    layouts.queries = of(batch.query_table());
    layouts.candidates = of(batch.candidate_table());
    if let Some((queries, candidates)) = batch.second_tables() {
        layouts.second_queries = of(queries);
        layouts.second_candidates = of(candidates);
    }
    layouts
}
