//! `wgloss train`: matrix factorisation on implicit feedback.

mod arguments;
mod loss;
mod progress;
mod report;
mod saved;
mod settings;

pub use arguments::Arguments;

use crate::{Outcome, losses::parameters_of, screen::Screen, table::table};
use progress::Progress;
use report::{Data, Report};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path, time::Instant};
use wgloss::{
    AnyLoss, Device, Error, Result,
    gpu::Context,
    train::{
        Backend, Best, Checkpoint, CpuBackend, Embeddings, Folds, GpuBackend, Metric, Metrics,
        Part, SavedModel, Settings, Start, Tokens, Trainer,
    },
};

/// Runs the command.
pub fn run(arguments: &Arguments, screen: &mut Screen) -> Outcome {
    // What is wrong with the arguments is told before the data takes its time.
    let (preset, loss) = arguments.loss()?;
    let settings = arguments.settings(loss.as_dyn(), preset.as_ref())?;
    let engine = arguments.device.engine()?;
    if engine.device() == Device::Reference {
        return Err(Error::Unsupported(
            "train: device `reference` is for comparisons; take auto, gpu or cpu".into(),
        ));
    }
    if let Some(out) = &arguments.out {
        saved::prepare(out)?;
    }
    let metrics = arguments.protocol.metrics()?;
    let (name, read) = arguments.read()?;
    let folds = arguments.folds(&read.dataset)?;
    let reference = (arguments.reference.as_deref())
        .map(|folder| saved::reference(folder, &read.tokens))
        .transpose()?;
    let run = Run {
        arguments,
        loss: &loss,
        folds: &folds,
        tokens: &read.tokens,
        settings,
        reference,
        ks: arguments.protocol.ks(folds.train.items()),
        metrics,
        device: engine.describe(),
    };
    let data = Data::new(name, read.notes, &folds);
    let checkpoint = match (&arguments.out, arguments.resume) {
        (Some(out), true) => saved::checkpoint(out)?,
        _ => None,
    };
    match engine.context() {
        Some(context) => run.train(data, run.on_gpu(context, checkpoint)?, screen),
        None => run.train(data, run.on_cpu(checkpoint)?, screen),
    }
}

/// A run that is about to start.
struct Run<'a> {
    arguments: &'a Arguments,
    loss: &'a AnyLoss,
    folds: &'a Folds,
    tokens: &'a Tokens,
    settings: Settings,
    /// The reference model's tables, if they were given.
    reference: Option<Embeddings>,
    /// Where to measure, and what to show of it.
    ks: Vec<usize>,
    metrics: Vec<Metric>,
    device: String,
}

impl<'a> Run<'a> {
    fn on_gpu(
        &self,
        context: &Context,
        checkpoint: Option<Checkpoint>,
    ) -> Result<Trainer<'a, GpuBackend<'a>>> {
        self.trainer(checkpoint, |start| GpuBackend::new(context, start))
    }

    fn on_cpu(&self, checkpoint: Option<Checkpoint>) -> Result<Trainer<'a, CpuBackend<'a>>> {
        self.trainer(checkpoint, CpuBackend::new)
    }

    fn trainer<B: Backend>(
        &self,
        checkpoint: Option<Checkpoint>,
        backend: impl FnOnce(Start<'a>) -> Result<B>,
    ) -> Result<Trainer<'a, B>> {
        let (loss, folds, settings) = (self.loss.as_dyn(), self.folds, self.settings);
        let start = match &checkpoint {
            None => settings.start(loss, folds)?,
            Some(checkpoint) => checkpoint.start(loss, folds, &settings)?,
        };
        let backend = backend(self.referring(start, checkpoint.is_some())?)?;
        match checkpoint {
            None => Trainer::new(folds, settings, backend),
            Some(checkpoint) => Trainer::resume(folds, settings, backend, checkpoint),
        }
    }

    /// With the reference that was given; a run that goes on must have had the same.
    fn referring<'s>(&self, start: Start<'s>, resumed: bool) -> Result<Start<'s>> {
        let Some(reference) = &self.reference else {
            return Ok(start);
        };
        let before = start.state.second.clone();
        let start = start.with_reference(reference.clone())?;
        if resumed && start.state.second != before {
            return Err(Error::Unsupported(
                "resume: the checkpoint is of another --reference".into(),
            ));
        }
        Ok(start)
    }

    fn train<B: Backend>(
        &self,
        data: Data,
        mut trainer: Trainer<'_, B>,
        screen: &mut Screen,
    ) -> Outcome {
        let start = Instant::now();
        // Also checks every K before the work.
        let protocol = self.arguments.protocol.protocol(Part::Test);
        let popularity = self.folds.measure_popularity(&self.ks, protocol)?;
        let before = trainer.history().len();
        if !self.arguments.json {
            self.introduce(&data, before, screen)?;
        }
        let progress = Progress::new(&self.settings, before, self.arguments.json);
        let trained = self.epochs(&mut trainer, &progress, screen);
        progress.finish();
        let error = trained.as_ref().err().map(ToString::to_string);
        let report = self.report(data, &trainer, popularity, error)?;
        let saved = match &self.arguments.out {
            Some(out) => self
                .save(out, &report, trainer.best())
                .map(|()| Some(out.as_path())),
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

    fn save(&self, out: &Path, report: &Report<'_>, best: Option<&Best>) -> Result<()> {
        if let Some(best) = best {
            let model = SavedModel {
                embeddings: best.embeddings.clone(),
                rank_by: self.settings.rank_by,
                epoch: Some(best.epoch),
                tokens: self.tokens.clone(),
                folds: self.folds.clone(),
            };
            model.save(out)?;
        }
        saved::save_report(out, report)
    }

    /// Trains the epochs that are left, and leaves a checkpoint behind each that was validated.
    fn epochs<B: Backend>(
        &self,
        trainer: &mut Trainer<'_, B>,
        progress: &Progress,
        screen: &mut Screen,
    ) -> Result<()> {
        while let Some(record) = trainer.next_epoch(&mut |event| progress.show(event, screen))? {
            let last = record.epoch == self.settings.epochs;
            let due = last || record.epoch.is_multiple_of(self.settings.eval_every);
            if let (Some(out), true) = (&self.arguments.out, due) {
                saved::leave_checkpoint(out, &trainer.checkpoint()?)?;
            }
        }
        Ok(())
    }

    fn introduce(&self, data: &Data, before: usize, screen: &mut Screen) -> Result<()> {
        screen.line(format_args!("data: {}", data.describe()))?;
        for note in &data.notes {
            screen.line(format_args!("      {note}"))?;
        }
        screen.line(format_args!("device: {}", self.device))?;
        let loss = parameters_of(self.loss).map(Value::Object)?;
        screen.line(format_args!("loss: {loss}"))?;
        match (self.arguments.resume, before) {
            (false, _) => Ok(()),
            (true, 0) => screen.line("no checkpoint yet: from the beginning"),
            (true, before) => screen.line(format_args!("going on after epoch {before}")),
        }
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
            command: (std::env::args_os())
                .map(|part| part.to_string_lossy().into_owned())
                .collect(),
            device: self.device.clone(),
            plans: trainer.backend().plans(),
            data,
            loss: self.loss,
            scalars: best.map(|best| self.scalars(best)).unwrap_or_default(),
            preset: self.arguments.preset.clone(),
            settings: self.settings,
            epochs: trainer.history(),
            best_epoch: best.map(|best| best.epoch),
            validation: best.and_then(|best| best.validation),
            test: best.map(|best| self.measure(best)).transpose()?,
            popularity,
            times: trainer.times(),
            error,
        })
    }

    /// What the loss learnt, by name.
    fn scalars(&self, best: &Best) -> BTreeMap<&'static str, f64> {
        let scalars = self.loss.as_dyn().scalars().into_iter();
        let named = scalars.map(|scalar| scalar.name).zip(&best.scalars);
        named.map(|(name, value)| (name, *value)).collect()
    }

    fn measure(&self, best: &Best) -> Result<Metrics> {
        let protocol = self.arguments.protocol.protocol(Part::Test);
        (self.folds).measure(&best.embeddings, self.settings.rank_by, &self.ks, protocol)
    }

    fn show(
        &self,
        report: &Report<'_>,
        seconds: f64,
        folder: Option<&Path>,
        screen: &mut Screen,
    ) -> Result<()> {
        let run = report.epochs.len();
        if report.error.is_none() && run < self.settings.epochs {
            screen.line(format_args!(
                "ended early: nothing better up to epoch {run}"
            ))?;
        }
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
            for line in table("test", name, test, &report.popularity, &self.metrics) {
                screen.line(line)?;
            }
            if let Some(folder) = folder {
                screen.line(format_args!("saved in {}", folder.display()))?;
            }
        }
        if !report.scalars.is_empty() {
            let scalars = report.scalars.iter();
            let scalars: Vec<String> = scalars.map(|(name, x)| format!("{name} {x:.4}")).collect();
            screen.line(format_args!("learnt: {}", scalars.join(", ")))?;
        }
        let times = report.times;
        let quantiles = match times.quantiles {
            0.0 => String::new(),
            seconds => format!(", quantiles {seconds:.1}"),
        };
        screen.line(format_args!(
            "{seconds:.1} s; all epochs: sampling {:.1}, upload {:.1}, steps {:.1}{quantiles}, evaluation {:.1}",
            times.sampling, times.upload, times.steps, times.evaluation
        ))
    }
}
