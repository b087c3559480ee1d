//! The stage `positive_scores`: the positive's score and target of every pair, and the geometry
//! that its backward stage shares. In double precision: it is P·D work, and angles near 0 and π
//! need the digits.

use super::{problem::Problem, product::CpuReal, tables::dot};
use crate::loss::{PositiveScore, Score, Target, TargetForm};
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
}

/// Scores of all live pairs, in their order.
pub(super) fn positive_scores<R: CpuReal>(problem: &Problem<'_, R>) -> Vec<Positive<R>> {
    let dim = problem.shape.dim;
    let scored = problem.rows.par_iter().with_min_len(8).map_init(
        || (vec![0.0; dim], vec![0.0; dim]),
        |(query, candidate), row| {
            problem.read_query_double(row, query);
            let pairs = &problem.pairs[row.pairs.clone()];
            (pairs.iter())
                .map(|pair| {
                    problem.candidates.read_double(pair.positive, candidate);
                    positive_score(problem, query, candidate, row.norm)
                })
                .collect::<Vec<_>>()
        },
    );
    scored.flatten_iter().collect()
}

fn positive_score<R: CpuReal>(
    problem: &Problem<'_, R>,
    query: &[f64],
    candidate: &[f64],
    norm: f64,
) -> Positive<R> {
    let score = dot(query, candidate);
    let cosine = problem.spec.score == Score::Cosine;
    let degenerate = |v: &[f64]| v.iter().all(|&x| x == 0.0);
    // By chords: exact near 0 and π, where 1 ∓ cos would cancel.
    let [minus, plus] = if !cosine {
        [0.0; 2]
    } else if degenerate(query) || degenerate(candidate) {
        [1.0; 2]
    } else {
        [-1.0, 1.0].map(|sign| {
            let chord = query.iter().zip(candidate).map(|(q, c)| q + sign * c);
            0.5 * chord.map(|x| x * x).sum::<f64>()
        })
    };
    let seen = PositiveScore {
        score: R::from_f64(score * problem.spec.score_scale),
        one_minus_cos: R::from_f64(minus),
        one_plus_cos: R::from_f64(plus),
        query_norm: R::from_f64(norm),
    };
    Positive {
        score,
        target: problem.kernels.target(seen, &problem.parameters),
    }
}

/// The stage `positive_backward` of one pair and one of its sides: adds to `gradient` (by the unit
/// vector under cosine) what `by_target` = ∂value/∂t gives, `own` being that side and `other` the
/// opposite one.
pub(super) fn positive_backward<R: CpuReal>(
    problem: &Problem<'_, R>,
    positive: &Positive<R>,
    by_target: f64,
    own: &[f64],
    other: &[f64],
    gradient: &mut [f64],
) {
    let slope = by_target * positive.target.slope.to_f64();
    // Under cosine only what is orthogonal to the side moves the score.
    let along = match problem.spec.score {
        Score::Cosine => positive.score,
        Score::Dot => 0.0,
    };
    let factor = match problem.spec.target {
        TargetForm::Score => slope * problem.spec.score_scale,
        TargetForm::Tangent => {
            let tangent = own.iter().zip(other).map(|(x, y)| y - along * x);
            let length = tangent.map(|x| x * x).sum::<f64>().sqrt();
            if length < NO_TANGENT {
                return;
            }
            -slope / length
        }
    };
    for (gradient, (x, y)) in gradient.iter_mut().zip(own.iter().zip(other)) {
        *gradient += factor * (y - along * x);
    }
}
