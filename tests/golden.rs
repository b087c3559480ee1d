//! Every golden case on every device: results that the losses' official implementations, or
//! PyTorch from the published formulas, computed in f64.

#[path = "golden/spec_tables.rs"]
mod spec_tables;

use std::path::{Path, PathBuf};
use wgloss::{
    Device, Engine, EngineOptions, Want,
    case::Case,
    check::{Verdict, judge},
};

/// What the reference may be off by, relative to the largest entry of a result.
const REFERENCE: f64 = 1e-9;

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files = Vec::new();
    for folder in ["angular_heads", "dense", "sampled"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("the folder is there");
        let paths = entries.map(|entry| entry.expect("it can be listed").path());
        files.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "json")));
    }
    files.sort();
    assert!(files.len() >= 60, "only {} golden cases", files.len());
    files
}

fn cases() -> Vec<Case> {
    files()
        .iter()
        .map(|file| Case::read(file).unwrap_or_else(|error| panic!("{error}")))
        .collect()
}

fn engine(device: Device) -> Engine {
    let options = EngineOptions::default().device(device);
    Engine::with_options(&options).unwrap_or_else(|error| panic!("{device}: {error}"))
}

fn fail_with(failures: &[String]) {
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn the_reference_agrees() {
    let engine = engine(Device::Reference);
    let mut failures = Vec::new();
    for case in cases() {
        let batch = case.batch().unwrap_or_else(|error| panic!("{error}"));
        let output = match engine.evaluate_f64(case.loss.as_dyn(), &batch, case.want()) {
            Ok(output) => output,
            Err(error) => {
                failures.push(format!("{}: {error}", case.name));
                continue;
            }
        };
        let differences = case.differences(&output);
        assert!(differences.len() >= 2, "{}: nothing compared", case.name);
        let embeddings = case.dim() > 0;
        assert_eq!(
            output.grad_candidates.is_none(),
            case.candidates_frozen || !embeddings,
            "{}",
            case.name
        );
        for difference in differences {
            if difference.relative > REFERENCE {
                failures.push(format!("{}: {difference:?}", case.name));
            }
        }
    }
    fail_with(&failures);
}

#[test]
fn the_cpu_agrees() {
    agrees_in_f32(&engine(Device::Cpu));
}

/// On whatever adapter there is; having none is a failure.
#[test]
fn the_gpu_agrees() {
    agrees_in_f32(&engine(Device::Gpu));
}

/// The rule for f32 is that of `wgloss::check`, which knows the temperature, applied to the
/// distance from the golden results.
fn agrees_in_f32(engine: &Engine) {
    let mut failures = Vec::new();
    for mut case in cases() {
        case.narrow();
        let batch = case.batch().unwrap_or_else(|error| panic!("{error}"));
        let loss = case.loss.as_dyn();
        let output = match engine.evaluate_f64(loss, &batch, Want::BOTH) {
            Ok(output) => output,
            Err(error) => {
                failures.push(format!("{}: {error}", case.name));
                continue;
            }
        };
        let verdicts = judge(loss, &batch, &output).unwrap_or_else(|error| panic!("{error}"));
        for difference in case.differences(&output) {
            let limit = limit(&verdicts, &case, difference.name);
            if difference.absolute > limit {
                failures.push(format!(
                    "{}: {} is off by {:.2e}, allowed are {limit:.2e}",
                    case.name, difference.name, difference.absolute
                ));
            }
        }
    }
    fail_with(&failures);
}

/// What the rule allows for a result, by its name in case files.
fn limit(verdicts: &[Verdict], case: &Case, name: &str) -> f64 {
    let after = case.expected.rows_after.iter();
    let after = after.clone().find(|(of, _)| *of == name);
    let judged = match name {
        "grad_bias" | "grad_state" => "grad_theta",
        "grad_adv_queries" => "grad_second_queries",
        "grad_adv_candidates" => "grad_second_candidates",
        "grad_policy_chosen" => "grad_positive_scores",
        "grad_policy_rejected" => "grad_column_scores",
        _ if after.is_some() => "row_parameters_after",
        name => name,
    };
    let verdict = verdicts.iter().find(|verdict| verdict.name == judged);
    let limit = verdict.expect("every result is judged").limit;
    // Judged by its logarithm, whose error is relative in what the case file holds.
    let largest = |numbers: &Vec<f64>| numbers.iter().copied().fold(0.0, f64::max);
    limit * after.map_or(1.0, |(_, numbers)| largest(numbers))
}
