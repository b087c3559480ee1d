//! `wgloss train`: what it leaves behind, and what it refuses.

use crate::{Folder, Run, wgloss};
use serde_json::Value;
use std::process::Command;

/// A folder `data` with forty users who like every second item of their half of the catalogue.
pub(crate) fn data() -> Folder {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("data")).expect("a folder");
    let (mut train, mut test) = (String::from("user\titem\n"), String::from("user\titem\n"));
    for user in 0..40 {
        for place in 0..10 {
            let item = (user % 2) * 20 + (place * 2 + user) % 20;
            let file = if place < 8 { &mut train } else { &mut test };
            *file += &format!("{user}\t{item}\n");
        }
    }
    folder.write("data/train.tsv", train);
    folder.write("data/test.tsv", test);
    folder
}

impl Folder {
    /// Trains briefly on `data`, on the CPU, with further arguments.
    pub(crate) fn train(&self, arguments: &str) -> Run {
        Run::of(self.training(arguments).output().expect("it runs"))
    }

    /// The command line of [`Folder::train`].
    pub(crate) fn training(&self, arguments: &str) -> Command {
        let mut command = wgloss();
        command.arg("train").arg("--data").arg(self.path("data"));
        if !arguments.contains("--device") {
            command.args(["--device", "cpu"]);
        }
        command.args(arguments.split_whitespace());
        command
    }
}

#[test]
fn embeddings_and_report_are_left_behind() {
    let folder = data();
    let out = folder.out().display().to_string();
    let run = folder.train(&format!("--epochs 6 --tau 0.2 --k 1,5 --out {out}"));
    run.succeeds();
    for part in [
        "40 users × 20 items",
        "CPU",
        "recall",
        "popularity",
        "ratio",
        "saved in",
    ] {
        assert!(run.stdout.contains(part), "no {part} in: {}", run.stdout);
    }
    assert_eq!(
        folder.written(),
        [
            "checkpoint.safetensors",
            "data.safetensors",
            "embeddings.safetensors",
            "items.txt",
            "report.json",
            "users.txt",
        ]
    );
    let report = folder.result("report.json");
    assert_eq!(report["loss"]["tau"], 0.2);
    assert_eq!(report["settings"]["epochs"], 6);
    assert_eq!(report["epochs"].as_array().expect("a list").len(), 6);
    assert_eq!(report["error"], Value::Null);
    let file = std::fs::read(folder.out().join("embeddings.safetensors")).expect("a file");
    let tables = safetensors::SafeTensors::deserialize(&file).expect("safetensors");
    for (name, rows) in [("queries", 40), ("candidates", 20)] {
        let table = tables.tensor(name).expect("a table");
        assert_eq!(table.shape(), [rows, 64]);
    }
    let mut command = folder.ask("evaluate", "out", "--k 1,5 --metrics all --json");
    let run = Run::of(command.output().expect("it runs"));
    run.succeeds();
    let found: Value = serde_json::from_str(&run.stdout).expect("the answer is JSON");
    for (of, metrics) in [("test", "metrics"), ("popularity", "popularity")] {
        assert_eq!(report[of]["at"], found[metrics]);
    }
    assert_eq!(report["best_epoch"], found["epoch"]);
}

#[test]
fn patience_ends_a_run_and_everything_to_repeat_it_is_reported() {
    let folder = data();
    let line = "--optimiser sgd --lr 0 --eval-every 1 --patience 3 --epochs 50";
    let run = folder.train(line);
    run.succeeds();
    // Of equals the later one is the better: nothing changes, so every epoch is the best so far.
    assert!(!run.stdout.contains("ended early"), "{}", run.stdout);
    let line = "--lr 3 --eval-every 1 --patience 3 --epochs 200 --schedule step=2:0.9 --json";
    let run = folder.train(line);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).expect("the report alone");
    let epochs = report["epochs"].as_array().expect("a list");
    assert!(epochs.len() < 200);
    let best = |epoch: &Value| epoch["best"] == true;
    assert_eq!(
        epochs.iter().rev().take_while(|epoch| !best(epoch)).count(),
        3
    );
    assert!(best(&epochs[epochs.len() - 4]));
    assert_eq!(
        report["settings"]["schedule"]["decay"]["step"]["factor"],
        0.9
    );
    assert_eq!(
        report["settings"]["optimiser"]["adam"]["learning_rate"],
        3.0
    );
    let rate = epochs[2]["rate"].as_f64().expect("a number");
    assert!((rate - 2.7).abs() < 1e-12, "{rate}");
    let command = report["command"].as_array().expect("a list");
    assert!(command.contains(&"step=2:0.9".into()), "{command:?}");
    for field in [
        "version", "device", "plans", "data", "loss", "settings", "times",
    ] {
        assert!(!report[field].is_null(), "no {field}");
    }
    for part in ["sampling", "upload", "steps", "evaluation"] {
        assert!(epochs[0]["times"][part].is_number(), "no {part}");
    }
}

#[test]
fn runs_repeat_and_json_stands_alone() {
    let folder = data();
    let run = |arguments| {
        let run = folder.train(arguments);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let report: Value = serde_json::from_str(&run.stdout).expect("the report alone");
        report
    };
    let first = run("--epochs 2 --eval-every 1 --json");
    let second = run("--epochs 2 --eval-every 1 --json");
    assert_eq!(first["test"], second["test"]);
    assert_eq!(first["epochs"][1]["loss"], second["epochs"][1]["loss"]);
    let users = run("--epochs 2 --batch-by users --rank-by cosine --seed 1 --json");
    assert_ne!(first["epochs"][1]["loss"], users["epochs"][1]["loss"]);
}

/// The README's promise for the command without arguments, here on the CPU and after 3 epochs of 5:
/// the tastes are worth 9.8 times popularity's NDCG@20 to who knows them.
#[test]
fn the_built_in_data_are_learnt() {
    let mut command = wgloss();
    command.args(["train", "--device", "cpu", "--epochs", "3", "--json"]);
    let run = Run::of(command.output().expect("it runs"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).expect("the report alone");
    let ndcg = |metrics: &Value| {
        let at = (metrics["at"].as_array().expect("a list").iter()).find(|at| at["k"] == 20);
        at.expect("it is there")["ndcg"].as_f64().expect("a number")
    };
    let [model, popularity] = ["test", "popularity"].map(|of| ndcg(&report[of]));
    assert!(model > 5.0 * popularity, "{model} over {popularity}");
}

#[test]
fn losses_and_settings_that_are_wrong() {
    let folder = data();
    for (arguments, parts) in [
        (
            "--loss bprr",
            &["unknown loss `bprr`", "sl, info_nce, psl"][..],
        ),
        (
            "--tau1 0.1",
            &["unknown parameter `tau1`", "positive_in_sum"],
        ),
        ("--tau -1", &["sl: tau = -1"]),
        ("--tau zero", &["sl: tau = zero"]),
        (
            "--loss psl --activation sine",
            &["activation = sine", "tanh"],
        ),
        ("--loss psl --activation atan --score dot", &["atan"]),
        ("--lr -1", &["learning_rate = -1"]),
        ("--wd NaN", &["weight_decay = NaN"]),
        ("--dim 0", &["dim", "width of 1 to 1024"]),
        ("--init 0", &["deviation = 0"]),
        ("--epochs 0", &["epochs = 0", "at least 1"]),
        ("--eval-every 0", &["eval_every = 0"]),
        ("--lr nan", &["learning_rate = NaN"]),
        ("--batch 0", &["batch", "at least 1 interaction"]),
        ("--batch 0 --batch-by users", &["batch", "at least 1 "]),
        (
            "--loss psl --activation atan --score-scale 0.9",
            &["score_scale = 0.9", "tan 1 = 1.5574"],
        ),
        ("--draw uniform", &["--draw belongs to", "not to full"]),
        (
            "--negatives sampled=5 --log-q",
            &["--log-q belongs to", "not to sampled=5"],
        ),
        ("--momentum 0.9", &["--momentum belongs to --optimiser sgd"]),
        (
            "--optimiser sgd --momentum 1",
            &["sgd: momentum = 1", "0.9999999"],
        ),
        ("--patience 0", &["patience = 0"]),
        ("--k 5,0", &["ks: expected at least 1, got 0"]),
        ("--k 41", &["ks: expected at most 20, the number of items"]),
        ("--device reference", &["reference", "cpu"]),
        (
            "--loss sup_con",
            &["sup_con: compares samples with themselves", "exclude_self"],
        ),
        (
            "--loss nt_xent",
            &["nt_xent: compares samples with themselves"],
        ),
        (
            "--loss s2s_bce",
            &["s2s_bce: takes a number per item from the caller"],
        ),
        (
            "--loss uce --form exponential --margin 1.5",
            &["margin = 1.5"],
        ),
        ("--out /dev/null/out", &["/dev/null/out"]),
    ] {
        folder.train(arguments).fails_with(parts);
    }
}

#[test]
fn wrong_usage_ends_with_code_2() {
    let folder = data();
    for arguments in [
        "--negatives some",
        "--negatives sampled=0",
        "--negatives shared",
        "--schedule step=3",
        "--resume",
        "--batch-by weeks",
        "--epochs few",
        "--tua 1",
    ] {
        assert_eq!(folder.train(arguments).code, 2, "{arguments}");
    }
}

#[test]
fn divergence_is_one_line_with_epoch_and_settings() {
    let folder = data();
    let out = folder.out().display().to_string();
    let run = folder.train(&format!("--score dot --lr 1e30 --out {out}"));
    run.fails_with(&["diverged in epoch ", "learning_rate: 1e30", "tau: 1.0"]);
    let error = folder.result("report.json")["error"].clone();
    assert!(error.as_str().expect("a text").contains("diverged"));
}

/// Not after the work: what is there is looked at first.
#[test]
fn results_that_could_not_be_written_are_told_at_once() {
    let folder = data();
    let out = folder.out().display().to_string();
    let refused = |parts: &[&str]| {
        let run = folder.train(&format!("--epochs 1 --out {out}"));
        run.fails_with(parts);
        assert_eq!(run.stdout, "");
    };
    folder.write("out", "a file");
    refused(&["out: not a directory"]);
    std::fs::remove_file(folder.out()).expect("it was there");
    for name in ["report.json", "embeddings.safetensors"] {
        std::fs::create_dir_all(folder.out().join(name)).expect("a folder");
        refused(&[name, "is a directory"]);
        assert_eq!(folder.written(), [name]);
        std::fs::remove_dir(folder.out().join(name)).expect("it was there");
    }
}

/// Items may be there to be tested only; who has no training item is left out.
#[test]
fn items_and_users_of_one_file() {
    let folder = data();
    folder.write("data/test.tsv", "user\titem\n0\t45\n50\t3\n");
    let run = folder.train("--epochs 1");
    run.succeeds();
    for part in [
        "40 users × 21 items",
        "\n      left out: 1 user without training data, with 1 test interaction\n",
        "\n      in the test part only: 1 item\n",
    ] {
        assert!(run.stdout.contains(part), "no {part} in: {}", run.stdout);
    }
    // Known items are never recommended: nothing can be found, and no ratio is made of that.
    folder.write("data/test.tsv", "0\t0\n");
    let run = folder.train("--epochs 1");
    run.succeeds();
    for part in ["NaN", "-0.0"] {
        assert!(!run.stdout.contains(part), "{}", run.stdout);
    }
}

#[test]
fn files_that_are_no_data() {
    let folder = data();
    folder.write("data/train.tsv", "user\titem\n0\t1\n0;one\n");
    folder.train("").fails_with(&["train.tsv:3", "`0;one`"]);
    folder.write("data/train.tsv", "");
    folder
        .train("")
        .fails_with(&["train.tsv: the file holds no interactions"]);
    folder.write("data/train.tsv", b"user\titem\n0\t\xff\n");
    folder.train("").fails_with(&["train.tsv:2", "UTF-8"]);
    std::fs::remove_file(folder.path("data/train.tsv")).expect("it was there");
    folder.train("").fails_with(&["train.tsv", "No such file"]);
    std::fs::create_dir(folder.path("data/train.tsv")).expect("a folder");
    folder.train("").fails_with(&["train.tsv", "directory"]);
    let folder = data();
    std::fs::remove_file(folder.path("data/test.tsv")).expect("it was there");
    folder.train("").fails_with(&["test.tsv", "No such file"]);
}
