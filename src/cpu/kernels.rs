//! A loss as the engine calls it: its scalar functions over slices, behind one pointer, so that no
//! score costs an indirect call.

use super::{
    statistic::Statistic,
    stretch::{Stretch, reduce, reduce_to_weights},
    weigh::{weigh, weigh_both, weigh_columns},
};
use crate::{
    Real,
    loss::{BatchStatistics, Loss, Parameters, PositiveScore, Row, RowLoss, Spec, Target},
    shape::{MAX_ROW_PARAMETERS, MAX_THETA},
};

/// What goes with the scores of a stretch of one row's columns.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a, R> {
    /// The second tile's scores; empty without one.
    pub second: &'a [R],
    /// Added to z; empty for none.
    pub offsets: &'a [R],
    /// Column parameters; empty for none.
    pub columns: &'a [R],
    /// Entry constants; empty for none.
    pub constants: &'a [R],
}

/// What a pair adds to the weights of its row: `factor · e^{z − shift} · ∂z/∂s` for log-sums,
/// `factor · ∂z/∂s` for sums.
#[derive(Clone, Copy, Debug)]
pub struct Term<R> {
    /// The pair's t.
    pub target: R,
    /// The pair's derived constant.
    pub row_constant: R,
    /// The largest z of the row.
    pub shift: R,
    /// ∂value/∂R, divided by `Σ e^{z − shift}` for log-sums.
    pub factor: R,
    /// The largest r of the row's second tile.
    pub second_shift: R,
    /// ∂value/∂(`LSE r`), divided by `Σ e^{r − second_shift}`.
    pub second_factor: R,
}

/// A loss with the numbers that its functions read.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a, R> {
    /// What the loss declared.
    pub spec: &'a Spec,
    /// Its parameters.
    pub parameters: &'a Parameters<R>,
    /// Whether a reduction also sums the slopes by the target.
    pub slopes: bool,
}

/// What the CPU engine calls on a loss: its scalar functions, over slices. Implemented for every
/// [`Loss`]; not to be implemented by hand.
pub trait Kernels<R: Real>: Send + Sync {
    /// [`Loss::target`].
    fn target(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R>;
    /// [`Loss::row`].
    fn row(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R>;
    /// [`Loss::row_theta`].
    fn row_theta(&self, k: usize, row: Row<R>, p: &Parameters<R>) -> R;
    /// [`Loss::row_state`].
    fn row_state(&self, row: Row<R>, p: &Parameters<R>) -> [R; MAX_ROW_PARAMETERS];
    /// [`Loss::norm_slope`].
    fn norm_slope(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> R;
    /// [`Loss::theta_state`].
    fn theta_state(&self, seen: BatchStatistics<R>, p: &Parameters<R>) -> [R; MAX_THETA];
    /// [`Loss::theta_bounds`].
    fn theta_bounds(&self, k: usize, p: &Parameters<R>) -> [R; 2];
    /// [`Loss::pool_scale`].
    fn pool_scale(&self, p: &Parameters<R>) -> R;
    /// [`Loss::target_column`].
    fn target_column(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> R;
    /// [`Loss::batch_value`].
    fn batch_value(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> R;
    /// [`Loss::row_second`].
    fn row_second(&self, row: Row<R>, p: &Parameters<R>) -> R;
    /// Adds columns to the statistic of the pair with this target.
    fn reduce(
        &self,
        setting: Setting<'_, R>,
        stretch: &mut Stretch<R>,
        scores: &[R],
        beside: Beside<'_, R>,
        pair: &Target<R>,
        into: &mut Statistic<R>,
    );
    /// As [`Kernels::reduce`], and turns the scores into what weights are but for a factor of the row:
    /// `e^{z − max}·∂z/∂s` with the largest z so far, which is returned, for log-sums; ∂z/∂s for sums.
    fn reduce_to_weights(
        &self,
        setting: Setting<'_, R>,
        stretch: &mut Stretch<R>,
        scores: &mut [R],
        beside: Beside<'_, R>,
        pair: &Target<R>,
        into: &mut Statistic<R>,
    ) -> R;
    /// Turns scores into ∂value/∂s, summed over the row's pairs.
    fn weigh(
        &self,
        setting: Setting<'_, R>,
        stretch: &mut Stretch<R>,
        scores: &mut [R],
        beside: Beside<'_, R>,
        terms: &[Term<R>],
    );
    /// As [`Kernels::weigh`], and turns the second tile's scores into ∂value/∂r.
    fn weigh_both(
        &self,
        setting: Setting<'_, R>,
        scores: &mut [R],
        second: &mut [R],
        beside: Beside<'_, R>,
        terms: &[Term<R>],
    );
    /// Adds ∂value/∂(column parameter), summed over the row's pairs, to `sums`: one per column.
    fn weigh_columns(
        &self,
        setting: Setting<'_, R>,
        scores: &[R],
        beside: Beside<'_, R>,
        terms: &[Term<R>],
        sums: &mut [f64],
    );
}

/// Runs `work` on the loss, compiled for the processor's vectors and for the variant of the loss.
#[inline(always)]
fn compiled<R: Real, L: Loss, T>(
    loss: &L,
    setting: Setting<'_, R>,
    work: impl FnOnce(&L, Setting<'_, R>) -> T,
) -> T {
    R::vectorized(
        #[inline(always)]
        || {
            // A copy that nothing else points to: what a loss reads under a condition was gathered
            // from memory for every vector, for any of the stores might have changed it.
            let parameters = *setting.parameters;
            let setting = Setting {
                parameters: &parameters,
                ..setting
            };
            loss.specialized(
                #[inline(always)]
                |loss| work(loss, setting),
            )
        },
    )
}

impl<R: Real, L: Loss> Kernels<R> for L {
    fn target(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        Loss::target(self, positive, p)
    }

    fn row(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        Loss::row(self, row, p)
    }

    fn row_theta(&self, k: usize, row: Row<R>, p: &Parameters<R>) -> R {
        Loss::row_theta(self, k, row, p)
    }

    fn row_state(&self, row: Row<R>, p: &Parameters<R>) -> [R; MAX_ROW_PARAMETERS] {
        Loss::row_state(self, row, p)
    }

    fn norm_slope(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> R {
        Loss::norm_slope(self, positive, p)
    }

    fn theta_state(&self, seen: BatchStatistics<R>, p: &Parameters<R>) -> [R; MAX_THETA] {
        Loss::theta_state(self, seen, p)
    }

    fn theta_bounds(&self, k: usize, p: &Parameters<R>) -> [R; 2] {
        Loss::theta_bounds(self, k, p)
    }

    fn pool_scale(&self, p: &Parameters<R>) -> R {
        Loss::pool_scale(self, p)
    }

    fn target_column(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> R {
        Loss::target_column(self, positive, p)
    }

    fn batch_value(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> R {
        Loss::batch_value(self, positive, p)
    }

    fn reduce(
        &self,
        setting: Setting<'_, R>,
        stretch: &mut Stretch<R>,
        scores: &[R],
        beside: Beside<'_, R>,
        pair: &Target<R>,
        into: &mut Statistic<R>,
    ) {
        compiled(
            self,
            setting,
            #[inline(always)]
            |loss, setting| reduce(loss, setting, stretch, scores, beside, pair, into),
        );
    }

    fn reduce_to_weights(
        &self,
        setting: Setting<'_, R>,
        stretch: &mut Stretch<R>,
        scores: &mut [R],
        beside: Beside<'_, R>,
        pair: &Target<R>,
        into: &mut Statistic<R>,
    ) -> R {
        compiled(
            self,
            setting,
            #[inline(always)]
            |loss, setting| reduce_to_weights(loss, setting, stretch, scores, beside, pair, into),
        )
    }

    fn weigh(
        &self,
        setting: Setting<'_, R>,
        stretch: &mut Stretch<R>,
        scores: &mut [R],
        beside: Beside<'_, R>,
        terms: &[Term<R>],
    ) {
        compiled(
            self,
            setting,
            #[inline(always)]
            |loss, setting| weigh(loss, setting, &mut stretch.run, scores, beside, terms),
        );
    }

    fn row_second(&self, row: Row<R>, p: &Parameters<R>) -> R {
        Loss::row_second(self, row, p)
    }

    fn weigh_both(
        &self,
        setting: Setting<'_, R>,
        scores: &mut [R],
        second: &mut [R],
        beside: Beside<'_, R>,
        terms: &[Term<R>],
    ) {
        // Not vectorised: few losses have a second tile, and all would be compiled for it.
        weigh_both(self, setting, scores, second, beside, terms);
    }

    fn weigh_columns(
        &self,
        setting: Setting<'_, R>,
        scores: &[R],
        beside: Beside<'_, R>,
        terms: &[Term<R>],
        sums: &mut [f64],
    ) {
        // In double precision sums: vectors would gain little.
        weigh_columns(self, setting, scores, beside, terms, sums);
    }
}
