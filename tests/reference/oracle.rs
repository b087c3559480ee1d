//! Whole cases from the losses' definitions, differentiated by a tape.

use crate::{
    common::Case,
    pairs::Seen,
    tape::{Tape, Var, log_sum_exp, sum},
};
use wgloss::{
    AnyLoss, IGNORED,
    loss::{BslForm, Score},
};

/// What an evaluation should give.
pub struct Expected {
    pub value: f64,
    pub row_losses: Vec<f64>,
    pub grad_queries: Vec<f64>,
    pub grad_candidates: Vec<f64>,
    pub grad_theta: Vec<f64>,
    pub dead: u64,
}

fn score_of(loss: &AnyLoss) -> (Score, f64) {
    let spec = loss.as_dyn().spec();
    (spec.score, spec.score_scale)
}

/// Rows of a table, of unit length if asked for; a zero row stays zero.
fn vectors<'t>(tape: &'t Tape, table: &[Var<'t>], dim: usize, unit: bool) -> Vec<Vec<Var<'t>>> {
    let unit = |row: &[Var<'t>]| {
        if !unit {
            return row.to_vec();
        }
        if row.iter().all(|x| x.value == 0.0) {
            return vec![tape.var(0.0); dim];
        }
        let norm = sum(tape, row.iter().map(|&x| x * x)).sqrt();
        row.iter().map(|&x| x / norm).collect()
    };
    table.chunks(dim).map(unit).collect()
}

fn dot<'t>(tape: &'t Tape, a: &[Var<'t>], b: &[Var<'t>]) -> Var<'t> {
    sum(tape, a.iter().zip(b).map(|(&x, &y)| x * y))
}

/// Evaluates `loss` on `case`.
pub fn expected(loss: &AnyLoss, case: &Case) -> Expected {
    let tape = Tape::default();
    let (score, scale) = score_of(loss);
    let inputs = [&case.queries, &case.candidates, &case.theta].map(|x| tape.vars(x));
    let queries = vectors(&tape, &inputs[0], case.dim, score.unit_queries());
    let candidates = vectors(&tape, &inputs[1], case.dim, score.unit_candidates());
    let similar =
        |row: usize, id: usize| dot(&tape, &queries[case.query_of(row)], &candidates[id]) * scale;
    let (adv_queries, adv_candidates) = case.second.as_ref().map_or_else(Default::default, |s| {
        let table = |x: &[f64]| vectors(&tape, &tape.vars(x), s.0, true);
        (table(&s.1), table(&s.2))
    });
    let ids = &case.positives.1;
    let rows = (0..case.n_rows()).flat_map(|row| case.pairs_of(row).map(move |pair| (row, pair)));
    let live: Vec<_> = rows.filter(|&(_, pair)| ids[pair] != IGNORED).collect();
    let positives: Vec<_> = (live.iter())
        .map(|&(row, pair)| similar(row, ids[pair] as usize))
        .collect();
    let ranked = loss.as_dyn().spec().ranks;
    let rank = |row: usize, id: usize| {
        if !ranked {
            return 0.0;
        }
        let own = similar(row, id).value;
        let above = (0..case.n_candidates()).filter(|&other| similar(row, other).value > own);
        1.0 + above.count() as f64
    };
    let norm = |query: usize| {
        let numbers = &inputs[0][query * case.dim..(query + 1) * case.dim];
        match numbers.iter().all(|x| x.value == 0.0) {
            true => tape.var(0.0),
            false => sum(&tape, numbers.iter().map(|&x| x * x)).sqrt(),
        }
    };
    let negative_mean = match loss.as_dyn().spec().negative_mean {
        true => negative_mean(case.n_candidates(), &live, ids, |row, id| {
            similar(row, id).value
        }),
        false => 0.0,
    };
    let mut losses = Vec::new();
    let mut columns_in_all = 0;
    for (at, &(row, pair)) in live.iter().enumerate() {
        let query = case.query_of(row);
        let columns = case.columns_of(row);
        columns_in_all += columns.len();
        let log_q = |id: usize| case.log_q.as_ref().map_or(0.0, |q| f64::from(q[id]));
        let second = |&id: &usize| dot(&tape, &adv_queries[query], &adv_candidates[id]).value;
        let seen = Seen {
            tape: &tape,
            positive: positives[at],
            group: (live.iter().zip(&positives))
                .filter(|((other, _), _)| case.query_of(*other) == query)
                .map(|(_, &score)| score)
                .collect(),
            columns: columns.iter().map(|&id| similar(row, id)).collect(),
            log_q: columns.iter().map(|&id| log_q(id)).collect(),
            own_log_q: log_q(ids[pair] as usize),
            second: match case.second {
                Some(_) => columns.iter().map(second).collect(),
                None => Vec::new(),
            },
            theta: inputs[2].clone(),
            row: case.row_parameters_of(row).to_vec(),
            batch: (live.iter().zip(&positives))
                .map(|(&(other, _), score)| {
                    let own = case.row_parameters_of(other);
                    (score.value, own.last().copied().unwrap_or(0.0))
                })
                .collect(),
            ranks: columns.iter().map(|&id| rank(row, id)).collect(),
            own_rank: rank(row, ids[pair] as usize),
            norm: norm(query),
            norms: (live.iter())
                .map(|&(other, _)| norm(case.query_of(other)).value)
                .collect(),
            negative_mean,
            others: case.n_candidates() - 1,
        };
        losses.push(seen.loss(loss));
    }
    let value = total(loss, case, &tape, &live, &losses, columns_in_all);
    let mut row_losses = vec![0.0; ids.len()];
    for (&(_, pair), loss) in live.iter().zip(&losses) {
        row_losses[pair] = loss.map_or(0.0, |loss| loss.value);
    }
    let [grad_queries, grad_candidates, grad_theta] =
        inputs.map(|inputs| tape.gradient(value, &inputs));
    Expected {
        value: value.value,
        row_losses,
        grad_queries,
        grad_candidates,
        grad_theta,
        dead: losses.iter().filter(|loss| loss.is_none()).count() as u64,
    }
}

/// The mean score of pairs with all candidates but their positive.
fn negative_mean(
    candidates: usize,
    live: &[(usize, usize)],
    ids: &[u32],
    score: impl Fn(usize, usize) -> f64,
) -> f64 {
    let others = |&(row, pair): &(usize, usize)| {
        let own = ids[pair] as usize;
        let others = (0..candidates).filter(move |&id| id != own);
        others.map(|id| score(row, id)).sum::<f64>()
    };
    let total: f64 = live.iter().map(others).sum();
    total / (live.len() * (candidates - 1)) as f64
}

/// The reduction over pairs.
fn total<'t>(
    loss: &AnyLoss,
    case: &Case,
    tape: &'t Tape,
    live: &[(usize, usize)],
    losses: &[Option<Var<'t>>],
    columns_in_all: usize,
) -> Var<'t> {
    if matches!(loss, AnyLoss::Psl(psl) if psl.method == 2) {
        let alive: Vec<_> = losses.iter().flatten().copied().collect();
        if alive.is_empty() {
            return tape.var(0.0);
        }
        return log_sum_exp(tape, &alive) + -(columns_in_all as f64).ln();
    }
    let queries: Vec<_> = live.iter().map(|&(row, _)| case.query_of(row)).collect();
    let group = |at: usize| queries.iter().filter(|&&q| q == queries[at]).count() as f64;
    let per_user =
        matches!(loss, AnyLoss::Bsl(bsl) if matches!(bsl.form, BslForm::Published { .. }));
    let count = if per_user {
        (0..live.len()).map(|at| 1.0 / group(at)).sum()
    } else {
        live.len() as f64
    };
    let terms = (losses.iter().zip(live).enumerate()).filter_map(|(at, (loss, &(_, pair)))| {
        let weight = |weights: &Option<Vec<f32>>| {
            weights
                .as_ref()
                .map_or(1.0, |weights| f64::from(weights[pair]))
        };
        let mut factor = weight(&case.weights) * weight(&case.upstream);
        if per_user {
            factor /= group(at);
        }
        if !case.sum && case.upstream.is_none() {
            factor /= count;
        }
        Some((*loss)? * factor)
    });
    sum(tape, terms)
}
