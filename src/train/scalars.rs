//! The scalars of a loss at work in memory: [`ScalarMover`].

use super::{AdamOptions, LossState, Moments, Optimiser, SgdOptions};
use crate::{
    DynLoss, Error, Output, Result,
    loss::{Parameters, Scalar, constants},
};

/// The scalars θ of a loss with what moves them, in f64: the rule of the tables' optimiser at each
/// scalar's share of the learning rate, then the loss's bounds. A scalar with a negative share
/// ascends; weight decay shrinks it all the same.
#[derive(Clone, Debug)]
pub(super) struct ScalarMover<'a> {
    loss: &'a dyn DynLoss,
    scalars: Vec<Scalar>,
    optimiser: Optimiser,
    values: Vec<f64>,
    moments: Moments<f64>,
}

impl<'a> ScalarMover<'a> {
    /// Goes on from `state`, which was checked.
    pub(super) fn new(loss: &'a dyn DynLoss, optimiser: Optimiser, state: &LossState) -> Self {
        ScalarMover {
            loss,
            scalars: loss.scalars(),
            optimiser,
            values: state.scalars.clone(),
            moments: state.scalar_moments.clone(),
        }
    }

    /// θ.
    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }

    /// What the optimiser remembers.
    pub(super) fn moments(&self) -> &Moments<f64> {
        &self.moments
    }

    /// What an evaluation makes of θ: a step against the gradient at the tables' learning rate, or what
    /// it renewed θ to, where that is state.
    pub(super) fn step(&mut self, rate: f64, output: &Output<f32>) -> Result<()> {
        if let Some(after) = &output.theta_after {
            self.values = after.iter().copied().map(f64::from).collect();
            return Ok(());
        }
        let gradient = &output.grad_theta;
        if self.values.is_empty() {
            return Ok(());
        }
        if let Some(at) = gradient.iter().position(|slope| !slope.is_finite()) {
            return Err(Error::NotFinite {
                argument: "grad_theta",
                at,
                value: gradient[at].into(),
            });
        }
        self.moments.steps += 1;
        let steps = i32::try_from(self.moments.steps).unwrap_or(i32::MAX);
        for (k, slope) in gradient.iter().enumerate() {
            let share = self.scalars[k].rate;
            let slope = f64::from(*slope) * sign(share);
            let rate = rate * share.abs();
            let lists = self.moments.lists.iter_mut().map(|list| &mut list[k]);
            let value = &mut self.values[k];
            match &self.optimiser {
                Optimiser::Adam(options) => adam(options, steps, rate, value, slope, lists),
                Optimiser::Sgd(options) => descend(options, rate, value, slope, lists),
            }
        }
        bound(self.loss, &mut self.values)
    }
}

/// −1 for a scalar that ascends.
pub(super) fn sign(share: f64) -> f64 {
    if share < 0.0 { -1.0 } else { 1.0 }
}

/// Brings θ into the loss's bounds, in order: a bound may depend on the scalars before it.
fn bound(loss: &dyn DynLoss, theta: &mut [f64]) -> Result<()> {
    let mut parameters = Parameters::<f64>::default();
    for (to, from) in parameters.constants.iter_mut().zip(constants(loss)?) {
        *to = from;
    }
    parameters.theta[..theta.len()].copy_from_slice(theta);
    for (k, value) in theta.iter_mut().enumerate() {
        let [least, most] = loss.double().theta_bounds(k, &parameters);
        *value = value.max(least).min(most);
        parameters.theta[k] = *value;
    }
    Ok(())
}

/// Adam on one number; the formulas are those of `update` in `adam.rs`.
fn adam<'a>(
    options: &AdamOptions,
    steps: i32,
    rate: f64,
    value: &mut f64,
    slope: f64,
    mut lists: impl Iterator<Item = &'a mut f64>,
) {
    let (Some(mean), Some(square)) = (lists.next(), lists.next()) else {
        return;
    };
    let &AdamOptions { beta1, beta2, .. } = options;
    let slope = slope + options.weight_decay * *value;
    *mean = beta1 * *mean + (1.0 - beta1) * slope;
    *square = beta2 * *square + (1.0 - beta2) * slope * slope;
    let mean = *mean / (1.0 - beta1.powi(steps));
    let square = *square / (1.0 - beta2.powi(steps));
    *value -= rate * mean / (square.sqrt() + options.epsilon);
}

/// Gradient descent on one number, as in `sgd.rs`.
fn descend<'a>(
    options: &SgdOptions,
    rate: f64,
    value: &mut f64,
    slope: f64,
    mut lists: impl Iterator<Item = &'a mut f64>,
) {
    let mut step = slope + options.weight_decay * *value;
    if let Some(velocity) = lists.next() {
        *velocity = options.momentum * *velocity + step;
        step = *velocity;
    }
    *value -= rate * step;
}
