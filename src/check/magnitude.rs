//! How large results are before their terms cancel, and how much a loss magnifies scores.

use crate::{Batch, GivenScores, IGNORED, Matrix, Reduction, loss::Score, loss::Spec};

/// Sizes for one loss on one batch.
pub(super) struct Magnitudes {
    /// κ.
    pub sharpness: f64,
    queries: f64,
    candidates: f64,
    total: f64,
    terms: f64,
}

impl Magnitudes {
    /// For results of which `row_losses` are a part.
    pub fn of(spec: &Spec, constants: &[f64], batch: &Batch<'_>, row_losses: &[f64]) -> Self {
        let queries = norms(&batch.query_table());
        let candidates = norms(&batch.candidate_table());
        let factor = constants.first().map_or(1.0, |x| x.abs()) * spec.score_scale.abs();
        let [per_query, total, terms] = pair_weights(batch, row_losses);
        if let Some(given) = batch.given_scores() {
            return Magnitudes {
                sharpness: factor * largest_score(&given),
                queries: 0.0,
                candidates: 0.0,
                total,
                terms,
            };
        }
        // |∂s/∂q| is at most ‖c‖ for a dot product, 1/‖q‖ for a cosine.
        let (sharpness, by_query, by_candidate) = match spec.score {
            Score::Dot => (
                factor * queries.largest * candidates.largest,
                candidates.largest,
                queries.largest,
            ),
            Score::Projection => (
                factor * queries.largest,
                1.0,
                queries.largest / candidates.smallest,
            ),
            Score::Cosine => (factor, 1.0 / queries.smallest, 1.0 / candidates.smallest),
        };
        Magnitudes {
            sharpness,
            queries: per_query * by_query,
            candidates: total * by_candidate,
            total,
            terms,
        }
    }

    /// What the result of this name is at least, before its terms cancel. The gradients' factor
    /// κ is left out: the rule multiplies by it.
    pub fn least(&self, name: &str) -> f64 {
        match name {
            "grad_queries" => self.queries,
            "grad_candidates" => self.candidates,
            "value" => self.terms.max(self.total),
            "row_values" | "row_parameters_after" | "theta_after" => 1.0,
            _ => self.total,
        }
    }
}

fn largest_score(given: &GivenScores<'_>) -> f64 {
    let rows = 0..given.positives.len();
    let of = |row| (0..given.per_row).map(move |slot| given.column(row, slot).abs());
    rows.flat_map(|row| of(row).chain([given.positive(row).abs()]))
        .fold(0.0, f64::max)
}

struct Norms {
    smallest: f64,
    largest: f64,
}

/// The extreme norms of a table's rows; zero rows have no direction and no gradient.
fn norms(table: &Matrix<'_>) -> Norms {
    let mut row = vec![0.0f64; table.dim()];
    let mut norms = Norms {
        smallest: f64::INFINITY,
        largest: 0.0,
    };
    for at in 0..table.rows() {
        table.read_row(at, &mut row);
        let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 0.0 {
            norms.smallest = norms.smallest.min(norm);
            norms.largest = norms.largest.max(norm);
        }
    }
    norms
}

/// |∂value/∂ℓ| summed over pairs: the largest sum of any query, and that of all; and with |ℓ| beside
/// it, what the value is summed from.
fn pair_weights(batch: &Batch<'_>, row_losses: &[f64]) -> [f64; 3] {
    let counted = batch.positive_ids().iter().filter(|id| **id != IGNORED);
    let divisor = counted.count().max(1) as f64;
    let queries = batch.query_table().rows().max(batch.n_rows());
    let mut per_query = vec![0.0f64; queries];
    let mut terms = 0.0;
    for row in 0..batch.n_rows() {
        for pair in batch.pairs_of(row) {
            let weight = batch.pair_weights().map_or(1.0, |w| f64::from(w[pair]));
            let outer = match batch.reduction_of_rows() {
                Reduction::Mean => 1.0 / divisor,
                Reduction::Sum => 1.0,
                Reduction::None { upstream } => f64::from(upstream[pair]),
            };
            let factor = f64::from(batch.value_factor());
            let slope = (factor * weight * outer).abs();
            per_query[batch.query_of(row)] += slope;
            terms += slope * row_losses[pair].abs();
        }
    }
    let largest = per_query.iter().copied().fold(0.0, f64::max);
    [largest, per_query.iter().sum(), terms]
}
