//! From one row's scores to ∂value/∂score, and to ∂value/∂(column parameter).

#![expect(
    clippy::needless_range_loop,
    reason = "loops over whole arrays by index become vector code"
)]

use super::{
    kernels::{Beside, Setting, Term},
    runs::{RUN, Run, share},
};
use crate::{
    Real,
    loss::{Loss, RowReduction},
};

/// Turns scores into weights.
#[inline(always)]
pub(super) fn weigh<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    run: &mut Run<R>,
    scores: &mut [R],
    beside: Beside<'_, R>,
    terms: &[Term<R>],
) {
    for start in (0..scores.len()).step_by(RUN) {
        run.load(scores, beside, start);
        let mut weights = [R::ZERO; RUN];
        for term in terms {
            match setting.spec.reduction {
                RowReduction::LogSumExp => weigh_run(loss, setting, run, term, &mut weights, true),
                RowReduction::Sum => weigh_run(loss, setting, run, term, &mut weights, false),
            }
        }
        let count = RUN.min(scores.len() - start);
        scores[start..start + count].copy_from_slice(&weights[..count]);
    }
}

/// Adds one pair's weights; `log_sum` is a constant wherever this is inlined.
#[inline(always)]
fn weigh_run<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    run: &Run<R>,
    term: &Term<R>,
    weights: &mut [R; RUN],
    log_sum: bool,
) {
    for i in 0..RUN {
        let (entry, hidden) = run.entry(i, term.target, term.row_constant);
        let out = loss.pair(entry, setting.parameters);
        let slope = if log_sum {
            term.factor * share(out.value + run.offsets[i] - term.shift)
        } else {
            term.factor
        };
        let weight = slope * out.score_slope;
        weights[i] += if hidden { R::ZERO } else { weight };
    }
}

/// Turns scores into weights, and the second tile's scores into theirs.
#[inline(always)]
pub(super) fn weigh_both<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    scores: &mut [R],
    second: &mut [R],
    beside: Beside<'_, R>,
    terms: &[Term<R>],
) {
    let mut run = Run::new();
    let log_sum = setting.spec.reduction == RowReduction::LogSumExp;
    for start in (0..scores.len()).step_by(RUN) {
        let count = RUN.min(scores.len() - start);
        run.load(scores, beside, start);
        run.load_second(&second[start..start + count]);
        let mut weights = [[R::ZERO; RUN]; 2];
        for term in terms {
            weigh_run(loss, setting, &run, term, &mut weights[0], log_sum);
            second_run(loss, setting, &run, term, &mut weights[1], log_sum);
        }
        scores[start..start + count].copy_from_slice(&weights[0][..count]);
        second[start..start + count].copy_from_slice(&weights[1][..count]);
    }
}

/// Adds one pair's weights of the second tile: through z, and through `LSE r`.
#[inline(always)]
fn second_run<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    run: &Run<R>,
    term: &Term<R>,
    weights: &mut [R; RUN],
    log_sum: bool,
) {
    for i in 0..RUN {
        let (entry, hidden) = run.entry(i, term.target, term.row_constant);
        let mut slope = term.factor;
        if log_sum {
            let value = loss.pair(entry, setting.parameters).value;
            slope *= share(value + run.offsets[i] - term.shift);
        }
        // No r exceeds the largest, unless there is no log-sum of them: then the factor is 0.
        let below = (entry.second - term.second_shift).min(R::ZERO);
        let through_sum = term.second_factor * share(below);
        let weight = slope * loss.pair_second(entry, setting.parameters) + through_sum;
        weights[i] += if hidden { R::ZERO } else { weight };
    }
}

/// Adds to `sums` what the row's pairs give the parameters of its columns.
#[inline(always)]
pub(super) fn weigh_columns<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    scores: &[R],
    beside: Beside<'_, R>,
    terms: &[Term<R>],
    sums: &mut [f64],
) {
    let mut run = Run::new();
    let log_sum = setting.spec.reduction == RowReduction::LogSumExp;
    for start in (0..scores.len()).step_by(RUN) {
        run.load(scores, beside, start);
        for term in terms {
            for (i, sum) in sums[start..].iter_mut().take(RUN).enumerate() {
                let (entry, hidden) = run.entry(i, term.target, term.row_constant);
                if hidden {
                    continue;
                }
                let slope = loss.pair_column(entry, setting.parameters).to_f64();
                let share = if log_sum {
                    let value = loss.pair(entry, setting.parameters).value + run.offsets[i];
                    share(value - term.shift).to_f64()
                } else {
                    1.0
                };
                *sum += term.factor.to_f64() * share * slope;
            }
        }
    }
}
