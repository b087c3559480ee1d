//! Runs of a row's columns, and what the loops over them share, compiled for the processor's vectors.
//!
//! Scores are handled in runs of [`RUN`]: every loop below is straight-line code over
//! an array, and sums have a fixed number of lanes, so their bits do not depend on the processor's
//! vector width.

#![expect(
    clippy::needless_range_loop,
    reason = "loops over whole arrays by index become vector code"
)]

use super::kernels::Beside;
use crate::{Real, loss::Entry};

/// Scores handled at a time.
pub(super) const RUN: usize = 128;
/// Independent partial sums; a run is a whole number of them.
pub(super) const LANES: usize = 16;

/// What a masked column holds instead of its score. No finite score comes near it.
#[inline(always)]
pub(super) fn masked<R: Real>() -> R {
    -R::MAX
}

/// Up to [`RUN`] columns, filled up with masked ones.
#[derive(Debug)]
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
        match scores[start..].first_chunk::<RUN>() {
            // A copy of known length is no call.
            Some(scores) => self.scores = *scores,
            None => {
                self.scores[..count].copy_from_slice(&scores[start..]);
                self.scores[count..].fill(masked());
            }
        }
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

    /// The second tile's scores, −∞ where columns are masked.
    #[inline(always)]
    pub(super) fn second_values(&self) -> [R; RUN] {
        let mut values = self.second;
        for i in 0..RUN {
            if self.scores[i] == masked() {
                values[i] = R::NEG_INFINITY;
            }
        }
        values
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

#[inline(always)]
pub(super) fn product<R: Real>(a: &[R; RUN], b: &[R; RUN]) -> [R; RUN] {
    let mut product = [R::ZERO; RUN];
    for i in 0..RUN {
        product[i] = a[i] * b[i];
    }
    product
}

#[inline(always)]
pub(super) fn exponentiate<R: Real>(values: &mut [R; RUN], max: R) {
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
pub(super) fn largest<R: Real>(values: &[R; RUN]) -> R {
    let mut lanes = [R::NEG_INFINITY; LANES];
    raise(&mut lanes, values);
    highest(&lanes)
}

/// The largest value of every lane.
#[inline(always)]
pub(super) fn raise<R: Real>(lanes: &mut [R; LANES], values: &[R; RUN]) {
    for values in values.chunks_exact(LANES) {
        for (lane, &value) in lanes.iter_mut().zip(values) {
            *lane = lane.max(value);
        }
    }
}

#[inline(always)]
pub(super) fn highest<R: Real>(lanes: &[R; LANES]) -> R {
    lanes
        .iter()
        .fold(R::NEG_INFINITY, |max, &lane| max.max(lane))
}

#[inline(always)]
pub(super) fn sum<R: Real>(values: &[R; RUN]) -> f64 {
    let mut lanes = [0.0; LANES];
    add(&mut lanes, values);
    lanes.iter().sum()
}

/// Adds a run to double-precision lanes: few of its numbers meet in single precision.
#[inline(always)]
pub(super) fn add<R: Real>(sums: &mut [f64; LANES], values: &[R; RUN]) {
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
