//! An epoch's steps.

use std::time::{Duration, Instant};

use super::Trainer;
use crate::{
    Result,
    train::{Backend, Event, Moved, Settings, Times, adversary::Side, record::mean_loss},
};

/// Added to the number of an epoch for the adversary's own pass before the model's: its steps are
/// dealt in another order, with other negatives.
const BEFORE: u64 = 1 << 31;

impl<B: Backend> Trainer<'_, B> {
    /// Takes an epoch's steps; gives what they moved, the mean loss, and the learning rate of the
    /// last.
    pub(super) fn steps(
        &mut self,
        epoch: usize,
        times: &mut Times,
        observe: &mut dyn FnMut(Event<'_>),
    ) -> Result<(Moved, f64, f64)> {
        let second = self.backend.loss().spec().second;
        let moved = match second.is_some_and(|tile| !tile.frozen) {
            true => self.settings.adversary.schedule.moved(epoch),
            false => Moved::Model,
        };
        let dealt = epoch as u64;
        if moved == Moved::Both {
            // Progress is told of the model's steps alone.
            self.pass(epoch, dealt | BEFORE, Side::Adversary, times, &mut |_| {})?;
        }
        let side = match moved {
            Moved::Adversary => Side::Adversary,
            Moved::Model | Moved::Both => Side::Model,
        };
        let (loss, rate) = self.pass(epoch, dealt, side, times, observe)?;
        Ok((moved, loss, rate))
    }

    /// Takes the steps that number `dealt` deals; gives the mean loss, and the learning rate of the
    /// last step.
    fn pass(
        &mut self,
        epoch: usize,
        dealt: u64,
        side: Side,
        times: &mut Times,
        observe: &mut dyn FnMut(Event<'_>),
    ) -> Result<(f64, f64)> {
        let Settings {
            schedule,
            optimiser,
            adversary,
            epochs,
            ..
        } = self.settings;
        let full_rate = match side {
            Side::Model => optimiser.learning_rate(),
            Side::Adversary => adversary.optimiser.learning_rate(),
        };
        let start = Instant::now();
        let uploaded = self.backend.upload_time();
        let steps = self.dealer.steps();
        let mut in_steps = Duration::ZERO;
        let mut pairs = Vec::with_capacity(steps);
        let mut rate = 0.0;
        for step in self.dealer.epoch(dealt) {
            rate = full_rate * schedule.share(epoch, epochs, pairs.len(), steps);
            let before = Instant::now();
            match side {
                Side::Model => self.backend.step(&step, rate)?,
                Side::Adversary => self.backend.step_adversary(&step, rate)?,
            }
            in_steps += before.elapsed();
            pairs.push(step.pairs());
            observe(Event::Step {
                epoch,
                step: pairs.len(),
                steps,
            });
        }
        let before = Instant::now();
        let losses = self.backend.take_losses()?;
        in_steps += before.elapsed();
        let upload = self.backend.upload_time() - uploaded;
        times.upload += upload.as_secs_f64();
        times.steps += in_steps.saturating_sub(upload).as_secs_f64();
        times.sampling += (start.elapsed() - in_steps).as_secs_f64();
        Ok((mean_loss(&losses, &pairs)?, rate))
    }
}
