//! Stochastic gradient descent, on a whole table at every step.

use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::adam::{BELOW_ONE, BLOCK, LARGEST, check_len};
use crate::{Error, Result};

/// Settings of [`Sgd`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SgdOptions {
    /// Step size.
    pub learning_rate: f64,
    /// Share of the last step that the next one repeats, from 0 to 0.9999999.
    pub momentum: f64,
    /// L2 penalty: `weight_decay` times the parameter is added to its gradient.
    pub weight_decay: f64,
}

impl Default for SgdOptions {
    /// A learning rate of 1, no momentum, no weight decay. Gradients are means over a batch, so a
    /// row's is as small as its share of the batch.
    fn default() -> Self {
        SgdOptions {
            learning_rate: 1.0,
            momentum: 0.0,
            weight_decay: 0.0,
        }
    }
}

impl SgdOptions {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Domain`] for one outside its domain.
    pub fn validate(&self) -> Result<()> {
        for (parameter, value, most) in [
            ("learning_rate", self.learning_rate, LARGEST),
            ("momentum", self.momentum, BELOW_ONE),
            ("weight_decay", self.weight_decay, LARGEST),
        ] {
            if !(0.0..=most).contains(&value) {
                return Err(Error::Domain {
                    loss: "sgd",
                    parameter,
                    value: value.to_string(),
                    domain: format!("must be from 0 to {most:?}"),
                });
            }
        }
        Ok(())
    }

    /// The constants of a step.
    pub(super) fn constants(&self) -> Constants {
        Constants {
            rate: self.learning_rate as f32,
            momentum: self.momentum as f32,
            decay: self.weight_decay as f32,
            padding: 0,
        }
    }
}

/// The state for one table of parameters: v ← momentum·v + g, x ← x − rate·v, with the penalty's
/// gradient in g. Updates are dense: a row without a gradient still moves by momentum and decay.
#[derive(Clone, Debug, PartialEq)]
pub struct Sgd {
    options: SgdOptions,
    len: usize,
    /// v; empty without momentum.
    velocity: Vec<f32>,
}

/// One step's constants. Twin of the struct in `shaders/stages/sgd.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Constants {
    rate: f32,
    momentum: f32,
    decay: f32,
    padding: u32,
}

impl Sgd {
    /// The state before the first step, for `len` parameters.
    ///
    /// # Errors
    /// [`Error::Domain`] for settings outside their domain.
    pub fn new(len: usize, options: SgdOptions) -> Result<Self> {
        let moving = if options.momentum == 0.0 { 0 } else { len };
        Self::resume(len, options, vec![0.0; moving])
    }

    /// A state that was saved: the velocity, which is empty without momentum.
    ///
    /// # Errors
    /// [`Error::Domain`] for settings outside their domain, [`Error::Shape`] for a velocity of the
    /// wrong length.
    pub fn resume(len: usize, options: SgdOptions, velocity: Vec<f32>) -> Result<Self> {
        options.validate()?;
        let expected = if options.momentum == 0.0 { 0 } else { len };
        check_len("velocity", velocity.len(), expected)?;
        Ok(Sgd {
            options,
            len,
            velocity,
        })
    }

    /// The velocity; empty without momentum.
    pub fn velocity(&self) -> &[f32] {
        &self.velocity
    }

    /// Changes the learning rate of the steps to come.
    ///
    /// # Errors
    /// [`Error::Domain`] for a rate that is negative or not finite.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        let options = SgdOptions {
            learning_rate,
            ..self.options
        };
        options.validate()?;
        self.options = options;
        Ok(())
    }

    /// Takes one step: moves `parameters` against `gradient`.
    ///
    /// # Errors
    /// [`Error::Shape`] where a slice is not as long as the state; nothing is changed then.
    pub fn step(&mut self, parameters: &mut [f32], gradient: &[f32]) -> Result<()> {
        check_len("parameters", parameters.len(), self.len)?;
        check_len("gradient", gradient.len(), self.len)?;
        let c = self.options.constants();
        let blocks = parameters
            .par_chunks_mut(BLOCK)
            .zip(gradient.par_chunks(BLOCK));
        if self.velocity.is_empty() {
            blocks.for_each(|(parameters, gradient)| {
                for (parameter, &gradient) in parameters.iter_mut().zip(gradient) {
                    *parameter -= c.rate * (gradient + c.decay * *parameter);
                }
            });
            return Ok(());
        }
        let blocks = blocks.zip(self.velocity.par_chunks_mut(BLOCK));
        blocks.for_each(|((parameters, gradient), velocity)| {
            let moved = parameters.iter_mut().zip(gradient).zip(velocity);
            for ((parameter, &gradient), velocity) in moved {
                *velocity = c.momentum * *velocity + (gradient + c.decay * *parameter);
                *parameter -= c.rate * *velocity;
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PyTorch's rule in f64, step by step.
    fn oracle(options: SgdOptions, start: f64, gradients: &[f64]) -> f64 {
        let (mut x, mut v) = (start, 0.0);
        for gradient in gradients {
            v = options.momentum * v + gradient + options.weight_decay * x;
            x -= options.learning_rate * v;
        }
        x
    }

    #[test]
    fn steps_are_those_of_the_rule() {
        for (momentum, weight_decay) in [(0.0, 0.0), (0.0, 0.1), (0.9, 0.0), (0.5, 0.2)] {
            let options = SgdOptions {
                learning_rate: 0.3,
                momentum,
                weight_decay,
            };
            let len = BLOCK + 3;
            let mut parameters: Vec<f32> = (0..len).map(|n| (n % 7) as f32 - 3.0).collect();
            let gradients = [1.0, -0.5, 0.25, 0.0];
            let mut sgd = Sgd::new(len, options).unwrap();
            for gradient in gradients {
                sgd.step(&mut parameters, &vec![gradient as f32; len])
                    .unwrap();
            }
            for (n, &parameter) in parameters.iter().enumerate() {
                let expected = oracle(options, (n % 7) as f64 - 3.0, &gradients);
                let error = (f64::from(parameter) - expected).abs();
                assert!(error < 1e-6 * expected.abs().max(1.0), "{n}: {error}");
            }
        }
    }

    #[test]
    fn settings_outside_their_domain_and_wrong_lengths_are_named() {
        let bad = SgdOptions {
            momentum: 1.0,
            ..SgdOptions::default()
        };
        let error = Sgd::new(2, bad).unwrap_err().to_string();
        assert!(error.starts_with("sgd: momentum = 1"), "{error}");
        let mut sgd = Sgd::new(2, SgdOptions::default()).unwrap();
        assert!(sgd.set_learning_rate(f64::NAN).is_err());
        assert!(sgd.step(&mut [0.0; 3], &[0.0; 2]).is_err());
        assert!(Sgd::resume(2, SgdOptions::default(), vec![0.0; 2]).is_err());
    }
}
