//! The inner loops of a loss over one row's scores, compiled for the processor's vectors.
//!
//! Scores are handled in runs of [`RUN`] on the stack: every loop below is straight-line code over
//! an array, and sums have a fixed number of lanes, so their bits do not depend on the processor's
//! vector width.

#![expect(
    clippy::needless_range_loop,
    reason = "loops over whole arrays by index become vector code"
)]

use super::{
    kernels::{Beside, Setting},
    statistic::Statistic,
};
use crate::{
    Real,
    loss::{Entry, Loss, RowReduction, Target},
};

/// Scores handled at a time.
pub(super) const RUN: usize = 128;
/// Runs whose values are held until their largest is known.
const RUNS: usize = 8;
/// Independent partial sums; a run is a whole number of them.
const LANES: usize = 16;

/// What a masked column holds instead of its score. No finite score comes near it.
#[inline(always)]
pub(super) fn masked<R: Real>() -> R {
    -R::MAX
}

/// Up to [`RUN`] columns on the stack, filled up with masked ones.
pub(super) struct Run<R> {
    scores: [R; RUN],
    second: [R; RUN],
    pub(super) offsets: [R; RUN],
    columns: [R; RUN],
    constants: [R; RUN],
}

impl<R: Real> Run<R> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Run {
            scores: [masked(); RUN],
            second: [R::ZERO; RUN],
            offsets: [R::ZERO; RUN],
            columns: [R::ZERO; RUN],
            constants: [R::ZERO; RUN],
        }
    }

    #[inline(always)]
    pub(super) fn load(&mut self, scores: &[R], beside: Beside<'_, R>, start: usize) {
        let count = RUN.min(scores.len() - start);
        self.scores[..count].copy_from_slice(&scores[start..start + count]);
        self.scores[count..].fill(masked());
        for (into, from) in [
            (&mut self.second, beside.second),
            (&mut self.offsets, beside.offsets),
            (&mut self.columns, beside.columns),
            (&mut self.constants, beside.constants),
        ] {
            if !from.is_empty() {
                into[..count].copy_from_slice(&from[start..start + count]);
            }
        }
    }

    /// The second tile's scores, where they do not come with [`Beside`].
    #[inline(always)]
    pub(super) fn load_second(&mut self, second: &[R]) {
        self.second[..second.len()].copy_from_slice(second);
    }

    /// Column `i`, and whether it is masked (its score is then 0, so that nothing overflows).
    #[inline(always)]
    pub(super) fn entry(&self, i: usize, target: R, row_constant: R) -> (Entry<R>, bool) {
        let hidden = self.scores[i] == masked();
        let entry = Entry {
            score: if hidden { R::ZERO } else { self.scores[i] },
            target,
            row_constant,
            second: self.second[i],
            column: self.columns[i],
            constant: self.constants[i],
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
    let second = setting.spec.second.is_some_and(|tile| tile.log_sum);
    if setting.spec.reduction == RowReduction::LogSumExp {
        for start in (0..scores.len()).step_by(RUNS * RUN) {
            let end = scores.len().min(start + RUNS * RUN);
            let stretch = (&scores[..end], beside, start);
            log_sum(loss, setting, &mut run, stretch, pair, into);
        }
        if !second {
            return;
        }
    }
    for start in (0..scores.len()).step_by(RUN) {
        run.load(scores, beside, start);
        if setting.spec.reduction == RowReduction::Sum {
            plain_sum(loss, setting, &run, pair, into);
        }
        if second {
            second_log_sum(&run, into);
        }
    }
}

/// Adds up to [`RUNS`] runs, from the stretch's start on: the largest value of all of them first,
/// for what crosses lanes is slow.
#[inline(always)]
fn log_sum<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    run: &mut Run<R>,
    (scores, beside, start): (&[R], Beside<'_, R>, usize),
    pair: &Target<R>,
    into: &mut Statistic<R>,
) {
    let mut values = [[R::ZERO; RUN]; RUNS];
    let mut slopes = [[R::ZERO; RUN]; RUNS];
    let mut lanes = [R::NEG_INFINITY; LANES];
    let starts = || (start..scores.len()).step_by(RUN);
    for (start, (values, slopes)) in starts().zip(values.iter_mut().zip(&mut slopes)) {
        run.load(scores, beside, start);
        for i in 0..RUN {
            let (entry, hidden) = run.entry(i, pair.value, pair.row_constant);
            let out = loss.pair(entry, setting.parameters);
            let value = out.value + run.offsets[i];
            values[i] = if hidden { R::NEG_INFINITY } else { value };
            slopes[i] = out.target_slope;
        }
        raise(&mut lanes, values);
    }
    into.raise(highest(&lanes));
    if into.max == R::NEG_INFINITY {
        return;
    }
    let with_slopes = setting.slopes && !setting.spec.separable;
    let [mut sums, mut by_target] = [[0.0; LANES]; 2];
    for (_, (values, slopes)) in starts().zip(values.iter_mut().zip(&slopes)) {
        exponentiate(values, into.max);
        add(&mut sums, values);
        if with_slopes {
            // Masked columns have a finite slope and the value 0.
            add(&mut by_target, &product(values, slopes));
        }
    }
    into.sum += sums.iter().sum::<f64>();
    into.target += by_target.iter().sum::<f64>();
    for k in 0..setting.spec.learnt() {
        let mut by_theta = [0.0; LANES];
        for (start, (values, slopes)) in starts().zip(values.iter().zip(&mut slopes)) {
            run.load(scores, beside, start);
            theta_slopes(loss, setting, run, pair, k, slopes);
            add(&mut by_theta, &product(values, slopes));
        }
        into.theta[k] += by_theta.iter().sum::<f64>();
    }
}

#[inline(always)]
fn plain_sum<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    run: &Run<R>,
    pair: &Target<R>,
    into: &mut Statistic<R>,
) {
    let mut values = [R::ZERO; RUN];
    let mut slopes = [R::ZERO; RUN];
    for i in 0..RUN {
        let (entry, hidden) = run.entry(i, pair.value, pair.row_constant);
        let out = loss.pair(entry, setting.parameters);
        values[i] = if hidden { R::ZERO } else { out.value };
        slopes[i] = if hidden { R::ZERO } else { out.target_slope };
    }
    into.sum += sum(&values);
    if setting.slopes && !setting.spec.separable {
        into.target += sum(&slopes);
    }
    for k in 0..setting.spec.learnt() {
        theta_slopes(loss, setting, run, pair, k, &mut slopes);
        into.theta[k] += sum(&slopes);
    }
}

#[inline(always)]
fn theta_slopes<R: Real, L: Loss>(
    loss: &L,
    setting: Setting<'_, R>,
    run: &Run<R>,
    pair: &Target<R>,
    k: usize,
    slopes: &mut [R; RUN],
) {
    for i in 0..RUN {
        let (entry, hidden) = run.entry(i, pair.value, pair.row_constant);
        let slope = loss.pair_theta(k, entry, setting.parameters);
        slopes[i] = if hidden { R::ZERO } else { slope };
    }
}

#[inline(always)]
fn second_log_sum<R: Real>(run: &Run<R>, into: &mut Statistic<R>) {
    let mut values = [R::NEG_INFINITY; RUN];
    for i in 0..RUN {
        let hidden = run.scores[i] == masked();
        values[i] = if hidden {
            R::NEG_INFINITY
        } else {
            run.second[i]
        };
    }
    into.raise_second(largest(&values));
    if into.second_max == R::NEG_INFINITY {
        return;
    }
    exponentiate(&mut values, into.second_max);
    into.second_sum += sum(&values);
}

#[inline(always)]
fn product<R: Real>(a: &[R; RUN], b: &[R; RUN]) -> [R; RUN] {
    let mut product = [R::ZERO; RUN];
    for i in 0..RUN {
        product[i] = a[i] * b[i];
    }
    product
}

#[inline(always)]
fn exponentiate<R: Real>(values: &mut [R; RUN], max: R) {
    for value in values {
        *value = share(*value - max);
    }
}

/// `e^x` for x ≤ 0, or 0 where it is nothing beside 1: numbers that small, and what they are
/// multiplied with, would be subnormal, and those are slow.
#[inline(always)]
pub(super) fn share<R: Real>(x: R) -> R {
    let nothing = if R::EPSILON.to_f64() > 1e-10 {
        -60.0
    } else {
        -600.0
    };
    let nothing = R::from_f64(nothing);
    let share = x.max(nothing).exp_near();
    if x < nothing { R::ZERO } else { share }
}

/// The largest value; NaN is left to the sum.
#[inline(always)]
fn largest<R: Real>(values: &[R; RUN]) -> R {
    let mut lanes = [R::NEG_INFINITY; LANES];
    raise(&mut lanes, values);
    highest(&lanes)
}

/// The largest value of every lane.
#[inline(always)]
fn raise<R: Real>(lanes: &mut [R; LANES], values: &[R; RUN]) {
    for values in values.chunks_exact(LANES) {
        for (lane, &value) in lanes.iter_mut().zip(values) {
            *lane = lane.max(value);
        }
    }
}

#[inline(always)]
fn highest<R: Real>(lanes: &[R; LANES]) -> R {
    lanes
        .iter()
        .fold(R::NEG_INFINITY, |max, &lane| max.max(lane))
}

#[inline(always)]
fn sum<R: Real>(values: &[R; RUN]) -> f64 {
    let mut lanes = [0.0; LANES];
    add(&mut lanes, values);
    lanes.iter().sum()
}

/// Adds a run to double-precision lanes: few of its numbers meet in single precision.
#[inline(always)]
fn add<R: Real>(sums: &mut [f64; LANES], values: &[R; RUN]) {
    let mut lanes = [R::ZERO; LANES];
    for values in values.chunks_exact(LANES) {
        for (lane, &value) in lanes.iter_mut().zip(values) {
            *lane += value;
        }
    }
    for (sum, lane) in sums.iter_mut().zip(lanes) {
        *sum += lane.to_f64();
    }
}
