//! `wgloss check`: every loss on this device against the f64 reference.

use crate::{Outcome, device::DeviceArguments, losses::label, screen::Screen};
use wgloss::{
    AnyLoss, Engine,
    check::{Problem, Verdict, check, differences},
    loss::registry,
};

/// Check every loss on a device against the f64 reference, on small ragged batches.
///
/// Each column is the largest error of that result over all batches, as a share of what the rule
/// allows; up to 100 % passes. The last one compares the reference's own gradients with
/// differences of its value.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    device: DeviceArguments,
}

const RESULTS: [&str; 6] = [
    "value",
    "row_values",
    "grad_queries",
    "grad_candidates",
    "other results",
    DIFFERENCES,
];

/// The column of the reference's gradients.
const DIFFERENCES: &str = "differences";

/// The batches that those are compared on: between them sampled and all columns, repeated rows,
/// given scores.
const DIFFERENCED: [&str; 3] = ["ragged", "sampled-weighted", "given-scores"];

/// Runs the command.
pub fn run(arguments: &Arguments, screen: &mut Screen) -> Outcome {
    let engine = arguments.device.engine()?;
    let problems = Problem::all();
    let mut rows = Vec::new();
    let losses = registry::variants();
    for loss in &losses {
        rows.push(Row::new(label(loss)?, &engine, loss, &problems));
    }
    let width = rows.iter().map(|row| row.label.len()).max().unwrap_or(0);
    screen.line(format_args!("device: {}", engine.describe()))?;
    let header = RESULTS.map(|name| format!("{name:>16}")).concat();
    screen.line(format_args!("{:width$}  batches{header}", "loss"))?;
    for row in &rows {
        screen.line(row.line(width))?;
    }
    let failures: Vec<&String> = rows.iter().flat_map(|row| &row.failures).collect();
    for failure in &failures {
        screen.complain(failure);
    }
    let (passed, all) = (rows.iter().filter(|row| row.passed()).count(), rows.len());
    screen.line(format_args!("{passed} of {all} losses pass"))?;
    Ok(passed == all)
}

/// One loss on all problems.
struct Row {
    label: String,
    batches: usize,
    /// Largest share of the allowed error, per result.
    shares: [f64; RESULTS.len()],
    failures: Vec<String>,
}

impl Row {
    fn new(label: String, engine: &Engine, loss: &AnyLoss, problems: &[Problem]) -> Row {
        let mut row = Row {
            label,
            batches: 0,
            shares: [0.0; RESULTS.len()],
            failures: Vec::new(),
        };
        for problem in problems {
            let at = format!("{} on {}", row.label, problem.name());
            match check(engine, loss.as_dyn(), problem) {
                Ok(None) => {}
                Ok(Some(verdicts)) => {
                    row.batches += 1;
                    verdicts.iter().for_each(|verdict| row.add(&at, verdict));
                }
                Err(error) => row.failures.push(format!("{at}: {error}")),
            }
        }
        row.compare(loss, problems);
        if row.batches == 0 && row.failures.is_empty() {
            // Nothing compared is nothing shown.
            row.failures.push(format!("{}: takes no batch", row.label));
        }
        row
    }

    /// The reference's gradients against differences of its value.
    fn compare(&mut self, loss: &AnyLoss, problems: &[Problem]) {
        for problem in problems
            .iter()
            .filter(|one| DIFFERENCED.contains(&one.name()))
        {
            let at = format!("{} by differences on {}", self.label, problem.name());
            match differences(loss.as_dyn(), problem) {
                Ok(verdicts) => {
                    for verdict in verdicts.iter().flatten() {
                        self.judge(RESULTS.len() - 1, &at, verdict);
                    }
                }
                Err(error) => self.failures.push(format!("{at}: {error}")),
            }
        }
    }

    fn add(&mut self, at: &str, verdict: &Verdict) {
        // Those of scalars, second tables, column parameters, given scores and state share a column.
        let place = RESULTS.iter().position(|name| *name == verdict.name);
        self.judge(place.unwrap_or(RESULTS.len() - 2), at, verdict);
    }

    fn judge(&mut self, place: usize, at: &str, verdict: &Verdict) {
        let share = if verdict.error == 0.0 {
            0.0
        } else {
            verdict.error / verdict.limit
        };
        self.shares[place] = self.shares[place].max(share);
        if !verdict.passed() {
            self.failures.push(format!(
                "{at}: {} is off by {:.2e}, allowed are {:.2e}",
                verdict.name, verdict.error, verdict.limit
            ));
        }
    }

    fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    fn line(&self, width: usize) -> String {
        let shares = self
            .shares
            .map(|share| format!("{:>14.0} %", 100.0 * share));
        let verdict = if self.passed() { "ok" } else { "FAILED" };
        format!(
            "{:width$}  {:>7}{}  {verdict}",
            self.label,
            self.batches,
            shares.concat()
        )
    }
}
