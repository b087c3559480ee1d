//! The inner loops of a loss over one row's scores, compiled for the processor's vectors.
//!
//! Scores are handled in runs of [`RUN`] on the stack: every loop below is straight-line code over
//! an array, and sums have a fixed number of lanes, so their bits do not depend on the processor's
//! vector width.

use super::{
    kernels::{Beside, Setting, Term},
    statistic::Statistic,
};
use crate::{
    Real,
    loss::{Entry, Loss, Pair, RowReduction, Target},
};
use pulp::Arch;
use std::sync::LazyLock;

/// Scores handled at a time.
const RUN: usize = 128;
/// Independent partial sums; a run is a whole number of them.
const LANES: usize = 16;

/// What a masked column holds instead of its score. No finite score comes near it.
#[inline(always)]
pub(super) fn masked<R: Real>() -> R {
    -R::MAX
}

/// Runs `work` compiled for the vectors that this processor has.
#[inline(always)]
pub(super) fn vectorized<T>(work: impl FnOnce() -> T) -> T {
    static ARCH: LazyLock<Arch> = LazyLock::new(Arch::new);
    ARCH.dispatch(work)
}

/// Up to [`RUN`] columns on the stack, filled up with masked ones.
struct Run<R> {
    scores: [R; RUN],
    second: [R; RUN],
    offsets: [R; RUN],
    /// Columns in use, rounded up to whole lanes.
    width: usize,
}

impl<R: Real> Run<R> {
    #[inline(always)]
    fn new() -> Self {
        Run {
            scores: [masked(); RUN],
            second: [R::ZERO; RUN],
            offsets: [R::ZERO; RUN],
            width: 0,
        }
    }

    #[inline(always)]
    fn load(&mut self, scores: &[R], beside: Beside<'_, R>, start: usize) {
        let count = RUN.min(scores.len() - start);
        self.width = count.next_multiple_of(LANES);
        self.scores[..count].copy_from_slice(&scores[start..start + count]);
        self.scores[count..].fill(masked());
        if !beside.second.is_empty() {
            self.second[..count].copy_from_slice(&beside.second[start..start + count]);
        }
        if !beside.offsets.is_empty() {
            self.offsets[..count].copy_from_slice(&beside.offsets[start..start + count]);
        }
    }

    /// Column `i`, and whether it is masked (its score is then 0, so that nothing overflows).
    #[inline(always)]
    fn entry(&self, i: usize, target: R, row_constant: R) -> (Entry<R>, bool) {
        let hidden = self.scores[i] == masked();
        let entry = Entry {
            score: if hidden { R::ZERO } else { self.scores[i] },
            target,
            row_constant,
            second: self.second[i],
        };
        (entry, hidden)
    }
}

/// Adds columns to a statistic.
#[inline(always)]
pub(super) fn reduce<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    scores: &[R],
    beside: Beside<'_, R>,
    pair: &Target<R>,
    into: &mut Statistic<R>,
) {
    let mut run = Run::new();
    for start in (0..scores.len()).step_by(RUN) {
        run.load(scores, beside, start);
        reduce_run(loss, setting, &run, pair, into);
        if setting.spec.second.is_some_and(|tile| tile.log_sum) {
            reduce_second(&run, into);
        }
    }
}

#[inline(always)]
fn reduce_run<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    run: &Run<R>,
    pair: &Target<R>,
    into: &mut Statistic<R>,
) {
    let log_sum = setting.spec.reduction == RowReduction::LogSumExp;
    let nothing = if log_sum { R::NEG_INFINITY } else { R::ZERO };
    let mut values = [nothing; RUN];
    let mut slopes = [R::ZERO; RUN];
    for i in 0..run.width {
        let (entry, hidden) = run.entry(i, pair.value, pair.row_constant);
        let out = loss.pair(entry, setting.parameters);
        values[i] = if hidden {
            nothing
        } else {
            out.value + run.offsets[i]
        };
        slopes[i] = if hidden { R::ZERO } else { out.target_slope };
    }
    if log_sum {
        into.raise(largest(&values, run.width));
        if into.max == R::NEG_INFINITY {
            return;
        }
        exponentiate(&mut values, into.max, run.width);
    }
    into.sum += sum(&values, run.width);
    if setting.slopes && !setting.spec.separable {
        for i in 0..run.width {
            slopes[i] *= if log_sum { values[i] } else { R::ONE };
        }
        into.target += sum(&slopes, run.width);
    }
    for k in 0..setting.spec.thetas {
        for i in 0..run.width {
            let (entry, hidden) = run.entry(i, pair.value, pair.row_constant);
            let slope = loss.pair_theta(k, entry, setting.parameters);
            let slope = if log_sum { slope * values[i] } else { slope };
            slopes[i] = if hidden { R::ZERO } else { slope };
        }
        into.theta[k] += sum(&slopes, run.width);
    }
}

#[inline(always)]
fn reduce_second<R: Real>(run: &Run<R>, into: &mut Statistic<R>) {
    let mut values = [R::NEG_INFINITY; RUN];
    for i in 0..run.width {
        let hidden = run.scores[i] == masked();
        values[i] = if hidden {
            R::NEG_INFINITY
        } else {
            run.second[i]
        };
    }
    into.raise_second(largest(&values, run.width));
    if into.second_max == R::NEG_INFINITY {
        return;
    }
    exponentiate(&mut values, into.second_max, run.width);
    into.second_sum += sum(&values, run.width);
}

/// Turns scores into weights.
#[inline(always)]
pub(super) fn weigh<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    scores: &mut [R],
    beside: Beside<'_, R>,
    terms: &[Term<R>],
) {
    let log_sum = setting.spec.reduction == RowReduction::LogSumExp;
    let mut run = Run::new();
    for start in (0..scores.len()).step_by(RUN) {
        run.load(scores, beside, start);
        let mut weights = [R::ZERO; RUN];
        for term in terms {
            for i in 0..run.width {
                let (entry, hidden) = run.entry(i, term.target, term.row_constant);
                let Pair {
                    value, score_slope, ..
                } = loss.pair(entry, setting.parameters);
                let share = if log_sum {
                    term.factor * (value + run.offsets[i] - term.shift).exp()
                } else {
                    term.factor
                };
                weights[i] += if hidden { R::ZERO } else { share * score_slope };
            }
        }
        let count = RUN.min(scores.len() - start);
        scores[start..start + count].copy_from_slice(&weights[..count]);
    }
}

#[inline(always)]
fn exponentiate<R: Real>(values: &mut [R; RUN], max: R, width: usize) {
    for value in &mut values[..width] {
        *value = (*value - max).exp();
    }
}

/// The largest of the first `width` values, a whole number of lanes; NaN is left to the sum.
#[inline(always)]
fn largest<R: Real>(values: &[R; RUN], width: usize) -> R {
    let mut lanes = [R::NEG_INFINITY; LANES];
    for values in values[..width].chunks_exact(LANES) {
        for (lane, &value) in lanes.iter_mut().zip(values) {
            *lane = lane.max(value);
        }
    }
    lanes
        .iter()
        .fold(R::NEG_INFINITY, |max, &lane| max.max(lane))
}

#[inline(always)]
fn sum<R: Real>(values: &[R; RUN], width: usize) -> f64 {
    let mut lanes = [R::ZERO; LANES];
    for values in values[..width].chunks_exact(LANES) {
        for (lane, &value) in lanes.iter_mut().zip(values) {
            *lane += value;
        }
    }
    lanes.iter().map(|lane| lane.to_f64()).sum()
}
