//! From a data file with names to answers in those names.

use crate::{Folder, Run, wgloss};
use serde_json::Value;
use std::collections::BTreeSet;

/// A `RecBole` file: thirty users who like what their half of the alphabet begins with.
fn inter() -> String {
    let mut lines = String::from("user_id:token\titem_id:token\trating:float\ttimestamp:float\r\n");
    for user in 0..30usize {
        for place in 0..9 {
            // Every user leaves out some items of the half, and nobody the same ones.
            let letter = b'a' + ((user % 2) * 13 + (place + user * 5) % 12) as u8;
            let (letter, time) = (char::from(letter), 30 * place + user);
            lines += &format!("user {user}@example.org\t{letter}/item\t5\t{time}\r\n");
        }
    }
    lines
}

impl Folder {
    fn run(&self, line: &str) -> Run {
        let mut command = wgloss();
        command.current_dir(self.path(""));
        command.args(line.split_whitespace());
        Run::of(command.output().expect("it runs"))
    }
}

#[test]
fn a_recbole_file_is_trained_on_and_answered_from_by_its_names() {
    let folder = Folder::new();
    folder.write("mine.inter", inter());
    let train = "train --device cpu --data mine.inter --dim 8 --epochs 60 --batch 64 --out model";
    let run = folder.run(train);
    run.succeeds();
    assert!(
        run.stdout.contains("split 80/20 per user"),
        "{}",
        run.stdout
    );

    let run = folder.run("recommend model -k 3 --json");
    run.succeeds();
    let answers: Vec<Value> = (run.stdout.lines())
        .map(|line| serde_json::from_str(line).expect("an object a line"))
        .collect();
    assert_eq!(answers.len(), 30);
    let mut right = 0;
    for answer in &answers {
        let name = answer["user"].as_str().expect("a name");
        let number: usize = (name.strip_prefix("user ").expect("its name"))
            .trim_end_matches("@example.org")
            .parse()
            .expect("a number");
        for item in answer["items"].as_array().expect("a list") {
            let item = item["item"].as_str().expect("a name");
            let letter = item.strip_suffix("/item").expect("its name").as_bytes()[0];
            right += usize::from(usize::from(letter - b'a') / 13 == number % 2);
        }
    }
    // Of 90, half would be chance.
    assert!(right > 80, "{right} of 90 are of the user's half");

    let one = wgloss()
        .current_dir(folder.path(""))
        .args([
            "recommend",
            "model",
            "-k",
            "2",
            "--user",
            "user 7@example.org",
        ])
        .output();
    let one = Run::of(one.expect("it runs"));
    one.succeeds();
    let users: BTreeSet<&str> = (one.stdout.lines())
        .filter_map(|line| line.split('\t').next())
        .collect();
    assert_eq!(users, BTreeSet::from(["user 7@example.org"]));
    assert_eq!(one.stdout.lines().count(), 2);

    let run = folder.run("evaluate model --k 3 --metrics ndcg,hit_ratio --json");
    run.succeeds();
    let found: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let report: Value =
        serde_json::from_slice(&std::fs::read(folder.path("model/report.json")).expect("a report"))
            .expect("JSON");
    assert_eq!(found["epoch"], report["best_epoch"]);
    assert_eq!(found["data"], report["data"]["fingerprint"]);
}
