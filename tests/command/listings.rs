//! Commands that list, and wrong usage.

use crate::{Folder, Run, good, wgloss};
use serde_json::Value;
use wgloss::loss::registry;

fn run(arguments: &[&str]) -> Run {
    Run::of(wgloss().args(arguments).output().expect("it runs"))
}

#[test]
fn losses_are_listed_with_parameters_and_papers() {
    let listing = run(&["losses"]);
    listing.succeeds();
    let json = run(&["losses", "--json"]);
    json.succeeds();
    let losses: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let losses = losses.as_array().expect("a list");
    let names: Vec<_> = losses
        .iter()
        .filter_map(|loss| loss["loss"].as_str())
        .collect();
    assert_eq!(names, registry::NAMES);
    for loss in losses {
        for key in ["title", "formula", "source"] {
            let text = loss[key].as_str().expect("text");
            assert!(!text.is_empty() && listing.stdout.contains(text));
        }
    }
}

#[test]
fn every_parameter_is_described_once() {
    for loss in registry::variants() {
        let name = loss.as_dyn().spec().name;
        let about = registry::about(name).expect("it is described");
        let described: Vec<&str> = about.parameters.iter().map(|p| p.name).collect();
        let json = serde_json::to_value(&loss).expect("JSON");
        for key in json.as_object().expect("an object").keys() {
            let count = described.iter().filter(|name| *name == key).count();
            assert_eq!(count, usize::from(key != "loss"), "{name}: {key}");
        }
        // BSL's forms have parameters of their own; the others have them all.
        if name != "bsl" {
            for parameter in described {
                assert!(json.get(parameter).is_some(), "{name}: {parameter}");
            }
        }
    }
}

#[test]
fn info_works_with_and_without_a_driver() {
    let with = run(&["info"]);
    with.succeeds();
    assert!(with.stdout.contains("by default: "), "{}", with.stdout);
    let mut command = wgloss();
    // No backend at all: as on a machine without drivers.
    command.arg("info").env("WGPU_BACKEND", "gl");
    let without = Run::of(command.output().expect("it runs"));
    without.succeeds();
    assert!(
        without.stdout.contains("adapters: none"),
        "{}",
        without.stdout
    );
    assert!(
        without.stdout.contains("by default: CPU"),
        "{}",
        without.stdout
    );
}

#[test]
fn info_tells_where_caches_are() {
    let folder = Folder::new();
    let here = folder.out().display().to_string();
    for (value, told) in [("off", "off"), (&here, &here)] {
        let mut command = wgloss();
        command
            .arg("info")
            .env("WGLOSS_CACHE", value)
            .env("WGPU_BACKEND", "gl");
        let run = Run::of(command.output().expect("it runs"));
        run.succeeds();
        let line = format!("cache: {told}");
        assert!(run.stdout.lines().any(|it| it == line), "{}", run.stdout);
    }
    let mut command = wgloss();
    command
        .arg("info")
        .env_remove("WGLOSS_CACHE")
        .env("WGPU_BACKEND", "gl");
    let run = Run::of(command.output().expect("it runs"));
    let told = run
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("cache: "));
    assert!(
        told.is_some_and(|path| path.ends_with("wgloss")),
        "{}",
        run.stdout
    );
}

#[test]
fn a_gpu_that_is_not_there_is_an_error() {
    let folder = Folder::new();
    let case = folder.case("a.json", &good());
    let mut command = wgloss();
    command.args(["compute", "--device", "gpu"]).arg(&case);
    command.env("WGPU_BACKEND", "gl");
    Run::of(command.output().expect("it runs")).fails_with(&["no adapter"]);

    let mut command = wgloss();
    command
        .args(["compute", "--adapter", "No Such Card"])
        .arg(&case);
    Run::of(command.output().expect("it runs")).fails_with(&["no adapter", "`No Such Card`"]);

    let mut command = wgloss();
    command.args(["compute", "--device", "cpu", "--adapter", "x"]);
    let run = Run::of(command.arg(&case).output().expect("it runs"));
    run.fails_with(&["`x`", "`cpu`"]);
}

#[test]
fn wrong_usage_is_exit_code_two() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["compute"],
        &["compute", "--device", "abacus", "a.json"],
        &["losses", "--yaml"],
    ] {
        let run = run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(!run.stderr.is_empty() && !run.stderr.contains("panicked"));
    }
    let devices = run(&["compute", "--device", "abacus", "a.json"]);
    assert!(devices.stderr.contains("auto, gpu, cpu, reference"));
}

#[test]
fn check_passes_on_the_cpu() {
    let run = run(&["check", "--device", "cpu"]);
    run.succeeds();
    for name in registry::NAMES {
        assert!(run.stdout.contains(name), "{}", run.stdout);
    }
    let count = registry::variants().len();
    let last = format!("{count} of {count} losses pass");
    assert!(run.stdout.trim_end().ends_with(&last), "{}", run.stdout);
}

#[test]
fn shaders_are_written_without_an_adapter() {
    let folder = Folder::new();
    let out = folder.path("texts");
    let mut command = wgloss();
    command.args(["shaders", "--loss", "psl", "--dim", "80", "--out"]);
    // No backend at all: as on a machine without drivers.
    command.arg(&out).env("WGPU_BACKEND", "gl");
    Run::of(command.output().expect("it runs")).succeeds();
    let text = std::fs::read_to_string(out.join("psl-activation-relu-80-row_reduce.wgsl"));
    let text = text.expect("it is there");
    assert!(text.contains("log max(0, 1 + d)") && text.contains("var<workgroup>"));
    assert!(!text.contains('$'), "directives are gone");
    let wrong = run(&["shaders", "--loss", "none", "--out", "."]);
    wrong.fails_with(&["--loss", "none", "psl"]);
}
