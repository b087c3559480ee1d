//! The settings that the arguments of `wgloss train` ask for: what is given, or else what a preset
//! says, or else defaults.

use super::arguments::{Arguments, By, DrawBy, Method};
use crate::model::RankBy;
use wgloss::{
    DynLoss, Error, Result,
    loss::Renewal,
    train::{
        Adversary, BatchBy, Batching, Draw, Init, Negatives, Optimiser, Preset, Schedule, Settings,
        defaults,
    },
};

impl Arguments {
    /// The settings.
    pub fn settings(&self, loss: &dyn DynLoss, preset: Option<&Preset>) -> Result<Settings> {
        let optimiser = self.optimiser(loss, preset)?;
        // Presets are the published protocol, whatever the data.
        let brief = self.data.is_planted() && preset.is_none();
        let default = Settings::default();
        let init = self.init.or(preset.map(|preset| preset.init));
        Ok(Settings {
            epochs: self
                .epochs
                .unwrap_or(if brief { 5 } else { default.epochs }),
            batching: self.batching(brief),
            negatives: self.negatives(preset)?,
            optimiser,
            schedule: Schedule {
                warmup: self.warmup,
                decay: self.schedule,
            },
            init: Init {
                dim: self.dim,
                kind: init.unwrap_or_else(|| defaults::init(loss, &optimiser)),
            },
            adversary: self.adversary(loss, &optimiser)?,
            quantile_every: self.quantile_every(loss, preset)?,
            eval_every: (self.eval_every).unwrap_or(if brief { 1 } else { default.eval_every }),
            patience: self.patience,
            select_at: self
                .select_at
                .or(quantile(loss))
                .unwrap_or(default.select_at),
            rank_by: (self.rank_by.map(RankBy::score))
                .or(preset.and_then(|preset| preset.rank_by))
                .unwrap_or(default.rank_by),
            seed: self.seed,
        })
    }

    fn batching(&self, brief: bool) -> Batching {
        let by = match self.batch_by {
            Some(By::Interactions) => BatchBy::Interactions,
            Some(By::Users) => BatchBy::Users,
            // By interactions, one of its epochs takes minutes on a small machine.
            None if brief => BatchBy::Users,
            None => BatchBy::Interactions,
        };
        let size = match by {
            BatchBy::Interactions => Batching::PUBLISHED.size,
            BatchBy::Users => 128,
        };
        Batching {
            by,
            size: self.batch.unwrap_or(size),
        }
    }

    fn negatives(&self, preset: Option<&Preset>) -> Result<Negatives> {
        let draw = self.draw.map(|draw| match draw {
            DrawBy::Uniform => Draw::Uniform,
            DrawBy::Popularity => Draw::Popularity,
        });
        let log_q = self.log_q;
        let negatives = self.negatives.or(preset.map(|preset| preset.negatives));
        match negatives.unwrap_or_default() {
            Negatives::Shared { count, .. } => Ok(Negatives::Shared {
                count,
                draw: draw.unwrap_or_default(),
                log_q,
            }),
            other if draw.is_some() => misplaced("draw", "--negatives shared=COUNT", other),
            Negatives::InBatch { .. } => Ok(Negatives::InBatch { log_q }),
            other if log_q => misplaced("log-q", "--negatives in-batch or shared=COUNT", other),
            other => Ok(other),
        }
    }

    fn optimiser(&self, loss: &dyn DynLoss, preset: Option<&Preset>) -> Result<Optimiser> {
        let optimiser = match (self.optimiser, self.momentum) {
            (Method::Sgd, momentum) => defaults::sgd(loss, momentum.unwrap_or(0.0)),
            (Method::Adam, None) => match preset {
                Some(preset) => defaults::adam(loss)
                    .with_learning_rate(preset.learning_rate)
                    .with_weight_decay(preset.weight_decay),
                None => defaults::adam(loss),
            },
            (Method::Adam, Some(_)) => return misplaced("momentum", "--optimiser sgd", "adam"),
        };
        let optimiser = match self.wd {
            Some(decay) => optimiser.with_weight_decay(decay),
            None => optimiser,
        };
        Ok(optimiser.with_learning_rate(self.lr.unwrap_or(optimiser.learning_rate())))
    }

    /// IR-Benchmark gives the adversary the model's weight decay.
    fn adversary(&self, loss: &dyn DynLoss, model: &Optimiser) -> Result<Adversary> {
        let spec = loss.spec();
        let default = Adversary::default();
        let given = [
            ("adv-schedule", self.adv_schedule.is_some()),
            ("adv-lr", self.adv_lr.is_some()),
            ("adv-init", self.adv_init.is_some()),
        ];
        let has_one = spec.second.is_some_and(|tile| !tile.frozen);
        if let Some((flag, _)) = given.into_iter().find(|(_, given)| *given && !has_one) {
            return misplaced(flag, "losses with an adversary", spec.name);
        }
        let rate = self.adv_lr.unwrap_or(default.optimiser.learning_rate());
        Ok(Adversary {
            schedule: self.adv_schedule.unwrap_or(default.schedule),
            optimiser: (default.optimiser)
                .with_learning_rate(rate)
                .with_weight_decay(model.weight_decay()),
            init: self.adv_init.unwrap_or(default.init),
        })
    }

    fn quantile_every(&self, loss: &dyn DynLoss, preset: Option<&Preset>) -> Result<usize> {
        if self.quantile_every.is_some() && quantile(loss).is_none() {
            let losses = "losses that read users' K-th largest scores";
            return misplaced("quantile-every", losses, loss.spec().name);
        }
        let published = preset.and_then(|preset| preset.quantile_every);
        let every = self.quantile_every.or(published);
        Ok(every.unwrap_or(Settings::default().quantile_every))
    }
}

/// The K of the K-th largest score that a loss reads.
fn quantile(loss: &dyn DynLoss) -> Option<usize> {
    let mut parameters = loss.row_parameters().into_iter();
    parameters.find_map(|parameter| match parameter.renewal {
        Renewal::KthLargest(k) => Some(k),
        Renewal::Given | Renewal::Step => None,
    })
}

fn misplaced<T>(flag: &str, place: &str, actual: impl std::fmt::Display) -> Result<T> {
    Err(Error::Unsupported(format!(
        "--{flag} belongs to {place}, not to {actual}"
    )))
}
