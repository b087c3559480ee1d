//! One evaluation's inputs, as every stage reads them.

use super::{
    Options,
    kernels::{Kernels, Setting},
    positives::see_batch,
    product::CpuReal,
    ranks::rank_count,
    tables::{Candidates, dot, inverse, norm, read_scaled},
};
use crate::{
    ABSENT, Batch, Columns, DynLoss, IGNORED, Matrix, Real, Result, Shape,
    loss::{BatchStatistics, Outer, Parameters, Pool, Score, Spec, constants},
    shape::MAX_ROW_PARAMETERS,
};
use rayon::prelude::*;
use std::ops::Range;

/// A batch row with at least one pair that is not ignored.
pub(super) struct ActiveRow {
    /// Its number in the batch.
    pub(super) row: usize,
    /// Its query.
    pub(super) query: usize,
    /// ‖q‖.
    pub(super) norm: f64,
    /// What the query is multiplied by: 1/‖q‖ under cosine (0 for a zero vector), else 1.
    pub(super) factor: f64,
    /// Its pairs, as positions in [`Problem::pairs`].
    pub(super) pairs: Range<usize>,
}

/// A (row, positive) pair that is not ignored.
#[derive(Clone, Copy)]
pub(super) struct LivePair {
    /// Its number in the batch.
    pub(super) pair: usize,
    /// Its candidate; `None` for a row without one.
    pub(super) positive: Option<usize>,
    /// Its row, as a position in [`Problem::rows`].
    pub(super) row: usize,
}

/// The second tile's tables.
pub(super) struct Second<'a, R> {
    pub(super) queries: Matrix<'a>,
    pub(super) score: Score,
    pub(super) candidates: Candidates<'a, R>,
}

/// The inputs of one evaluation.
pub(super) struct Problem<'a, R> {
    pub(super) batch: &'a Batch<'a>,
    pub(super) shape: Shape,
    pub(super) spec: Spec,
    pub(super) kernels: &'a dyn Kernels<R>,
    pub(super) parameters: Parameters<R>,
    /// Whether any gradient of a table is wanted.
    pub(super) backward: bool,
    pub(super) rows: Vec<ActiveRow>,
    pub(super) pairs: Vec<LivePair>,
    pub(super) candidates: Candidates<'a, R>,
    pub(super) second: Option<Second<'a, R>>,
    /// −log q per column, or per candidate for sampled columns; empty without.
    pub(super) offsets: Vec<R>,
    /// Column parameters, likewise.
    pub(super) columns: Vec<R>,
    /// Entry constants, or ranks, B × per row; empty without.
    pub(super) constants: Vec<R>,
    /// Rank of each live pair's positive; empty without.
    pub(super) ranks: Vec<R>,
    /// Statistics over the batch.
    pub(super) seen: BatchStatistics<R>,
}

impl<'a, R: CpuReal> Problem<'a, R> {
    pub(super) fn new(
        loss: &'a dyn DynLoss,
        batch: &'a Batch<'a>,
        backward: bool,
        options: &Options,
    ) -> Result<Self> {
        let shape = batch.shape()?;
        loss.check(&shape)?;
        let spec = loss.spec();
        spec.check(&shape)?;
        let parameters = parameters(loss, batch)?;
        let ids = match batch.column_ids() {
            Columns::Shared(ids) => Some(ids),
            _ => None,
        };
        let limit = options.copy_bytes;
        let second = spec.second.and_then(|tile| {
            let (queries, candidates) = batch.second_tables()?;
            Some(Second {
                queries,
                score: tile.score,
                candidates: Candidates::new(candidates, tile.score, ids, limit),
            })
        });
        let (rows, mut pairs) = active_rows(batch, spec.score);
        let candidates = Candidates::new(batch.candidate_table(), spec.score, ids, limit);
        if shape.columns_per_class > 1 {
            choose_centres(batch, &rows, &mut pairs, &candidates);
        }
        let mut constants = per_column(batch.all_entry_constants(), None, R::from_f32);
        let mut ranks = Vec::new();
        if spec.ranks {
            let counted = rank_count(batch, &rows, &pairs, &candidates);
            (ranks, constants) = (counted.positives, counted.entries);
        }
        let mut problem = Problem {
            batch,
            shape,
            spec,
            kernels: R::kernels(loss),
            parameters,
            backward,
            rows,
            pairs,
            candidates,
            second,
            offsets: per_column(batch.log_probabilities(), ids, |log_q| -R::from_f32(log_q)),
            columns: per_column(batch.all_column_parameters(), ids, R::from_f32),
            constants,
            ranks,
            seen: BatchStatistics::default(),
        };
        see_batch(&mut problem);
        Ok(problem)
    }

    pub(super) fn setting(&self) -> Setting<'_, R> {
        Setting {
            spec: &self.spec,
            parameters: &self.parameters,
            slopes: self.backward,
        }
    }

    pub(super) fn sampled(&self) -> bool {
        matches!(self.batch.column_ids(), Columns::Sampled { .. })
    }

    /// The candidates of a chunk's columns; those of sampled columns row after row.
    pub(super) fn ids<'s>(
        &'s self,
        rows: &'s [ActiveRow],
        chunk: &Range<usize>,
    ) -> Box<dyn Iterator<Item = usize> + 's> {
        match self.batch.column_ids() {
            Columns::All => Box::new(chunk.clone()),
            Columns::Shared(ids) => Box::new(ids[chunk.clone()].iter().map(|&id| id as usize)),
            Columns::Sampled { ids, per_row } => Box::new(
                rows.iter()
                    .flat_map(move |row| &ids[row.row * per_row..][..per_row])
                    .map(|&id| id as usize),
            ),
        }
    }

    /// −log q of a pair's candidate.
    pub(super) fn positive_offset(&self, id: Option<usize>) -> R {
        let log_q = self.batch.log_probabilities().zip(id);
        log_q.map_or(R::ZERO, |(log_q, id)| -R::from_f32(log_q[id]))
    }

    /// The parameters of an active row.
    pub(super) fn row_parameters(&self, row: &ActiveRow) -> [R; MAX_ROW_PARAMETERS] {
        self.batch.row_parameters_of(row.row).map(R::from_f64)
    }

    /// The column parameter of a candidate.
    pub(super) fn column_parameter(&self, id: usize) -> R {
        let given = self.batch.all_column_parameters();
        given.map_or(R::ZERO, |given| R::from_f32(given[id]))
    }

    /// The query of an active row in double precision, of unit length under cosine.
    pub(super) fn read_query_double(&self, row: &ActiveRow, out: &mut [f64]) {
        read_scaled(&self.batch.query_table(), row.query, row.factor, out);
    }

    /// Whether weights depend on the whole batch: backward then waits for its last row.
    pub(super) fn waits(&self) -> bool {
        self.spec.outer == Outer::LogMeanExp || self.spec.pool != Pool::Each
    }

    /// Number of statistics of a row: one if they serve all its pairs.
    pub(super) fn slots(&self, row: &ActiveRow) -> usize {
        if self.spec.separable {
            1
        } else {
            row.pairs.len()
        }
    }

    /// Distinct queries in use that have no direction.
    pub(super) fn zero_queries(&self) -> u64 {
        let mut queries: Vec<usize> = (self.rows.iter())
            .filter(|row| row.factor == 0.0)
            .map(|row| row.query)
            .collect();
        queries.sort_unstable();
        queries.dedup();
        queries.len() as u64
    }
}

fn active_rows(batch: &Batch<'_>, score: Score) -> (Vec<ActiveRow>, Vec<LivePair>) {
    let ids = batch.positive_ids();
    let mut pairs = Vec::with_capacity(ids.len());
    let mut rows = Vec::with_capacity(batch.n_rows());
    for row in 0..batch.n_rows() {
        let start = pairs.len();
        let live = batch.pairs_of(row).filter(|&pair| ids[pair] != IGNORED);
        pairs.extend(live.map(|pair| LivePair {
            pair,
            positive: (ids[pair] != ABSENT).then_some(ids[pair] as usize),
            row: rows.len(),
        }));
        if pairs.len() > start {
            rows.push(ActiveRow {
                row,
                query: batch.query_of(row),
                norm: 0.0,
                factor: 1.0,
                pairs: start..pairs.len(),
            });
        }
    }
    if batch.given_scores().is_some() {
        return (rows, pairs);
    }
    let table = batch.query_table();
    rows.par_iter_mut().with_min_len(16).for_each_init(
        || vec![0.0; table.dim()],
        |buffer, row| {
            table.read_row(row.query, buffer);
            row.norm = norm(buffer);
            if score.unit_queries() {
                row.factor = inverse(row.norm);
            }
        },
    );
    (rows, pairs)
}

/// From classes to the candidates that stand for them: of each pair's class the sub-centre that
/// scores best, the lowest on ties.
fn choose_centres<R: CpuReal>(
    batch: &Batch<'_>,
    rows: &[ActiveRow],
    pairs: &mut [LivePair],
    candidates: &Candidates<'_, R>,
) {
    let (table, count) = (batch.query_table(), batch.centres_per_class());
    pairs.par_iter_mut().with_min_len(8).for_each_init(
        || [(); 2].map(|()| vec![0.0; table.dim()]),
        |[query, candidate], pair| {
            let Some(class) = pair.positive else {
                return;
            };
            let row = &rows[pair.row];
            read_scaled(&table, row.query, row.factor, query);
            let mut best = (f64::NEG_INFINITY, 0);
            for id in class * count..(class + 1) * count {
                candidates.read_double(id, candidate);
                let score = dot(query, candidate);
                if score > best.0 {
                    best = (score, id);
                }
            }
            pair.positive = Some(best.1);
        },
    );
}

/// Numbers of the candidates, column by column where `ids` lists the columns.
fn per_column<R>(
    numbers: Option<&[f32]>,
    ids: Option<&[u32]>,
    convert: impl Fn(f32) -> R,
) -> Vec<R> {
    let Some(numbers) = numbers else {
        return Vec::new();
    };
    match ids {
        Some(ids) => ids
            .iter()
            .map(|&id| convert(numbers[id as usize]))
            .collect(),
        None => numbers.iter().map(|&x| convert(x)).collect(),
    }
}

fn parameters<R: Real>(loss: &dyn DynLoss, batch: &Batch<'_>) -> Result<Parameters<R>> {
    let constants = constants(loss)?;
    let mut parameters = Parameters::default();
    for (to, from) in parameters.constants.iter_mut().zip(constants) {
        *to = R::from_f64(from);
    }
    for (to, from) in parameters.theta.iter_mut().zip(batch.thetas()) {
        *to = R::from_f64(*from);
    }
    Ok(parameters)
}
