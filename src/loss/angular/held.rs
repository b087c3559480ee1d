//! Detached margins, held fast: what they add to the cosine is a number per row.

use super::{softmax_pair, softmax_row};
use crate::{
    Batch, Columns, IGNORED, Output, Real, Result, Shape,
    loss::{
        Entry, Held, Loss, Pair, Parameters, PositiveScore, Row, RowLoss, Score, Spec, Target,
        TargetForm,
    },
};

/// The softmax with target s·n·(cos θ + h), h a row parameter, n the feature's norm or 1.
#[derive(Clone, Debug)]
struct HeldMargin {
    /// The specification.
    spec: Spec,
    /// The numbers of the loss in place of which it stands.
    constants: Vec<f64>,
}

/// A loss with the constants of `margin_softmax.wgsl`, with T(θ) − cos θ of every row held at what it
/// is on this batch.
pub(crate) fn held_margin(loss: &impl Loss, batch: &Batch<'_>, output: &Output<f64>) -> Held {
    let (spec, constants) = (loss.spec(), loss.constants());
    let by_norm = constants[1] != 0.0;
    let offset = |row: usize| {
        let pair = batch.pairs_of(row).start;
        let [cosine, norm] = positive_cosine(batch, row);
        let scale = constants[0] * if by_norm { norm } else { 1.0 };
        match scale {
            0.0 => 0.0,
            scale => output.statistics[pair].target / scale - cosine,
        }
    };
    let spec = Spec {
        target: TargetForm::Score,
        row_parameters: 1,
        thetas: 0,
        theta_state: false,
        batch_statistics: false,
        negative_mean: false,
        ..spec
    };
    let offsets = (0..batch.n_rows()).map(offset).collect();
    Held::rows(HeldMargin { spec, constants }, offsets)
}

/// The cosine of a row's query with its only positive, the best sub-centre of a class with several,
/// and the query's norm; the cosine of a zero vector, and of an ignored row, is 0.
pub(crate) fn positive_cosine(batch: &Batch<'_>, row: usize) -> [f64; 2] {
    let class = batch.positive_ids()[batch.pairs_of(row).start];
    let norm = norm(batch, row);
    if class == IGNORED {
        return [0.0, norm];
    }
    let (class, centres) = (class as usize, batch.centres_per_class());
    let cosines = (class * centres..(class + 1) * centres).map(|id| cosine(batch, row, id));
    [cosines.fold(f64::NEG_INFINITY, f64::max), norm]
}

fn product(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// The norm of a row's query.
pub(crate) fn norm(batch: &Batch<'_>, row: usize) -> f64 {
    let queries = batch.query_table();
    let mut query = vec![0.0; queries.dim()];
    queries.read_row(batch.query_of(row), &mut query);
    product(&query, &query).sqrt()
}

/// The cosine of a row's query with a candidate; 0 for a zero vector.
fn cosine(batch: &Batch<'_>, row: usize, id: usize) -> f64 {
    let (queries, candidates) = (batch.query_table(), batch.candidate_table());
    let [mut query, mut candidate] = [(); 2].map(|()| vec![0.0; queries.dim()]);
    queries.read_row(batch.query_of(row), &mut query);
    candidates.read_row(id, &mut candidate);
    match (product(&query, &query) * product(&candidate, &candidate)).sqrt() {
        0.0 => 0.0,
        lengths => product(&query, &candidate) / lengths,
    }
}

/// The cosines of sampled columns, row by row; none where columns are not sampled.
pub(crate) fn entry_cosines(batch: &Batch<'_>) -> Vec<f64> {
    let Columns::Sampled { ids, per_row } = batch.column_ids() else {
        return Vec::new();
    };
    let of = |(at, id): (usize, &u32)| cosine(batch, at / per_row, *id as usize);
    ids.iter().enumerate().map(of).collect()
}

impl Loss for HeldMargin {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn constants(&self) -> Vec<f64> {
        self.constants.clone()
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        ""
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        let (scale, offset) = (p.constants[0], positive.row[0]);
        let (norm, norm_slope) = match self.spec.score {
            Score::Projection => (positive.query_norm, scale * offset),
            _ => (R::ONE, R::ZERO),
        };
        Target {
            value: scale * (positive.score + norm * offset),
            slope: scale,
            norm_slope,
            row_constant: R::ZERO,
        }
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        softmax_pair(entry, p)
    }

    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        softmax_row(row)
    }
}
