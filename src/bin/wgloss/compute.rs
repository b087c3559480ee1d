//! `wgloss compute`: evaluates case files.

use crate::{Outcome, device::DeviceArguments, screen::Screen};
use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
};
use wgloss::{
    Device, Engine, Error, Output, Real, Result,
    case::{Case, write_results},
};

/// Evaluate case files: losses with their inputs as JSON, matrices also as npy or safetensors.
///
/// Writes DIR/<name>.json with `value`, `row_values` and gradients, and shows the error where a case
/// gives the expected results. A file that cannot be evaluated is reported, the others go on, and
/// the exit code is 1.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    device: DeviceArguments,
    /// Folder for the results; nothing is written without it
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Case files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, screen: &mut Screen) -> Outcome {
    let names = names(&arguments.files)?;
    if let Some(out) = &arguments.out {
        fs::create_dir_all(out).map_err(|source| io_error(out, source))?;
        protect_inputs(out, names.keys(), &arguments.files)?;
    }
    let engine = arguments.device.engine()?;
    screen.line(format_args!("device: {}", engine.describe()))?;
    let width = names.keys().map(|name| name.chars().count()).max();
    let mut failed = 0;
    for file in &arguments.files {
        match evaluate(&engine, file, arguments.out.as_deref()) {
            Ok((name, result)) => {
                let width = width.unwrap_or(0);
                screen.line(format_args!("{name:width$}  {result}"))?;
            }
            Err(error) => {
                failed += 1;
                screen.complain(error);
            }
        }
    }
    let all = arguments.files.len();
    screen.line(format_args!("{} of {all} cases evaluated", all - failed))?;
    Ok(failed == 0)
}

/// The cases' names, before anything is computed: of two results with one name, one would be lost.
/// Files that cannot be read have none; they are reported when their turn comes.
fn names(files: &[PathBuf]) -> Result<BTreeMap<String, &Path>> {
    let mut names = BTreeMap::new();
    for file in files {
        let Ok(name) = Case::read_name(file) else {
            continue;
        };
        if let Some(other) = names.insert(name.clone(), file.as_path()) {
            return Err(Error::Unsupported(format!(
                "two cases are named `{name}`: {} and {}",
                other.display(),
                file.display()
            )));
        }
    }
    Ok(names)
}

/// Results must not replace a case.
fn protect_inputs<'a>(
    out: &Path,
    names: impl Iterator<Item = &'a String>,
    files: &[PathBuf],
) -> Result<()> {
    let inputs: HashSet<PathBuf> = files.iter().flat_map(fs::canonicalize).collect();
    for name in names {
        let target = result_file(out, name);
        if fs::canonicalize(&target).is_ok_and(|target| inputs.contains(&target)) {
            return Err(Error::Unsupported(format!(
                "{}: the results would replace the case; choose another folder with --out",
                target.display()
            )));
        }
    }
    Ok(())
}

fn result_file(out: &Path, name: &str) -> PathBuf {
    out.join(format!("{name}.json"))
}

/// Evaluates a file, writes its results, and gives its name and what to show of them.
fn evaluate(engine: &Engine, file: &Path, out: Option<&Path>) -> Result<(String, String)> {
    let mut case = Case::read(file)?;
    if engine.device() == Device::Reference {
        let output = {
            let batch = case.batch()?;
            engine.evaluate_f64(case.loss.as_dyn(), &batch, case.want())
        };
        return finish(case, output, out);
    }
    case.narrow();
    let output = {
        let batch = case.batch()?;
        engine.evaluate(case.loss.as_dyn(), &batch, case.want())
    };
    finish(case, output, out)
}

fn finish<R: Real + serde::Serialize>(
    case: Case,
    output: Result<Output<R>>,
    out: Option<&Path>,
) -> Result<(String, String)> {
    let output = output.map_err(|error| case.locate(error))?;
    if let Some(out) = out {
        write_results(&result_file(out, &case.name), &case, &output)?;
    }
    let shown = show(&case, &output);
    Ok((case.name, shown))
}

fn show<R: Real>(case: &Case, output: &Output<R>) -> String {
    let mut line = format!("value {:<13.6e}", output.value.to_f64());
    let differences = case.differences(output);
    if differences.is_empty() {
        line.push_str("  (the case gives no results to compare with)");
    } else {
        line.push_str("  error:");
    }
    for difference in differences {
        line += &format!("  {} {:.1e}", difference.name, difference.relative);
    }
    let counts = output.counts;
    let zero = counts.zero_queries + counts.zero_candidates;
    for (count, what) in [
        (counts.dead_pairs, "rows without a live column"),
        (counts.ignored_pairs, "ignored rows"),
        (zero, "zero vectors"),
    ] {
        if count > 0 {
            line += &format!("  ({what}: {count})");
        }
    }
    line
}

fn io_error(path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        path: path.display().to_string(),
        source,
    }
}
