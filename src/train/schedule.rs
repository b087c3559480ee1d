//! Learning-rate schedules: [`Schedule`].

use std::{f64::consts::PI, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How the learning rate changes while training goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schedule {
    /// Epochs in which the rate rises linearly, step by step, before the decay begins.
    pub warmup: usize,
    /// What it does after that.
    pub decay: Decay,
}

/// What the learning rate does after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// It stays.
    #[default]
    Constant,
    /// It falls along a line, step by step, towards 0 after the last epoch.
    Linear,
    /// It falls along half a cosine wave, step by step, towards 0 after the last epoch.
    Cosine,
    /// It is multiplied by a factor after every so many epochs.
    Step {
        /// Epochs from one fall to the next.
        every: usize,
        /// The factor, from 0 to 1.
        factor: f64,
    },
    /// It is multiplied by a factor after every epoch.
    Exponential {
        /// The factor, from 0 to 1.
        factor: f64,
    },
}

impl Schedule {
    /// The share of the learning rate that a step is taken with: step `step` of `steps`, from 0,
    /// of epoch `epoch` of `epochs`, from 1.
    pub fn share(&self, epoch: usize, epochs: usize, step: usize, steps: usize) -> f64 {
        let within = step as f64 / steps.max(1) as f64;
        let before = epoch - 1;
        if before < self.warmup {
            // The first step's rate is not 0: it would move nothing.
            let taken = before as f64 + (step as f64 + 1.0) / steps.max(1) as f64;
            return taken / self.warmup as f64;
        }
        let past = before - self.warmup;
        let all = epochs.saturating_sub(self.warmup).max(1) as f64;
        let progress = ((past as f64 + within) / all).min(1.0);
        let power = |times: usize| i32::try_from(times).unwrap_or(i32::MAX);
        match self.decay {
            Decay::Constant => 1.0,
            Decay::Linear => 1.0 - progress,
            Decay::Cosine => (1.0 + (PI * progress).cos()) / 2.0,
            Decay::Step { every, factor } => factor.powi(power(past / every.max(1))),
            Decay::Exponential { factor } => factor.powi(power(past)),
        }
    }

    /// Whether rates depend on the number of epochs, so that a run cannot be made longer.
    pub fn has_end(&self) -> bool {
        matches!(self.decay, Decay::Linear | Decay::Cosine)
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Domain`] for a factor outside 0 to 1, or no epochs between two falls.
    pub fn validate(&self) -> Result<()> {
        let (every, factor) = match self.decay {
            Decay::Step { every, factor } => (every, factor),
            Decay::Exponential { factor } => (1, factor),
            _ => return Ok(()),
        };
        if every > 0 && (0.0..=1.0).contains(&factor) {
            return Ok(());
        }
        Err(Error::Domain {
            loss: "training",
            parameter: "schedule",
            value: self.decay.to_string(),
            domain: "the factor must be from 0 to 1, the number of epochs at least 1".into(),
        })
    }
}

impl fmt::Display for Decay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Decay::Constant => write!(f, "constant"),
            Decay::Linear => write!(f, "linear"),
            Decay::Cosine => write!(f, "cosine"),
            Decay::Step { every, factor } => write!(f, "step={every}:{factor}"),
            Decay::Exponential { factor } => write!(f, "exponential={factor}"),
        }
    }
}

impl FromStr for Decay {
    type Err = Error;

    /// `constant`, `linear`, `cosine`, `step=EPOCHS:FACTOR` or `exponential=FACTOR`.
    fn from_str(text: &str) -> Result<Self> {
        let two = |numbers: &str| {
            let (every, factor) = numbers.split_once(':')?;
            Some((every.parse().ok()?, factor.parse().ok()?))
        };
        let decay = match text.split_once('=') {
            None if text == "constant" => Some(Decay::Constant),
            None if text == "linear" => Some(Decay::Linear),
            None if text == "cosine" => Some(Decay::Cosine),
            Some(("step", numbers)) => {
                two(numbers).map(|(every, factor)| Decay::Step { every, factor })
            }
            Some(("exponential", factor)) => {
                (factor.parse().ok()).map(|factor| Decay::Exponential { factor })
            }
            _ => None,
        };
        let decay = decay.ok_or_else(|| Error::Unknown {
            what: "schedule".into(),
            kind: "choice",
            name: text.into(),
            valid: "constant, linear, cosine, step=EPOCHS:FACTOR, exponential=FACTOR".into(),
        })?;
        Schedule { warmup: 0, decay }.validate()?;
        Ok(decay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(warmup: usize, decay: &str) -> Vec<f64> {
        let decay = decay.parse().unwrap();
        let schedule = Schedule { warmup, decay };
        let steps = (1..=4).flat_map(|epoch| [(epoch, 0), (epoch, 1)]);
        steps
            .map(|(epoch, step)| schedule.share(epoch, 4, step, 2))
            .collect()
    }

    fn close(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        assert!(
            a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12),
            "{a:?} {b:?}"
        );
    }

    #[test]
    fn shares_follow_the_schedule() {
        close(&shares(0, "constant"), &[1.0; 8]);
        let linear: Vec<f64> = (0..8).map(|step| 1.0 - f64::from(step) / 8.0).collect();
        close(&shares(0, "linear"), &linear);
        let cosine = |step: f64| (1.0 + (PI * step / 8.0).cos()) / 2.0;
        let expected: Vec<f64> = (0..8).map(|step| cosine(step.into())).collect();
        close(&shares(0, "cosine"), &expected);
        let step = [1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.1];
        close(&shares(0, "step=2:0.1"), &step);
        let falling = [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125];
        close(&shares(0, "exponential=0.5"), &falling);
        let warm = [0.25, 0.5, 0.75, 1.0, 1.0, 0.75, 0.5, 0.25];
        close(&shares(2, "linear"), &warm);
    }

    #[test]
    fn texts_are_read_and_written() {
        for text in [
            "constant",
            "linear",
            "cosine",
            "step=30:0.1",
            "exponential=0.99",
        ] {
            let decay: Decay = text.parse().unwrap();
            assert_eq!(decay.to_string(), text);
        }
        for text in [
            "",
            "step",
            "step=0:0.1",
            "step=3",
            "exponential=2",
            "exponential=NaN",
            "cos",
        ] {
            assert!(text.parse::<Decay>().is_err(), "{text}");
        }
    }
}
