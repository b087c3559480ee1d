//! Runs that are killed, and go on.

use crate::{Folder, train::data};
use serde_json::Value;
use std::{
    fs,
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

/// What an undisturbed run leaves: the embeddings' file, and the losses.
fn left_by(folder: &Folder) -> (Vec<u8>, Vec<f64>) {
    let embeddings = fs::read(folder.out().join("embeddings.safetensors")).expect("a file");
    let report = folder.result("report.json");
    let epochs = report["epochs"].as_array().expect("a list").iter();
    let loss = |epoch: &Value| epoch["loss"].as_f64().expect("a number");
    (embeddings, epochs.map(loss).collect())
}

/// A number that nobody chose.
fn random(below: u64) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::from(now.expect("a clock").subsec_nanos()) / 7 % below
}

/// Kills the run again and again, at random moments, until it comes to its end.
fn kill_and_resume(arguments: &str, device: &str) {
    let whole = data();
    let line = |folder: &Folder| {
        let out = folder.out().display().to_string();
        format!("{arguments} --eval-every 2 --device {device} --resume --out {out}")
    };
    let start = Instant::now();
    whole.train(&line(&whole)).succeeds();
    let time = start.elapsed().as_millis() as u64;
    let folder = data();
    let mut killed = 0;
    for _ in 0..100 {
        let mut run = folder.training(&line(&folder));
        let run = run.stdout(Stdio::null()).stderr(Stdio::null());
        let mut run = run.spawn().expect("it runs");
        // Longer each time, so that it ends once.
        let patience = time / 8 + random(time / 2) + time * killed / 8;
        sleep(Duration::from_millis(patience));
        if run.try_wait().expect("it can be asked").is_some() {
            break;
        }
        run.kill().expect("it can be killed");
        run.wait().expect("it is gone");
        killed += 1;
    }
    println!("{device}: killed {killed} times");
    assert!(killed > 0, "it was too fast to be killed");
    folder.train(&line(&folder)).succeeds();
    assert!(left_by(&whole) == left_by(&folder), "after {killed} kills");
    // Nothing half written stays.
    assert_eq!(folder.written(), whole.written());
}

#[test]
fn a_killed_run_ends_with_the_same_bits() {
    kill_and_resume(
        "--epochs 600 --batch 50 --negatives sampled=20 --warmup 3",
        "cpu",
    );
}

#[test]
fn a_killed_run_ends_with_the_same_bits_on_the_gpu() {
    kill_and_resume(
        "--epochs 30 --batch 100 --negatives in-batch --dim 16",
        "gpu",
    );
}

#[test]
fn a_finished_run_is_not_trained_again() {
    let folder = data();
    let out = folder.out().display().to_string();
    let line = format!("--epochs 4 --eval-every 2 --resume --out {out}");
    let first = folder.train(&line);
    first.succeeds();
    assert!(
        first.stdout.contains("no checkpoint yet"),
        "{}",
        first.stdout
    );
    let left = left_by(&folder);
    let second = folder.train(&line);
    second.succeeds();
    assert!(
        second.stdout.contains("going on after epoch 4"),
        "{}",
        second.stdout
    );
    assert!(left == left_by(&folder));
}

#[test]
fn another_run_is_refused_and_nothing_is_lost() {
    let folder = data();
    let out = folder.out().display().to_string();
    let line = |more: &str| format!("--epochs 4 --eval-every 2 --out {out} {more}");
    folder.train(&line("")).succeeds();
    let left = left_by(&folder);
    for (more, parts) in [
        (
            "--tau 0.3 --resume",
            &["another loss", "tau: 0.2", "tau: 0.3"][..],
        ),
        ("--seed 3 --resume", &["another data set"]),
        ("--lr 0.2 --resume", &["settings", "learning_rate: 0.2"]),
    ] {
        folder.train(&line(more)).fails_with(parts);
    }
    fs::write(
        folder.path("data/train.tsv"),
        "user\titem\n0\t1\n1\t2\n1\t3\n",
    )
    .expect("a file");
    (folder.train(&line("--resume"))).fails_with(&["another data set"]);
    assert!(left == left_by(&folder));
    fs::write(folder.out().join("checkpoint.safetensors"), "no").expect("a file");
    let broken = folder.train(&line("--resume"));
    broken.fails_with(&["checkpoint.safetensors", "whole safetensors"]);
}
