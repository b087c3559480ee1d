//! `wgloss train --data`: formats, and what is left out.

use crate::{Folder, Run, wgloss};
use serde_json::Value;

/// Twenty users with ten rated items each, by words, and one with a single item that is rated 1.
fn ratings() -> Folder {
    let folder = Folder::new();
    let mut text = String::from("user,item,rating\nloner,rarity,1\n");
    for user in 0..20 {
        for place in 0..10 {
            let item = (place * 3 + user) % 20;
            text += &format!("u-{user},\"the item, {item}\",{}\n", 3 + place % 3);
        }
    }
    folder.write("ratings.csv", text);
    folder
}

fn train(folder: &Folder, arguments: &str) -> Run {
    let mut command = wgloss();
    command.args(["train", "--device", "cpu", "--epochs", "1", "--data"]);
    command.arg(folder.path("ratings.csv"));
    command.args(arguments.split_whitespace());
    Run::of(command.output().expect("it runs"))
}

#[test]
fn notes_follow_the_data() {
    let run = train(&ratings(), "--seed 4");
    run.succeeds();
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].contains("21 users × 21 items"), "{}", lines[0]);
    assert_eq!(lines[1], "      split 80/20 per user with seed 4");
    assert!(lines[2].starts_with("device: "), "{}", lines[2]);
}

#[test]
fn options_arrive_and_the_report_has_the_notes() {
    let run = train(
        &ratings(),
        "--format columns --core 2 --min-rating 3 --split --json",
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).expect("the report alone");
    let data = &report["data"];
    assert_eq!((&data["users"], &data["items"]), (&20.into(), &20.into()));
    let notes = [
        "left out: 1 interaction rated below 3",
        "2-core: 20 of 20 users, 20 of 20 items and 200 of 200 interactions remain",
        "split 80/20 per user with seed 0",
    ];
    assert_eq!(data["notes"], serde_json::json!(notes));
}

#[test]
fn options_that_do_not_fit() {
    let folder = ratings();
    train(&folder, "--core 100").fails_with(&["ratings.csv", "100-core: 0 of 21 users"]);
    train(&folder, "--min-rating nan").fails_with(&["min_rating = NaN"]);
    train(&folder, "--format ir-benchmark").fails_with(&["ratings.csv: ir-benchmark", "a folder"]);
    train(&folder, "--format inter").fails_with(&["ratings.csv:1: expected a header of names"]);
    assert_eq!(train(&folder, "--format tsv").code, 2);
    for arguments in ["--core 5", "--min-rating 3", "--split", "--format columns"] {
        let mut command = wgloss();
        command.arg("train").args(arguments.split(' '));
        let run = Run::of(command.output().expect("it runs"));
        assert_eq!(run.code, 2, "{arguments} without --data");
    }
}
