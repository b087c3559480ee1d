//! A stretch of one row's columns, from scores to its share of the row's statistic, and to weights
//! where those are kept.

#![expect(
    clippy::needless_range_loop,
    reason = "loops over whole arrays by index become vector code"
)]

use super::{
    kernels::{Beside, Setting},
    runs::{LANES, RUN, Run, add, exponentiate, highest, largest, product, raise, share, sum},
    statistic::Statistic,
};
use crate::{
    Real,
    loss::{Loss, RowReduction, Target},
};

/// Runs whose values are held until their largest is known.
const RUNS: usize = 8;

/// Room for the values of a stretch, made once per task: to clear it takes as long as to use it.
#[derive(Debug)]
pub struct Stretch<R> {
    pub(super) run: Run<R>,
    /// z, then `e^{z − max}`.
    values: Vec<[R; RUN]>,
    /// ∂z/∂t.
    by_target: Vec<[R; RUN]>,
    /// ∂z/∂s, where weights are kept.
    by_score: Vec<[R; RUN]>,
}

impl<R: Real> Default for Stretch<R> {
    fn default() -> Self {
        Stretch {
            run: Run::new(),
            values: vec![[R::ZERO; RUN]; RUNS],
            by_target: vec![[R::ZERO; RUN]; RUNS],
            by_score: vec![[R::ZERO; RUN]; RUNS],
        }
    }
}

/// Adds columns to a statistic.
#[inline(always)]
pub(super) fn reduce<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    stretch: &mut Stretch<R>,
    scores: &[R],
    beside: Beside<'_, R>,
    pair: &Target<R>,
    into: &mut Statistic<R>,
) {
    let second = setting.spec.second.is_some_and(|tile| tile.log_sum);
    if setting.spec.reduction == RowReduction::LogSumExp {
        for start in (0..scores.len()).step_by(RUNS * RUN) {
            let end = scores.len().min(start + RUNS * RUN);
            let columns = (&scores[..end], beside, start);
            log_sum::<false, R, L>(loss, setting, stretch, columns, pair, into);
        }
        if !second {
            return;
        }
    }
    for start in (0..scores.len()).step_by(RUN) {
        stretch.run.load(scores, beside, start);
        if setting.spec.reduction == RowReduction::Sum {
            plain_sum::<false, R, L>(loss, setting, stretch, pair, into);
        }
        if second {
            second_log_sum(&stretch.run, into);
        }
    }
}

/// As [`reduce`], and turns the scores into weights but for a factor of the row: into
/// `e^{z − max}·∂z/∂s` for log-sums, with the largest z so far, which is returned; into ∂z/∂s for sums.
/// For losses of one tile.
#[inline(always)]
pub(super) fn reduce_to_weights<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    stretch: &mut Stretch<R>,
    scores: &mut [R],
    beside: Beside<'_, R>,
    pair: &Target<R>,
    into: &mut Statistic<R>,
) -> R {
    if setting.spec.reduction == RowReduction::Sum {
        for start in (0..scores.len()).step_by(RUN) {
            stretch.run.load(scores, beside, start);
            plain_sum::<true, R, L>(loss, setting, stretch, pair, into);
            let end = scores.len().min(start + RUN);
            let count = end - start;
            scores[start..end].copy_from_slice(&stretch.by_score[0][..count]);
        }
        return R::ZERO;
    }
    for start in (0..scores.len()).step_by(RUNS * RUN) {
        let end = scores.len().min(start + RUNS * RUN);
        let before = into.max;
        let columns = (&scores[..end], beside, start);
        let alive = log_sum::<true, R, L>(loss, setting, stretch, columns, pair, into);
        if into.max > before {
            let shrink = share(before - into.max);
            for weight in &mut scores[..start] {
                *weight *= shrink;
            }
        }
        if !alive {
            scores[start..end].fill(R::ZERO);
            continue;
        }
        let runs = stretch.values.iter().zip(&stretch.by_score);
        for (weights, (shares, slopes)) in scores[start..end].chunks_mut(RUN).zip(runs) {
            let run = product(shares, slopes);
            weights.copy_from_slice(&run[..weights.len()]);
        }
    }
    into.max
}

/// Adds up to [`RUNS`] runs, from the stretch's start on: the largest value of all of them first,
/// for what crosses lanes is slow. Leaves their shares of the row's sum and their slopes in the
/// stretch, unless nothing was in the sum so far: then it says so.
#[inline(always)]
fn log_sum<const WEIGHTS: bool, R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    stretch: &mut Stretch<R>,
    (scores, beside, start): (&[R], Beside<'_, R>, usize),
    pair: &Target<R>,
    into: &mut Statistic<R>,
) -> bool {
    let mut lanes = [R::NEG_INFINITY; LANES];
    let starts = || (start..scores.len()).step_by(RUN).enumerate();
    for (nth, start) in starts() {
        stretch.run.load(scores, beside, start);
        values::<WEIGHTS, R, L>(loss, setting, stretch, nth, pair, R::NEG_INFINITY);
        raise(&mut lanes, &stretch.values[nth]);
    }
    into.raise(highest(&lanes));
    if into.max == R::NEG_INFINITY {
        return false;
    }
    let with_slopes = setting.slopes && !setting.spec.separable;
    let [mut sums, mut by_target] = [[0.0; LANES]; 2];
    for (nth, _) in starts() {
        let shares = &mut stretch.values[nth];
        exponentiate(shares, into.max);
        add(&mut sums, shares);
        if with_slopes {
            add(&mut by_target, &product(shares, &stretch.by_target[nth]));
        }
    }
    into.sum += sums.iter().sum::<f64>();
    into.target += by_target.iter().sum::<f64>();
    for k in 0..setting.spec.learnt() {
        let mut by_theta = [0.0; LANES];
        for (nth, start) in starts() {
            stretch.run.load(scores, beside, start);
            let slopes = theta_slopes(loss, setting, &stretch.run, pair, k);
            add(&mut by_theta, &product(&stretch.values[nth], &slopes));
        }
        into.theta[k] += by_theta.iter().sum::<f64>();
    }
    true
}

/// The values and slopes of the loaded run, as the stretch's run number `nth`; those of masked columns
/// are `masked` and 0.
#[inline(always)]
fn values<const WEIGHTS: bool, R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    stretch: &mut Stretch<R>,
    nth: usize,
    pair: &Target<R>,
    masked: R,
) {
    let run = &stretch.run;
    let (values, by_target) = (&mut stretch.values[nth], &mut stretch.by_target[nth]);
    let by_score = &mut stretch.by_score[nth];
    for i in 0..RUN {
        let (entry, hidden) = run.entry(i, pair.value, pair.row_constant);
        let out = loss.pair(entry, setting.parameters);
        let value = out.value + run.offsets[i];
        values[i] = if hidden { masked } else { value };
        by_target[i] = if hidden { R::ZERO } else { out.target_slope };
        if WEIGHTS {
            by_score[i] = if hidden { R::ZERO } else { out.score_slope };
        }
    }
}

/// Adds the loaded run.
#[inline(always)]
fn plain_sum<const WEIGHTS: bool, R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    stretch: &mut Stretch<R>,
    pair: &Target<R>,
    into: &mut Statistic<R>,
) {
    values::<WEIGHTS, R, L>(loss, setting, stretch, 0, pair, R::ZERO);
    into.sum += sum(&stretch.values[0]);
    if setting.slopes && !setting.spec.separable {
        into.target += sum(&stretch.by_target[0]);
    }
    for k in 0..setting.spec.learnt() {
        into.theta[k] += sum(&theta_slopes(loss, setting, &stretch.run, pair, k));
    }
}

#[inline(always)]
fn theta_slopes<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    run: &Run<R>,
    pair: &Target<R>,
    k: usize,
) -> [R; RUN] {
    let mut slopes = [R::ZERO; RUN];
    for i in 0..RUN {
        let (entry, hidden) = run.entry(i, pair.value, pair.row_constant);
        let slope = loss.pair_theta(k, entry, setting.parameters);
        slopes[i] = if hidden { R::ZERO } else { slope };
    }
    slopes
}

#[inline(always)]
fn second_log_sum<R: Real>(run: &Run<R>, into: &mut Statistic<R>) {
    let mut values = run.second_values();
    into.raise_second(largest(&values));
    if into.second_max == R::NEG_INFINITY {
        return;
    }
    exponentiate(&mut values, into.second_max);
    into.second_sum += sum(&values);
}
