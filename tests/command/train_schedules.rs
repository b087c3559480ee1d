//! `wgloss train` with presets, adversaries, quantiles, references and scalars: the flags.

use crate::{Folder, Run, train::data, wgloss};
use serde_json::Value;

/// The report of a run.
fn report(folder: &Folder, arguments: &str) -> Value {
    let run = folder.train(&format!("{arguments} --json"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("the report alone")
}

#[test]
fn presets_set_what_is_not_given() {
    let folder = data();
    let run = report(
        &folder,
        "--loss bpr --preset sl-at-k/health --epochs 2 --lr 0.5",
    );
    let settings = &run["settings"];
    assert_eq!(run["preset"], "sl-at-k/health");
    assert_eq!(settings["negatives"]["sampled"], 1);
    assert_eq!(settings["init"]["kind"], "xavier_normal");
    assert_eq!(settings["optimiser"]["adam"]["weight_decay"], 1e-4);
    assert_eq!(settings["optimiser"]["adam"]["learning_rate"], 0.5);
    assert_eq!(settings["batching"]["by"], "interactions");
    assert_eq!(settings["epochs"], 2);
    let run = report(
        &folder,
        "--loss psl --preset psl/gowalla --activation atan --epochs 1 --negatives sampled=7",
    );
    assert_eq!(run["loss"]["tau"], 0.05);
    assert_eq!(run["loss"]["activation"], "atan");
    assert_eq!(run["settings"]["negatives"]["sampled"], 7);
}

#[test]
fn presets_are_listed_and_each_makes_its_loss() {
    let list = |more: &[&str]| {
        let mut command = wgloss();
        command.args(["losses", "--presets"]).args(more);
        let run = Run::of(command.output().expect("it runs"));
        run.succeeds();
        run.stdout
    };
    let text = list(&[]);
    let presets: Value = serde_json::from_str(&list(&["--json"])).expect("JSON");
    let presets = presets.as_array().expect("a list");
    assert_eq!(text.lines().count(), presets.len());
    for preset in presets {
        let [loss, name] = ["loss", "preset"].map(|key| preset[key].as_str().expect("text"));
        assert!(text.contains(name), "{name}");
        // Everything is checked before the data are read.
        let arguments = format!("--loss {loss} --preset {name} --data nowhere");
        let mut command = wgloss();
        command.arg("train").args(arguments.split_whitespace());
        let run = Run::of(command.output().expect("it runs"));
        assert!(
            run.stderr.contains("nowhere"),
            "{arguments}: {}",
            run.stderr
        );
    }
}

#[test]
fn an_adversary_has_epochs_of_its_own() {
    let folder = data();
    let moved = |arguments: &str| -> Vec<String> {
        let run = report(&folder, arguments);
        let epochs = run["epochs"].as_array().expect("a list").iter();
        let moved = epochs.map(|epoch| epoch["moved"].as_str().expect("text").to_owned());
        moved.collect()
    };
    let loss = "--loss adv_info_nce --epochs 5";
    assert_eq!(
        moved(loss),
        ["model", "model", "model", "model", "adversary"]
    );
    let before = moved(&format!("{loss} --adv-schedule before=2:1 --adv-lr 0.1"));
    assert_eq!(before, ["model", "both", "model", "model", "model"]);
    let run = folder.train(&format!("{loss} --adv-schedule replace=2"));
    run.succeeds();
    assert!(run.stdout.contains("(adversary's)"), "{}", run.stdout);
}

#[test]
fn scalars_and_quantiles_are_reported() {
    let folder = data();
    let run = folder.train("--loss llpauc --epochs 2");
    run.succeeds();
    assert!(run.stdout.contains("learnt: "), "{}", run.stdout);
    let run = report(&folder, "--loss llpauc --epochs 2");
    let scalars = run["scalars"].as_object().expect("an object");
    for name in ["a", "b", "s_pos", "s_neg", "gamma", "theta_a", "theta_b"] {
        assert!(scalars[name].is_f64(), "{name}: {scalars:?}");
    }
    let arguments = "--loss sl_at_k --loss-k 5 --epochs 4 --quantile-every 2 --eval-every 1";
    let run = report(&folder, arguments);
    assert_eq!(run["settings"]["select_at"], 5);
    assert_eq!(run["validation"]["k"], 5);
    let seconds = |epoch: usize| run["epochs"][epoch]["times"]["quantiles"].as_f64();
    assert_eq!(seconds(0), Some(0.0));
    assert!(seconds(1) > Some(0.0));
    let run = report(&folder, &format!("{arguments} --select-at 3"));
    assert_eq!(run["validation"]["k"], 3);
}

#[test]
fn a_saved_model_is_a_reference() {
    let folder = data();
    let model = folder.path("model").display().to_string();
    folder
        .train(&format!("--epochs 3 --dim 8 --out {model}"))
        .succeeds();
    let out = folder.out().display().to_string();
    let line = format!("--loss s_dpo --epochs 4 --eval-every 2 --dim 16 --out {out}");
    folder
        .train(&format!("{line} --reference {model}"))
        .succeeds();
    let with = folder.result("report.json")["epochs"].clone();
    // What the checkpoint holds need not be given again, and must not be another.
    folder.train(&format!("{line} --resume")).succeeds();
    (folder.train(&format!("{line} --resume --reference {model}"))).succeeds();
    folder
        .train(&format!("--epochs 1 --dim 8 --seed 5 --out {model}"))
        .succeeds();
    folder
        .train(&format!("{line} --resume --reference {model}"))
        .fails_with(&["resume", "another --reference"]);
    folder.train(&line).succeeds();
    let without = folder.result("report.json")["epochs"].clone();
    assert_ne!(with[3]["loss"], without[3]["loss"]);
    // Other users: another data set's model.
    folder.write("data/train.tsv", "user\titem\n0\t1\n1\t2\n1\t3\n");
    folder.write("data/test.tsv", "user\titem\n0\t2\n");
    folder
        .train(&format!("--loss s_dpo --epochs 1 --reference {model}"))
        .fails_with(&["--reference", "by name and in order"]);
}

#[test]
fn flags_that_are_out_of_place() {
    let folder = data();
    for (arguments, parts) in [
        (
            "--preset sl-at-k/nowhere",
            &[
                "loss sl: unknown preset `sl-at-k/nowhere`",
                "sl-at-k/health",
            ][..],
        ),
        ("--loss uss --preset psl/book", &["loss uss", "no presets"]),
        ("--adv-lr 0.1", &["--adv-lr belongs to", "not to sl"]),
        (
            "--loss adv_info_nce --adv-lr -1",
            &["adam: learning_rate = -1"],
        ),
        (
            "--quantile-every 5",
            &["--quantile-every belongs to", "not to sl"],
        ),
        (
            "--loss sl_at_k --quantile-every 0",
            &["quantile_every = 0", "at least 1"],
        ),
        (
            "--loss sl_at_k --loss-k 21",
            &["sl_at_k: k = 21", "1 to 20, the number of items"],
        ),
        ("--select-at 0", &["select_at = 0"]),
        ("--reference nowhere", &["nowhere"]),
        (
            "--loss s_dpo --loss-reference given --reference nowhere",
            &["nowhere"],
        ),
    ] {
        folder.train(arguments).fails_with(parts);
    }
    let model = folder.path("model").display().to_string();
    folder
        .train(&format!("--epochs 1 --out {model}"))
        .succeeds();
    let refused = folder.train(&format!("--reference {model}"));
    refused.fails_with(&["sl: takes no tables of a reference model"]);
    for arguments in [
        "--loss adv_info_nce --adv-schedule replace=1",
        "--loss adv_info_nce --adv-schedule sometimes",
        "--init glorot",
    ] {
        assert_eq!(folder.train(arguments).code, 2, "{arguments}");
    }
}
