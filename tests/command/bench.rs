//! `wgloss bench`: what it tells of small cases.

use crate::{Folder, Run, wgloss};
use serde_json::Value;

/// Runs the command on small tables; the report.
fn bench(folder: &Folder, arguments: &[&str]) -> (Run, Value) {
    let path = folder.path("bench.json");
    let mut command = wgloss();
    command
        .args(["bench", "--repeats", "3", "--json"])
        .arg(&path);
    let run = Run::of(command.args(arguments).output().expect("it runs"));
    run.succeeds();
    let text = std::fs::read(path).expect("the report is there");
    (
        run,
        serde_json::from_slice(&text).expect("the report is JSON"),
    )
}

fn number(value: &Value, key: &str) -> f64 {
    value[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} in {value}"))
}

/// What holds of every measurement.
fn plausible(report: &Value, size: [u64; 3]) {
    let [b, n, d] = size;
    let peak = number(report, "peak_gflops");
    for one in report["measurements"].as_array().expect("a list") {
        assert_eq!(one["size"], serde_json::json!(size));
        let products = match one["evaluation"].as_str() {
            Some("forward") => 1,
            Some("step") => 3,
            other => panic!("{other:?}"),
        };
        assert_eq!(one["useful_flop"].as_u64(), Some(2 * products * b * n * d));
        let gradients = if products == 3 { (b + n) * d * 4 } else { 0 };
        assert_eq!(one["gradient_bytes"].as_u64(), Some(gradients));
        let executed = number(one, "executed_flop") / number(one, "useful_flop");
        assert!((1.0..1.5).contains(&executed), "{executed}");
        let share = number(one, "share_of_peak");
        assert!(0.0 < share && share <= 1.2, "{share} of {peak}");
        let seconds = number(one, "seconds");
        let rate = number(one, "useful_flop") / seconds / 1e9;
        assert!((number(one, "useful_gflops") / rate - 1.0).abs() < 1e-6);
        let all: Vec<f64> = (one["all_seconds"].as_array().expect("times").iter())
            .filter_map(Value::as_f64)
            .collect();
        assert_eq!(all.len(), 3);
        let below = all.iter().filter(|time| **time < seconds).count();
        assert!(below <= 1 && all.contains(&seconds), "{seconds} of {all:?}");
    }
}

#[test]
fn the_cpu_is_measured() {
    let folder = Folder::new();
    let (run, report) = bench(&folder, &["--device", "cpu", "--size", "64x900x20"]);
    plausible(&report, [64, 900, 20]);
    let told: Vec<_> = (report["measurements"].as_array().expect("a list").iter())
        .map(|one| {
            (
                one["loss"].as_str().expect("text"),
                one["evaluation"].as_str().expect("text"),
            )
        })
        .collect();
    let losses = ["sl", "psl activation=relu", "arc_face"];
    let expected: Vec<_> = losses
        .iter()
        .flat_map(|loss| [(*loss, "forward"), (*loss, "step")])
        .collect();
    assert_eq!(told, expected);
    for (loss, evaluation) in told {
        let line = run
            .stdout
            .lines()
            .find(|line| line.starts_with(loss) && line.contains(evaluation));
        assert!(
            line.is_some_and(|line| line.contains("64x900x20")),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn an_adapter_is_measured_by_stages() {
    let folder = Folder::new();
    let arguments = [
        "--device",
        "gpu",
        "--size",
        "40x700x20",
        "--loss",
        "sl tau=0.2",
        "--only",
        "step",
    ];
    let (run, report) = bench(&folder, &arguments);
    plausible(&report, [40, 700, 20]);
    let measurements = report["measurements"].as_array().expect("a list");
    assert_eq!(measurements.len(), 1);
    let step = &measurements[0];
    assert_eq!(step["loss"], "sl tau=0.2");
    assert!(number(step, "bytes_beyond") > 0.0);
    let plan = step["plan"].as_str().expect("an ID");
    assert!(run.stdout.contains(plan), "{}", run.stdout);
    // Software Vulkan has a clock; what has none tells so by telling no stages.
    if let Some(stages) = step["stages"].as_array() {
        let flop: u64 = stages
            .iter()
            .filter_map(|stage| stage["flop"].as_u64())
            .sum();
        assert_eq!(Some(flop), step["executed_flop"].as_u64());
        assert!(stages.iter().any(|stage| stage["stage"] == "row_reduce"));
    }
}

#[test]
fn first_uses_are_told_kernel_by_kernel() {
    let folder = Folder::new();
    let case = ["--size", "40x700x20", "--loss", "sl tau=0.2"];
    let what = ["--only", "step", "--no-peak", "--first-use"];
    let on = |device: &'static str| [&["--device", device], &case[..], &what[..]].concat();
    let (run, report) = bench(&folder, &on("gpu"));
    let step = &report["measurements"][0];
    if step["stages"].is_null() {
        assert!(step["first_use"].is_null());
    } else {
        assert!(number(step, "first_use_seconds") > 0.0);
        let uses = step["first_use"].as_array().expect("a list");
        let of = |name: &str| uses.iter().find(|one| one["stage"] == name);
        for stage in [
            "pack",
            "row_reduce",
            "weights",
            "grad_queries",
            "grad_candidates",
        ] {
            let one = of(stage).expect(stage);
            assert!(number(one, "seconds") > 0.0, "{stage}");
            assert_eq!(one["kernels"], 1, "{stage}");
        }
        assert!(
            run.stdout.contains("first use of row_reduce"),
            "{}",
            run.stdout
        );
    }
    // Nothing is compiled on the CPU, which is said.
    let (run, report) = bench(&folder, &on("cpu"));
    assert!(report["measurements"][0]["first_use"].is_null());
    assert!(run.stdout.contains("first use: not told"), "{}", run.stdout);
}

#[test]
fn a_peak_that_nobody_wants_is_not_measured() {
    let folder = Folder::new();
    let arguments = [
        "--device",
        "cpu",
        "--size",
        "8x40x4",
        "--size",
        "9x50x5",
        "--loss",
        "bpr",
        "--no-peak",
    ];
    let (_, report) = bench(&folder, &arguments);
    assert!(report["peak_gflops"].is_null());
    let measurements = report["measurements"].as_array().expect("a list");
    assert_eq!(measurements.len(), 4);
    assert!(
        measurements
            .iter()
            .all(|one| one["share_of_peak"].is_null())
    );
}

#[test]
fn what_cannot_be_measured_is_one_complaint() {
    for (arguments, parts) in [
        (&["--loss", "slx"][..], &["--loss", "`slx`", "arc_face"][..]),
        (&["--loss", "sl m=3"], &["--loss sl", "`m`", "tau"]),
        (
            &["--loss", "sl tau=-1", "--size", "2x3x4", "--no-peak"],
            &["2x3x4", "tau = -1"],
        ),
        (
            &["--size", "2x3x4000", "--loss", "sl", "--no-peak"],
            &["2x3x4000", "1024"],
        ),
        (
            &[
                "--size",
                "4000000000x4000000000x1000",
                "--loss",
                "sl",
                "--no-peak",
            ],
            &["out of memory"],
        ),
        (
            &["--storage", "f16", "--loss", "sl", "--no-peak"],
            &["sl", "storage F16", "expected a GPU"],
        ),
        (
            &["--scores", "kept", "--loss", "sl", "--no-peak"],
            &["sl", "scores Kept", "expected a GPU"],
        ),
    ] {
        let mut command = wgloss();
        command.args(["bench", "--device", "cpu"]).args(arguments);
        Run::of(command.output().expect("it runs")).fails_with(parts);
    }
    let mut command = wgloss();
    command.args([
        "bench",
        "--device",
        "reference",
        "--size",
        "2x3x4",
        "--no-peak",
        "--loss",
        "sl",
    ]);
    Run::of(command.output().expect("it runs")).fails_with(&["`reference`", "gpu or cpu"]);
    for arguments in [
        ["--size", "1024"],
        ["--size", "0x3x4"],
        ["--repeats", "0"],
        ["--only", "backward"],
    ] {
        let mut command = wgloss();
        let run = Run::of(
            command
                .arg("bench")
                .args(arguments)
                .output()
                .expect("it runs"),
        );
        assert_eq!(run.code, 2, "{arguments:?}");
    }
}

#[test]
fn a_kernel_family_can_be_asked_for() {
    let info = Run::of(wgloss().arg("info").output().expect("it runs"));
    let families = (info.stdout.lines())
        .find_map(|line| line.trim().strip_prefix("kernel families, default first"));
    let families = families.expect("they are told").trim().split(", ");
    let last = families.last().expect("there is one").to_owned();
    let folder = Folder::new();
    let arguments = [
        "--device",
        "gpu",
        "--size",
        "9x70x8",
        "--loss",
        "sl",
        "--only",
        "forward",
        "--no-peak",
        "--family",
        &last,
    ];
    let (_, report) = bench(&folder, &arguments);
    let plan = report["measurements"][0]["plan"].as_str().expect("an ID");
    assert!(plan.starts_with(&last), "{plan}");
    for (device, id, parts) in [
        ("gpu", "fast", ["`fast`", last.as_str()]),
        ("cpu", "fast", ["`fast`", "`cpu`"]),
    ] {
        let mut command = wgloss();
        command.args(["bench", "--device", device, "--family", id]);
        Run::of(command.output().expect("it runs")).fails_with(&parts);
    }
    let mut command = wgloss();
    command.args(["tune", "--device", "cpu"]);
    Run::of(command.output().expect("it runs")).fails_with(&["CPU", "--adapter"]);
}

#[test]
fn scores_are_kept_or_multiplied_again_as_asked() {
    let folder = Folder::new();
    let mut values = Vec::new();
    for (scores, scheme, products) in [("kept", "kept scores", 3), ("twice", "chunked weights", 4)]
    {
        let arguments = [
            "--device",
            "gpu",
            "--size",
            "9x70x8",
            "--loss",
            "sl",
            "--only",
            "step",
            "--no-peak",
            "--scores",
            scores,
        ];
        let (run, report) = bench(&folder, &arguments);
        let step = &report["measurements"][0];
        assert_eq!(step["scheme"], scheme, "{}", run.stdout);
        let flop = products * 2 * 9 * 70 * 8;
        assert_eq!(step["executed_flop"].as_u64(), Some(flop), "{scores}");
        values.push(number(step, "value"));
    }
    assert_eq!(values[0], values[1]);
}
