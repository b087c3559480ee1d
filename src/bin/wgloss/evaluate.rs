//! `wgloss evaluate`: metrics of saved embeddings.

use crate::{
    Outcome, model::ModelArguments, output::write_lines, protocol::ProtocolArguments,
    screen::Screen, table,
};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::path::PathBuf;
use wgloss::{
    Error, Result,
    train::{Metric, Metrics, Part, Protocol, SavedModel},
};

/// Measure saved embeddings on test or validation data, beside recommending what is popular.
///
/// Training items are left out of every ranking; all other items of the catalogue compete.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    protocol: ProtocolArguments,
    /// What to measure on
    #[arg(long, value_enum, default_value_t = On::Test, value_name = "PART")]
    on: On,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    /// File for the answer, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum On {
    /// The test data
    Test,
    /// What was held out of training to choose the epoch
    Validation,
}

/// Runs the command.
pub fn run(arguments: &Arguments, screen: &mut Screen) -> Outcome {
    let metrics = arguments.protocol.metrics()?;
    let protocol = arguments.protocol()?;
    let out = arguments.out.as_deref();
    let mut notes = Vec::new();
    write_lines(out, &arguments.model.files(), screen, |lines| {
        let (model, told) = arguments.model.read()?;
        notes = told;
        let ks = arguments.protocol.ks(model.embeddings.items());
        let popularity = model.folds.measure_popularity(&ks, protocol)?;
        let measured = (model.folds).measure(&model.embeddings, model.rank_by, &ks, protocol)?;
        if arguments.json {
            let answer = arguments.describe(&model, protocol, &metrics, &measured, &popularity);
            return lines.line(&format!("{answer:#}"));
        }
        let part = match protocol.on {
            Part::Test => "test",
            Part::Validation => "validation",
        };
        for line in table::table(part, "model", &measured, &popularity, &metrics) {
            lines.line(&line)?;
        }
        lines.line(&format!("averages over {} users", measured.users))
    })?;
    // Standard output is for the answer alone.
    notes.iter().for_each(|note| screen.complain(note));
    Ok(true)
}

impl Arguments {
    fn protocol(&self) -> Result<Protocol> {
        let on = match self.on {
            On::Test => Part::Test,
            On::Validation => Part::Validation,
        };
        if self.protocol.mask_validation && on == Part::Validation {
            return Err(Error::Unsupported(
                "--mask-validation with --on validation: what is left out cannot be found".into(),
            ));
        }
        Ok(self.protocol.protocol(on))
    }

    fn describe(
        &self,
        model: &SavedModel,
        protocol: Protocol,
        metrics: &[Metric],
        measured: &Metrics,
        popularity: &Metrics,
    ) -> Value {
        let at = |of: &Metrics| -> Value { of.at.iter().map(|at| values(at, metrics)).collect() };
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "model": self.model.path().display().to_string(),
            "epoch": model.epoch,
            "rank_by": model.rank_by,
            "data": model.folds.fingerprint(),
            "on": match protocol.on { Part::Test => "test", Part::Validation => "validation" },
            "average": protocol.average,
            "mask_validation": protocol.mask_validation,
            "users": measured.users,
            "metrics": at(measured),
            "popularity": at(popularity),
        })
    }
}

/// The metrics at one K that were asked for.
fn values(at: &wgloss::train::AtK, metrics: &[Metric]) -> Value {
    let values = metrics
        .iter()
        .map(|&metric| (metric.to_string(), at.get(metric).into()));
    let k = ("k".to_owned(), Value::from(at.k));
    Value::Object([k].into_iter().chain(values).collect())
}
