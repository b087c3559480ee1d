//! The arguments of `wgloss train`.

use super::loss::LossArguments;
use crate::{
    data::{DataArguments, planted},
    device::DeviceArguments,
    model::RankBy,
    protocol::ProtocolArguments,
};
use clap::ValueEnum;
use std::path::PathBuf;
use wgloss::{
    AnyLoss, Result,
    train::{
        AdversarySchedule, Dataset, Decay, Folds, InitKind, Negatives, Preset, presets, read::Read,
    },
};

/// Train matrix factorisation on implicit feedback with any loss.
///
/// Without --data it trains on a built-in planted data set. Of the epochs that were validated, the
/// best (NDCG@20, see --select-at) is measured on the test data, beside recommending what is popular.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub loss: LossArguments,
    /// Published settings for the loss, PAPER/DATASET (see `wgloss losses --presets`); what else is
    /// given overrides them
    #[arg(long, value_name = "NAME")]
    pub(super) preset: Option<String>,
    #[command(flatten)]
    pub device: DeviceArguments,
    #[command(flatten)]
    pub(super) data: DataArguments,
    /// What positives are compared with: full, sampled=COUNT per row, in-batch, shared=COUNT per
    /// batch [default: full]
    #[arg(long, value_name = "WHICH")]
    pub(super) negatives: Option<Negatives>,
    /// What shared negatives are drawn from [default: uniform]
    #[arg(long, value_enum, value_name = "HOW")]
    pub(super) draw: Option<DrawBy>,
    /// Correct in-batch and shared negatives for their probability of being drawn
    #[arg(long)]
    pub(super) log_q: bool,
    /// The optimiser
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    pub(super) optimiser: Method,
    /// Its learning rate [default: by loss and optimiser, 0.1 for cosines under adam]
    #[arg(long, allow_negative_numbers = true)]
    pub(super) lr: Option<f64>,
    /// Weight decay, as an L2 penalty [default: 0, for inner products under adam 1e-4]
    #[arg(long, allow_negative_numbers = true)]
    pub(super) wd: Option<f64>,
    /// Momentum of sgd
    #[arg(long, allow_negative_numbers = true)]
    pub(super) momentum: Option<f64>,
    /// How the learning rate falls: constant, linear, cosine, step=EPOCHS:FACTOR,
    /// exponential=FACTOR
    #[arg(long, default_value_t, value_name = "HOW")]
    pub(super) schedule: Decay,
    /// Epochs in which the learning rate rises first
    #[arg(long, default_value_t = 0, value_name = "EPOCHS")]
    pub(super) warmup: usize,
    /// Epochs [default: 200, without --data 5]
    #[arg(long)]
    pub(super) epochs: Option<usize>,
    /// Interactions, or users, per batch [default: 1024 interactions or 128 users]
    #[arg(long, value_name = "N")]
    pub(super) batch: Option<usize>,
    /// What a batch is a batch of [default: interactions, without --data users]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(super) batch_by: Option<By>,
    /// Width of the embeddings
    #[arg(long, default_value_t = 64)]
    pub(super) dim: usize,
    /// Standard deviation of the initial embeddings, or xavier for that of each table's size
    /// [default: 1 for cosines under adam, else 0.1]
    #[arg(long, value_name = "DEVIATION", allow_negative_numbers = true)]
    pub(super) init: Option<InitKind>,
    /// In which epochs a loss's adversary moves: replace=EVERY in the model's place, or
    /// before=EVERY:TIMES before the model [default: replace=5]
    #[arg(long, value_name = "HOW")]
    pub(super) adv_schedule: Option<AdversarySchedule>,
    /// The adversary's learning rate, under adam [default: 5e-5]
    #[arg(long, allow_negative_numbers = true)]
    pub(super) adv_lr: Option<f64>,
    /// The adversary's initial embeddings, as --init [default: 1]
    #[arg(long, value_name = "DEVIATION", allow_negative_numbers = true)]
    pub(super) adv_init: Option<InitKind>,
    /// Epochs from one renewal of the users' K-th largest scores to the next, for losses that read
    /// them [default: 20]
    #[arg(long, value_name = "N")]
    pub(super) quantile_every: Option<usize>,
    /// Folder of a saved model that stays as it is, for losses that compare with a reference
    /// [default: the initial embeddings]
    #[arg(long, value_name = "DIR")]
    pub reference: Option<PathBuf>,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// Train on all training data, and keep the last epoch
    #[arg(long)]
    pub(super) no_validation: bool,
    /// Epochs from one validation, and checkpoint, to the next [default: 5, without --data 1]
    #[arg(long, value_name = "N")]
    pub(super) eval_every: Option<usize>,
    /// End after so many validations in a row that were no better
    #[arg(long, value_name = "N")]
    pub(super) patience: Option<usize>,
    /// The K of the NDCG@K that the best epoch has most of [default: the loss's own K, or else 20]
    #[arg(long, value_name = "K")]
    pub(super) select_at: Option<usize>,
    /// What to rank items by, whatever the loss compares embeddings by [default: dot, or as the preset
    /// says]
    #[arg(long, value_enum, value_name = "SCORE")]
    pub(super) rank_by: Option<RankBy>,
    #[command(flatten)]
    pub protocol: ProtocolArguments,
    /// Folder for embeddings, report and checkpoints
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on from the checkpoint in the folder of --out, if there is one
    #[arg(long, requires = "out")]
    pub resume: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum By {
    /// Interactions: the published protocol
    Interactions,
    /// Users with all their items: an epoch computes each user's scores once
    Users,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum DrawBy {
    /// All items alike
    Uniform,
    /// In proportion to their training interactions
    Popularity,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
pub(super) enum Method {
    /// Adam, on the whole tables
    #[default]
    Adam,
    /// Gradient descent
    Sgd,
}

impl Arguments {
    /// The published settings that were asked for, and the loss.
    pub fn loss(&self) -> Result<(Option<Preset>, AnyLoss)> {
        let name = self.loss.name()?;
        let preset = (self.preset.as_deref())
            .map(|preset| presets::find(name, preset))
            .transpose()?;
        let loss = self.loss.loss(preset.as_ref())?;
        Ok((preset, loss))
    }

    /// Name and content of the data.
    pub fn read(&self) -> Result<(String, Read)> {
        match self.data.source(self.seed) {
            Some(source) => Ok((source.path.display().to_string(), source.read()?)),
            None => Ok(("planted data".into(), planted()?)),
        }
    }

    /// The parts of the data.
    pub fn folds(&self, data: &Dataset) -> Result<Folds> {
        match self.no_validation {
            true => Folds::without_validation(data),
            false => Folds::new(data, self.seed),
        }
    }
}
