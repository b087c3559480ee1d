//! The stage `positive_scores`: the positive's score and target of every pair, and the geometry
//! that its backward stage shares. In double precision: it is P·D work, and angles near 0 and π
//! need the digits.

use super::{
    problem::{ActiveRow, Problem},
    product::CpuReal,
    tables::{dot, inverse, norm},
};
use crate::{
    Real,
    loss::{BatchStatistics, PositiveScore, Score, Target, TargetForm},
};
use rayon::prelude::*;

/// Tangents shorter than this are rounding, not direction.
const NO_TANGENT: f64 = 1e-14;

/// What is known of a pair before its row is reduced.
#[derive(Clone, Copy)]
pub(super) struct Positive<R> {
    /// The unscaled score of query and positive.
    pub(super) score: f64,
    /// What the loss made of it.
    pub(super) target: Target<R>,
    /// ∂t/∂(the positive's column parameter).
    pub(super) by_column: f64,
    /// ∂ℓ/∂‖q‖ at fixed R and t.
    pub(super) by_norm: f64,
}

/// t where there is no positive: nothing beside any score, and no infinity.
const NOTHING: f64 = -1e32;

impl<R: Real> Positive<R> {
    /// Of a row without a positive.
    fn absent() -> Self {
        Positive {
            score: 0.0,
            target: Target {
                value: R::from_f64(NOTHING),
                slope: R::ZERO,
                norm_slope: R::ZERO,
                row_constant: R::ZERO,
            },
            by_column: 0.0,
            by_norm: 0.0,
        }
    }
}

/// What the target sees of the whole batch; θ where that renews it.
pub(super) fn see_batch<R: CpuReal>(problem: &mut Problem<'_, R>) {
    if !problem.spec.batch_statistics {
        return;
    }
    let values = each_pair(problem, |score| {
        let (score, seen) = score?;
        let value = problem.kernels.batch_value(seen, &problem.parameters);
        Some([value.to_f64(), score])
    });
    let values: Vec<[f64; 2]> = values.into_iter().flatten().collect();
    problem.seen = batch_statistics(values.iter().map(|[value, _]| *value));
    if problem.spec.negative_mean {
        let own = values.iter().map(|[_, score]| score).sum::<f64>();
        problem.seen.negative_mean = R::from_f64(negative_mean(problem, own));
        problem.seen.negatives = R::from_f64((problem.shape.candidates - 1) as f64);
    }
    if problem.spec.theta_state && !values.is_empty() {
        let (seen, parameters) = (problem.seen, &problem.parameters);
        problem.parameters.theta = problem.kernels.theta_state(seen, parameters);
    }
}

/// The mean score of the live rows with the candidates that are not their positive: from the sums of
/// both sides' vectors, less the scores of the positives, whose sum is `own`.
fn negative_mean<R: CpuReal>(problem: &Problem<'_, R>, own: f64) -> f64 {
    let (dim, candidates) = (problem.shape.dim, problem.shape.candidates);
    let mut sums = [(); 2].map(|()| vec![0.0; dim]);
    let mut vector = vec![0.0; dim];
    let add = |sum: &mut [f64], vector: &[f64]| {
        for (sum, x) in sum.iter_mut().zip(vector) {
            *sum += x;
        }
    };
    for row in &problem.rows {
        problem.read_query_double(row, &mut vector);
        add(&mut sums[0], &vector);
    }
    for id in 0..candidates {
        problem.candidates.read_double(id, &mut vector);
        add(&mut sums[1], &vector);
    }
    let scale = problem.spec.score_scale / (problem.rows.len() * (candidates - 1)) as f64;
    (dot(&sums[0], &sums[1]) - own) * scale
}

/// Scores of all live pairs, in their order.
pub(super) fn positive_scores<R: CpuReal>(problem: &Problem<'_, R>) -> Vec<Positive<R>> {
    let batch = problem.seen;
    each_pair(problem, |score| {
        let Some((score, seen)) = score else {
            return Positive::absent();
        };
        let seen = PositiveScore { batch, ..seen };
        Positive {
            score,
            target: problem.kernels.target(seen, &problem.parameters),
            by_column: (problem.kernels)
                .target_column(seen, &problem.parameters)
                .to_f64(),
            by_norm: match problem.spec.norm_slope {
                true => (problem.kernels.norm_slope(seen, &problem.parameters)).to_f64(),
                false => 0.0,
            },
        }
    })
}

/// `work` on the unscaled score of every live pair and on what the loss sees of it; on nothing where
/// there is no positive.
fn each_pair<R: CpuReal, T: Send>(
    problem: &Problem<'_, R>,
    work: impl Fn(Option<(f64, PositiveScore<R>)>) -> T + Sync,
) -> Vec<T> {
    let dim = problem.shape.dim;
    let scored = problem.rows.par_iter().with_min_len(8).map_init(
        || (vec![0.0; dim], vec![0.0; dim]),
        |(query, candidate), row| {
            let given = problem.batch.given_scores();
            if given.is_none() {
                problem.read_query_double(row, query);
            }
            let pairs = &problem.pairs[row.pairs.clone()];
            (pairs.iter())
                .enumerate()
                .map(|(nth, pair)| {
                    let Some(id) = pair.positive else {
                        return work(None);
                    };
                    let (score, chords) = match given {
                        Some(given) => (given.positive(row.row), [1.0; 2]),
                        None => {
                            problem.candidates.read_double(id, candidate);
                            let length = row.factor * row.norm;
                            geometry(problem.spec.score, query, candidate, length)
                        }
                    };
                    let seen = PositiveScore {
                        score: R::from_f64(score * problem.spec.score_scale),
                        one_minus_cos: R::from_f64(chords[0]),
                        one_plus_cos: R::from_f64(chords[1]),
                        query_norm: R::from_f64(row.norm),
                        row: problem.row_parameters(row),
                        column: problem.column_parameter(id),
                        second: R::from_f64(reference_score(problem, row, id)),
                        rank: (problem.ranks.get(row.pairs.start + nth))
                            .copied()
                            .unwrap_or(R::ZERO),
                        batch: BatchStatistics::default(),
                    };
                    work(Some((score, seen)))
                })
                .collect::<Vec<_>>()
        },
    );
    scored.flatten_iter().collect()
}

/// The score r of a pair under frozen second tables; 0 without.
fn reference_score<R: CpuReal>(problem: &Problem<'_, R>, row: &ActiveRow, id: usize) -> f64 {
    let frozen = problem.spec.second.is_some_and(|tile| tile.frozen);
    let Some(second) = problem.second.as_ref().filter(|_| frozen) else {
        return 0.0;
    };
    let [mut query, mut candidate] = [(); 2].map(|()| vec![0.0; second.queries.dim()]);
    second.queries.read_row(row.query, &mut query);
    second.candidates.read_double(id, &mut candidate);
    let length = norm(&query);
    let factor = match second.score.unit_queries() {
        true => inverse(length),
        false => 1.0,
    };
    factor * dot(&query, &candidate)
}

/// The unscaled score, and 1 ∓ cos by chords: exact near 0 and π, where the difference would
/// cancel.
fn geometry(score: Score, query: &[f64], candidate: &[f64], length: f64) -> (f64, [f64; 2]) {
    let dots = dot(query, candidate);
    let degenerate = |v: &[f64]| v.iter().all(|&x| x == 0.0);
    if score == Score::Dot || degenerate(query) || degenerate(candidate) {
        return (dots, [1.0; 2]);
    }
    let shrink = if score.unit_queries() {
        1.0
    } else {
        inverse(length)
    };
    let chords = [-1.0, 1.0].map(|sign| {
        let chord = query.iter().zip(candidate);
        let chord = chord.map(|(q, c)| shrink * q + sign * c);
        0.5 * chord.map(|x| x * x).sum::<f64>()
    });
    (dots, chords)
}

/// Mean, variance and log-sum-exp, in the order of the pairs.
fn batch_statistics<R: Real>(
    values: impl ExactSizeIterator<Item = f64> + Clone,
) -> BatchStatistics<R> {
    if values.len() == 0 {
        return BatchStatistics::default();
    }
    let count = values.len() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let squares = values.clone().map(|value| (value - mean).powi(2));
    let top = values.clone().fold(f64::NEG_INFINITY, f64::max);
    let exponentials = values.map(|value| (value - top).exp());
    BatchStatistics {
        mean: R::from_f64(mean),
        variance: R::from_f64(squares.sum::<f64>() / count),
        log_sum_exp: R::from_f64(top + exponentials.sum::<f64>().ln()),
        count: R::from_f64(count),
        negative_mean: R::ZERO,
        negatives: R::ZERO,
    }
}

/// One side of a pair, as its table is read: of unit length where the score wants it.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) vector: &'a [f64],
    /// 1/‖vector‖; 0 for a zero vector.
    pub(super) inverse: f64,
    /// Whether its table is taken to unit length.
    pub(super) unit: bool,
}

/// The stage `positive_backward` of one pair and one of its sides: adds to `gradient` (by the
/// vector as read) what `by_target` = ∂value/∂t gives, `own` being that side and `other` the
/// opposite one.
pub(super) fn positive_backward<R: CpuReal>(
    problem: &Problem<'_, R>,
    positive: &Positive<R>,
    by_target: f64,
    own: Side<'_>,
    other: Side<'_>,
    gradient: &mut [f64],
) {
    let slope = by_target * positive.target.slope.to_f64();
    let (factor, step, along) = match problem.spec.target {
        // Of a unit vector, only what is orthogonal to it moves the score.
        TargetForm::Score => {
            let along = if own.unit { positive.score } else { 0.0 };
            (slope * problem.spec.score_scale, 1.0, along)
        }
        TargetForm::Tangent => {
            let cosine = positive.score * own.inverse * other.inverse;
            let along = cosine * own.inverse;
            let pairs = own.vector.iter().zip(other.vector);
            let tangent = pairs.map(|(x, y)| other.inverse * y - along * x);
            let length = tangent.map(|x| x * x).sum::<f64>().sqrt();
            if length < NO_TANGENT {
                return;
            }
            (-slope * own.inverse / length, other.inverse, along)
        }
    };
    for (gradient, (x, y)) in gradient.iter_mut().zip(own.vector.iter().zip(other.vector)) {
        *gradient += factor * (step * y - along * x);
    }
}
