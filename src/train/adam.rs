//! The optimiser Adam (Kingma and Ba, 2015), on a whole table at every step.

use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Values that one task updates: four arrays of it stay in a core's own cache.
pub(super) const BLOCK: usize = 16_384;
/// The largest setting: far from where f32 ends, so that products with it stay finite.
pub(super) const LARGEST: f64 = 1e30;
/// The largest β. One closer to 1 would be 1 in f32, and the mean would never change.
pub(super) const BELOW_ONE: f64 = 0.999_999_9;

/// Settings of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdamOptions {
    /// Step size; may be changed between steps.
    pub learning_rate: f64,
    /// Decay of the mean of the gradients, from 0 to 0.9999999.
    pub beta1: f64,
    /// Decay of the mean of their squares, from 0 to 0.9999999.
    pub beta2: f64,
    /// Added to the root of the mean square, above 0.
    pub epsilon: f64,
    /// L2 penalty: `weight_decay` times the parameter is added to its gradient.
    pub weight_decay: f64,
}

impl Default for AdamOptions {
    /// β of 0.9 and 0.999, ε of 1e-8, no weight decay, and a learning rate of 0.1, which
    /// IR-Benchmark's protocol finds best for cosine losses on N(0, 1) embeddings.
    fn default() -> Self {
        Self {
            learning_rate: 0.1,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

impl AdamOptions {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Domain`] for one outside its domain.
    pub fn validate(&self) -> Result<()> {
        // ε is used in f32, where a smaller normal number does not exist.
        let positive = f64::from(f32::MIN_POSITIVE)..=LARGEST;
        let rates = 0.0..=LARGEST;
        let decays = 0.0..=BELOW_ONE;
        let rules = [
            ("learning_rate", self.learning_rate, &rates),
            ("beta1", self.beta1, &decays),
            ("beta2", self.beta2, &decays),
            ("epsilon", self.epsilon, &positive),
            ("weight_decay", self.weight_decay, &rates),
        ];
        let broken = rules
            .into_iter()
            .find(|(_, value, domain)| !domain.contains(value));
        match broken {
            None => Ok(()),
            Some((parameter, value, domain)) => Err(Error::Domain {
                loss: "adam",
                parameter,
                value: value.to_string(),
                domain: format!("must be from {:?} to {:?}", domain.start(), domain.end()),
            }),
        }
    }

    /// The constants of step number `steps`, from 1.
    pub(super) fn constants(&self, steps: u64) -> Constants {
        // Beyond 2³¹ steps both powers are 0 for any β below 1 that matters.
        let steps = i32::try_from(steps).unwrap_or(i32::MAX);
        let correction1 = 1.0 - self.beta1.powi(steps);
        let correction2 = 1.0 - self.beta2.powi(steps);
        Constants {
            decay: self.weight_decay as f32,
            beta1: self.beta1 as f32,
            rest1: (1.0 - self.beta1) as f32,
            beta2: self.beta2 as f32,
            rest2: (1.0 - self.beta2) as f32,
            rate: (self.learning_rate / correction1) as f32,
            scale: (1.0 / correction2.sqrt()) as f32,
            epsilon: self.epsilon as f32,
        }
    }
}

/// Adam's state for one table of parameters. Updates are dense: a row without a gradient still
/// moves by its momentum and decay, as in the protocols that published figures come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Adam {
    options: AdamOptions,
    steps: u64,
    mean: Vec<f32>,
    square: Vec<f32>,
}

/// One step's constants, in f32 after their corrections were taken in f64. Twin of the struct in
/// `shaders/stages/adam.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct Constants {
    pub(super) decay: f32,
    pub(super) beta1: f32,
    pub(super) rest1: f32,
    pub(super) beta2: f32,
    pub(super) rest2: f32,
    /// Learning rate over the bias correction of the mean.
    pub(super) rate: f32,
    /// One over the root of the bias correction of the mean square.
    pub(super) scale: f32,
    pub(super) epsilon: f32,
}

impl Adam {
    /// The state before the first step, for `len` parameters.
    ///
    /// # Errors
    /// [`Error::Domain`] for settings outside their domain.
    pub fn new(len: usize, options: AdamOptions) -> Result<Self> {
        Self::resume(options, 0, vec![0.0; len], vec![0.0; len])
    }

    /// A state that was saved after `steps` steps: the means of the gradients and of their squares.
    ///
    /// # Errors
    /// [`Error::Domain`] for settings outside their domain, [`Error::Shape`] for means of different
    /// lengths.
    pub fn resume(
        options: AdamOptions,
        steps: u64,
        mean: Vec<f32>,
        square: Vec<f32>,
    ) -> Result<Self> {
        options.validate()?;
        check_len("square", square.len(), mean.len())?;
        Ok(Self {
            options,
            steps,
            mean,
            square,
        })
    }

    /// The settings.
    pub fn options(&self) -> AdamOptions {
        self.options
    }

    /// Changes the learning rate of the steps to come.
    ///
    /// # Errors
    /// [`Error::Domain`] for a rate that is negative or not finite.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        let options = AdamOptions {
            learning_rate,
            ..self.options
        };
        options.validate()?;
        self.options = options;
        Ok(())
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The means of the gradients and of their squares, without bias correction.
    pub fn moments(&self) -> (&[f32], &[f32]) {
        (&self.mean, &self.square)
    }

    /// Takes one step: moves `parameters` against `gradient`. A gradient that is not finite makes
    /// its parameter so: callers watch the loss.
    ///
    /// # Errors
    /// [`Error::Shape`] where a slice is not as long as the state; nothing is changed then.
    pub fn step(&mut self, parameters: &mut [f32], gradient: &[f32]) -> Result<()> {
        check_len("parameters", parameters.len(), self.mean.len())?;
        check_len("gradient", gradient.len(), self.mean.len())?;
        self.steps += 1;
        let constants = self.options.constants(self.steps);
        // Each value is updated on its own, so the blocks' order does not reach the bits.
        parameters
            .par_chunks_mut(BLOCK)
            .zip(gradient.par_chunks(BLOCK))
            .zip(self.mean.par_chunks_mut(BLOCK))
            .zip(self.square.par_chunks_mut(BLOCK))
            .for_each(|(((parameters, gradient), mean), square)| {
                update(constants, parameters, gradient, mean, square);
            });
        Ok(())
    }
}

/// The step on one block. Zipped slices and no branch, so that it compiles to vector code.
fn update(
    constants: Constants,
    parameters: &mut [f32],
    gradient: &[f32],
    mean: &mut [f32],
    square: &mut [f32],
) {
    let c = constants;
    let state = mean.iter_mut().zip(square);
    for ((parameter, &gradient), (mean, square)) in parameters.iter_mut().zip(gradient).zip(state) {
        let gradient = gradient + c.decay * *parameter;
        *mean = c.beta1 * *mean + c.rest1 * gradient;
        *square = c.beta2 * *square + c.rest2 * gradient * gradient;
        *parameter -= c.rate * *mean / (square.sqrt() * c.scale + c.epsilon);
    }
}

pub(super) fn check_len(argument: &'static str, actual: usize, expected: usize) -> Result<()> {
    if actual == expected {
        return Ok(());
    }
    Err(Error::Shape {
        argument,
        expected: format!("{expected} values"),
        actual: actual.to_string(),
    })
}
