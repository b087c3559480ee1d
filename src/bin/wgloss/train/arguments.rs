//! The arguments of `wgloss train`, and the settings that they ask for.

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
    DynLoss, Error, Result,
    train::{
        BatchBy, Batching, Dataset, Decay, Draw, Folds, Init, InitKind, Negatives, Optimiser,
        Schedule, Settings, defaults, read::Read,
    },
};

/// Train matrix factorisation on implicit feedback with any loss.
///
/// Without --data it trains on a built-in planted data set. Of the epochs that were validated, the
/// best (NDCG@20) is measured on the test data, beside recommending what is popular.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub loss: LossArguments,
    #[command(flatten)]
    pub device: DeviceArguments,
    #[command(flatten)]
    data: DataArguments,
    /// What positives are compared with: full, sampled=COUNT per row, in-batch, shared=COUNT per
    /// batch
    #[arg(long, default_value_t, value_name = "WHICH")]
    negatives: Negatives,
    /// What shared negatives are drawn from [default: uniform]
    #[arg(long, value_enum, value_name = "HOW")]
    draw: Option<DrawBy>,
    /// Correct in-batch and shared negatives for their probability of being drawn
    #[arg(long)]
    log_q: bool,
    /// The optimiser
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    optimiser: Method,
    /// Its learning rate [default: by loss and optimiser, 0.1 for cosines under adam]
    #[arg(long, allow_negative_numbers = true)]
    lr: Option<f64>,
    /// Weight decay, as an L2 penalty [default: 0, for inner products under adam 1e-4]
    #[arg(long, allow_negative_numbers = true)]
    wd: Option<f64>,
    /// Momentum of sgd
    #[arg(long, allow_negative_numbers = true)]
    momentum: Option<f64>,
    /// How the learning rate falls: constant, linear, cosine, step=EPOCHS:FACTOR,
    /// exponential=FACTOR
    #[arg(long, default_value_t, value_name = "HOW")]
    schedule: Decay,
    /// Epochs in which the learning rate rises first
    #[arg(long, default_value_t = 0, value_name = "EPOCHS")]
    warmup: usize,
    /// Epochs [default: 200, without --data 5]
    #[arg(long)]
    epochs: Option<usize>,
    /// Interactions, or users, per batch [default: 1024 interactions or 128 users]
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// What a batch is a batch of [default: interactions, without --data users]
    #[arg(long, value_enum, value_name = "WHAT")]
    batch_by: Option<By>,
    /// Width of the embeddings
    #[arg(long, default_value_t = 64)]
    dim: usize,
    /// Standard deviation of the initial embeddings, or xavier for that of each table's size
    /// [default: 1 for cosines under adam, else 0.1]
    #[arg(long, value_name = "DEVIATION", allow_negative_numbers = true)]
    init: Option<InitKind>,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Train on all training data, and keep the last epoch
    #[arg(long)]
    no_validation: bool,
    /// Epochs from one validation, and checkpoint, to the next [default: 5, without --data 1]
    #[arg(long, value_name = "N")]
    eval_every: Option<usize>,
    /// End after so many validations in a row that were no better
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    /// What to rank items by, whatever the loss compares embeddings by
    #[arg(long, value_enum, default_value_t = RankBy::Dot, value_name = "SCORE")]
    rank_by: RankBy,
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
enum By {
    /// Interactions: the published protocol
    Interactions,
    /// Users with all their items: an epoch computes each user's scores once
    Users,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DrawBy {
    /// All items alike
    Uniform,
    /// In proportion to their training interactions
    Popularity,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
enum Method {
    /// Adam, on the whole tables
    #[default]
    Adam,
    /// Gradient descent
    Sgd,
}

impl Arguments {
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

    /// The settings.
    pub fn settings(&self, loss: &dyn DynLoss) -> Result<Settings> {
        let optimiser = self.optimiser(loss)?;
        let planted = self.data.is_planted();
        let by = match self.batch_by {
            Some(By::Interactions) => BatchBy::Interactions,
            Some(By::Users) => BatchBy::Users,
            // By interactions, one of its epochs takes minutes on a small machine.
            None if planted => BatchBy::Users,
            None => BatchBy::Interactions,
        };
        let size = match by {
            BatchBy::Interactions => 1024,
            BatchBy::Users => 128,
        };
        Ok(Settings {
            epochs: self.epochs.unwrap_or(if planted { 5 } else { 200 }),
            batching: Batching {
                by,
                size: self.batch.unwrap_or(size),
            },
            negatives: self.negatives()?,
            optimiser,
            schedule: Schedule {
                warmup: self.warmup,
                decay: self.schedule,
            },
            init: Init {
                dim: self.dim,
                kind: (self.init).unwrap_or_else(|| defaults::init(loss, &optimiser)),
            },
            eval_every: self.eval_every.unwrap_or(if planted { 1 } else { 5 }),
            patience: self.patience,
            rank_by: self.rank_by.score(),
            seed: self.seed,
            ..Settings::default()
        })
    }

    fn negatives(&self) -> Result<Negatives> {
        let draw = self.draw.map(|draw| match draw {
            DrawBy::Uniform => Draw::Uniform,
            DrawBy::Popularity => Draw::Popularity,
        });
        let log_q = self.log_q;
        match self.negatives {
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

    fn optimiser(&self, loss: &dyn DynLoss) -> Result<Optimiser> {
        let optimiser = match (self.optimiser, self.momentum) {
            (Method::Sgd, momentum) => defaults::sgd(loss, momentum.unwrap_or(0.0)),
            (Method::Adam, None) => defaults::adam(loss),
            (Method::Adam, Some(_)) => return misplaced("momentum", "--optimiser sgd", "adam"),
        };
        let optimiser = match self.wd {
            Some(decay) => optimiser.with_weight_decay(decay),
            None => optimiser,
        };
        Ok(optimiser.with_learning_rate(self.lr.unwrap_or(optimiser.learning_rate())))
    }
}

fn misplaced<T>(flag: &str, place: &str, actual: impl std::fmt::Display) -> Result<T> {
    Err(Error::Unsupported(format!(
        "--{flag} belongs to {place}, not to {actual}"
    )))
}
