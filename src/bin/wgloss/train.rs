//! `wgloss train`: matrix factorisation on implicit feedback.

mod loss;
mod progress;
mod report;
mod saved;

use crate::{Outcome, device::DeviceArguments, ks::ks, losses::parameters_of, screen::Screen};
use clap::ValueEnum;
use loss::LossArguments;
use progress::Progress;
use report::{Data, Report, table};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    time::Instant,
};
use wgloss::{
    AnyLoss, Device, Error, Result,
    loss::Score,
    train::{
        AdamOptions, Backend, BatchBy, Batching, CpuBackend, Dataset, Folds, GpuBackend, Init,
        Metrics, Planted, Settings, Trainer, ir_benchmark,
    },
};

/// Train matrix factorisation on implicit feedback with any loss.
///
/// Without --data it trains on a built-in planted data set. Of the epochs that were validated, the
/// best (NDCG@20) is measured on the test data, beside recommending what is popular.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    loss: LossArguments,
    #[command(flatten)]
    device: DeviceArguments,
    /// Folder with train.tsv and test.tsv, lines of `user<TAB>item` under a header
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Adam's learning rate
    #[arg(long, default_value_t = 0.1, allow_negative_numbers = true)]
    lr: f64,
    /// Weight decay, as an L2 penalty
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    wd: f64,
    /// Epochs [default: 200, without --data 5]
    #[arg(long)]
    epochs: Option<usize>,
    /// Interactions, or users, per batch [default: 1024 interactions or 256 users]
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// What a batch is a batch of [default: interactions, without --data users]
    #[arg(long, value_enum, value_name = "WHAT")]
    batch_by: Option<By>,
    /// Which items a user's items are compared with
    #[arg(long, value_enum, default_value_t = Negatives::Full)]
    negatives: Negatives,
    /// Width of the embeddings
    #[arg(long, default_value_t = 64)]
    dim: usize,
    /// Standard deviation of the initial embeddings
    #[arg(long, default_value_t = 1.0, value_name = "DEVIATION")]
    init: f64,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Epochs from one validation to the next [default: 5, without --data 1]
    #[arg(long, value_name = "N")]
    eval_every: Option<usize>,
    /// Rank items by cosine instead of the dot product
    #[arg(long)]
    norm: bool,
    /// The Ks of the metrics on the test data [default: 5,20,50 as far as there are so many items]
    #[arg(long, value_delimiter = ',')]
    k: Option<Vec<usize>>,
    /// Folder for embeddings.safetensors and report.json
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum By {
    /// Interactions: the published protocol
    Interactions,
    /// Users with all their items: an epoch computes each user's scores once
    Users,
}

#[derive(Clone, Copy, ValueEnum)]
enum Negatives {
    /// The whole catalogue but the user's training items
    Full,
}

/// Runs the command.
pub fn run(arguments: &Arguments, screen: &mut Screen) -> Outcome {
    // What is wrong with the arguments is told before the data takes its time.
    let loss = arguments.loss.loss()?;
    let engine = arguments.device.engine()?;
    if engine.device() == Device::Reference {
        return Err(Error::Unsupported(
            "train: device `reference` is for comparisons; take auto, gpu or cpu".into(),
        ));
    }
    if let Some(out) = &arguments.out {
        saved::prepare(out)?;
    }
    let (name, data) = arguments.read()?;
    let settings = arguments.settings();
    let folds = Folds::new(&data, settings.seed)?;
    let data = Data::new(name, &folds);
    let start = settings.start(loss.as_dyn(), &folds)?;
    let run = Run {
        arguments,
        loss: &loss,
        folds: &folds,
        device: engine.describe(),
    };
    match engine.context() {
        Some(context) => run.train(data, settings, GpuBackend::new(context, start)?, screen),
        None => run.train(data, settings, CpuBackend::new(start)?, screen),
    }
}

impl Arguments {
    fn read(&self) -> Result<(String, Dataset)> {
        match &self.data {
            Some(folder) => Ok((folder.display().to_string(), ir_benchmark::read(folder)?)),
            None => Ok(("planted data".into(), Planted::default().generate()?)),
        }
    }

    fn settings(&self) -> Settings {
        let planted = self.data.is_none();
        let by = match self.batch_by {
            Some(By::Interactions) => BatchBy::Interactions,
            Some(By::Users) => BatchBy::Users,
            // By interactions, one of its epochs takes minutes on a small machine.
            None if planted => BatchBy::Users,
            None => BatchBy::Interactions,
        };
        let size = match by {
            BatchBy::Interactions => 1024,
            BatchBy::Users => 256,
        };
        Settings {
            epochs: self.epochs.unwrap_or(if planted { 5 } else { 200 }),
            batching: Batching {
                by,
                size: self.batch.unwrap_or(size),
            },
            adam: AdamOptions {
                learning_rate: self.lr,
                weight_decay: self.wd,
                ..AdamOptions::default()
            },
            init: Init {
                dim: self.dim,
                deviation: self.init,
            },
            eval_every: self.eval_every.unwrap_or(if planted { 1 } else { 5 }),
            rank_by: if self.norm { Score::Cosine } else { Score::Dot },
            seed: self.seed,
            ..Settings::default()
        }
    }
}

/// A run that is about to start.
struct Run<'a> {
    arguments: &'a Arguments,
    loss: &'a AnyLoss,
    folds: &'a Folds,
    device: String,
}

impl Run<'_> {
    fn train<B: Backend>(
        &self,
        data: Data,
        settings: Settings,
        backend: B,
        screen: &mut Screen,
    ) -> Outcome {
        let mut trainer = Trainer::new(self.folds, settings, backend)?;
        let start = Instant::now();
        // Also checks every K before the work.
        let popularity = self.folds.popularity(&self.ks())?;
        if !self.arguments.json {
            self.introduce(&data, screen)?;
        }
        let progress = Progress::new(trainer.settings(), self.arguments.json);
        let trained = trainer.run(&mut |event| progress.show(event, screen));
        progress.finish();
        let error = trained.as_ref().err().map(ToString::to_string);
        let report = self.report(data, &trainer, popularity, error)?;
        let saved = match &self.arguments.out {
            Some(out) => saved::save(out, &report, trainer.best()).map(|()| Some(out.as_path())),
            None => Ok(None),
        };
        // Also where it could not be saved.
        if self.arguments.json {
            screen.line(report.json()?)?;
        } else {
            let seconds = start.elapsed().as_secs_f64();
            let folder = saved.as_ref().ok().copied().flatten();
            self.show(&report, seconds, folder, screen)?;
        }
        trained.and(saved).map(|_| true)
    }

    fn ks(&self) -> Vec<usize> {
        ks(self.arguments.k.as_deref(), self.folds.train.items())
    }

    fn introduce(&self, data: &Data, screen: &mut Screen) -> Result<()> {
        screen.line(format_args!("data: {}", data.describe()))?;
        screen.line(format_args!("device: {}", self.device))?;
        let loss = parameters_of(self.loss).map(Value::Object)?;
        screen.line(format_args!("loss: {loss}"))
    }

    fn report<'r, B: Backend>(
        &'r self,
        data: Data,
        trainer: &'r Trainer<'_, B>,
        popularity: Metrics,
        error: Option<String>,
    ) -> Result<Report<'r>> {
        let best = trainer.best();
        Ok(Report {
            version: env!("CARGO_PKG_VERSION"),
            device: self.device.clone(),
            data,
            loss: self.loss,
            negatives: "full",
            settings: *trainer.settings(),
            epochs: trainer.history(),
            best_epoch: best.map(|best| best.epoch),
            validation: best.and_then(|best| best.validation),
            test: trainer.test(&self.ks())?,
            popularity,
            times: trainer.times(),
            error,
        })
    }

    fn show(
        &self,
        report: &Report<'_>,
        seconds: f64,
        folder: Option<&Path>,
        screen: &mut Screen,
    ) -> Result<()> {
        if let (Some(epoch), Some(test)) = (report.best_epoch, &report.test) {
            let chosen = match report.validation {
                Some(at) => format!(
                    "best epoch {epoch}: validation NDCG@{} {:.4}",
                    at.k, at.ndcg
                ),
                None => format!("epoch {epoch}; there was nothing to validate on"),
            };
            screen.line(chosen)?;
            let name = self.loss.as_dyn().spec().name;
            for line in table(name, test, &report.popularity) {
                screen.line(line)?;
            }
            if let Some(folder) = folder {
                screen.line(format_args!("saved in {}", folder.display()))?;
            }
        }
        let times = report.times;
        screen.line(format_args!(
            "{seconds:.1} s: steps {:.1}, evaluation {:.1}, dealing {:.1}",
            times.steps, times.evaluation, times.dealing
        ))
    }
}
