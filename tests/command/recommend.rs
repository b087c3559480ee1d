//! `wgloss recommend`: whom it answers, in which words, and what it refuses.

use crate::{Folder, Run, evaluate::saved};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};
use wgloss::train::{Interactions, Names, SavedModel};

impl Folder {
    fn recommend(&self, arguments: &str) -> Run {
        let mut command = self.ask("recommend", "model", arguments);
        Run::of(command.output().expect("it runs"))
    }

    fn recommended(&self, arguments: &str) -> String {
        let run = self.recommend(arguments);
        run.succeeds();
        run.stdout
    }
}

#[test]
fn answers_are_in_the_words_of_the_data() {
    let folder = saved();
    // Not what training (a, d, d) and validation (ada's b) know, but what the test data know.
    let all = "ada\t1\tc\t3\nada\t2\td\t2\nbo\t1\tc\t2\nbo\t2\tb\t1\ncy\t1\ta\t5\ncy\t2\tb\t5\n";
    assert_eq!(folder.recommended("-k 2"), all);
    let known = folder.recommended("-k 1 --keep-known --user cy,ada");
    assert_eq!(known, "cy\t1\td\t10\nada\t1\ta\t5\n");
    // A list is shorter where there is no more to recommend.
    assert_eq!(folder.recommended("--user ada").lines().count(), 3);
    folder.write("some.txt", "bo\r\ncy\n");
    let some = folder.recommended("-k 2 --users some.txt");
    assert_eq!(some, all.split_inclusive('\n').skip(2).collect::<String>());
    let cosine = folder.recommended("-k 1 --user bo --rank-by cosine");
    assert!(cosine.starts_with("bo\t1\te\t0.7071"), "{cosine}");
    folder.recommend("-k 2 --out answer.tsv").succeeds();
    let written = fs::read_to_string(folder.path("answer.tsv")).expect("it is there");
    assert_eq!(written, all);
}

#[test]
fn json_is_an_object_a_line() {
    let folder = saved();
    let lines = folder.recommended("-k 2 --user ada,cy --json");
    let found: Vec<Value> = (lines.lines())
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let items = json!([{"item": "c", "score": 3.0}, {"item": "d", "score": 2.0}]);
    assert_eq!(found[0], json!({"user": "ada", "items": items}));
    assert_eq!((found.len(), &found[1]["user"]), (2, &json!("cy")));
}

#[test]
fn wrong_users_and_numbers() {
    let folder = saved();
    folder.write("some.txt", "bo\nadam\n");
    folder.write("empty.txt", "");
    folder.write("binary.txt", b"\xff\xfe");
    for (arguments, parts) in [
        (
            "--user ada,adam",
            &["--user", "unknown user `adam`", "has 3"][..],
        ),
        ("--users some.txt", &["some.txt:2", "`adam`"]),
        ("--users empty.txt", &["empty.txt", "a user a line"]),
        ("--users binary.txt", &["binary.txt", "UTF-8"]),
        ("--users absent.txt", &["absent.txt", "No such file"]),
        ("-k 0", &["at least 1, got 0"]),
        ("-k 6", &["at most 5, the number of items, got 6"]),
        ("--out nowhere/x.tsv", &["nowhere/x.tsv"]),
        ("--users some.txt --out some.txt", &["some.txt", "replace"]),
    ] {
        folder.recommend(arguments).fails_with(parts);
    }
    let kept = fs::read_to_string(folder.path("some.txt")).expect("it is there");
    assert_eq!(kept, "bo\nadam\n");
    let both = folder.recommend("--user bo --users some.txt");
    assert_eq!(both.code, 2, "{}", both.stderr);
}

#[test]
fn names_with_tabs_need_json() {
    let folder = saved();
    let mut model = crate::evaluate::model();
    let names = ["a", "b\tb", "c", "d", "e"].map(str::to_owned);
    model.tokens.items = Names::new(names.into()).expect("names");
    model.save(&folder.path("model")).expect("it can be saved");
    folder.recommend("").fails_with(&[r#""b\tb""#, "--json"]);
    assert!(folder.recommended("--user bo --json").contains(r#""b\tb""#));
}

/// Far more lines than a pipe holds; the reader takes one.
#[test]
fn a_reader_may_leave() {
    let folder = saved();
    let mut model: SavedModel = crate::evaluate::model();
    let users = 20_000;
    model.embeddings.queries = [1.0, 0.5].repeat(users);
    model.tokens.users = Names::numbered(users).expect("names");
    let none = Interactions::from_lists(5, &vec![vec![]; users]).expect("lists");
    model.folds.train = none.clone();
    model.folds.validation = none.clone();
    model.folds.test = none;
    model.save(&folder.path("model")).expect("it can be saved");
    let mut command = folder.ask("recommend", "model", "");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    stdout.read_line(&mut line).expect("a line");
    drop(stdout);
    assert_eq!(line, "0\t1\td\t6\n");
    let run = Run::of(child.wait_with_output().expect("it ends"));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}
