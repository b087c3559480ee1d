//! `wgloss evaluate`: what it measures, and what it refuses.

use crate::{Folder, Run, wgloss};
use serde_json::Value;
use std::{collections::HashMap, fs, process::Command};
use wgloss::{
    loss::Score,
    train::{Embeddings, Folds, Interactions, Names, SavedModel, Tokens},
};

/// Three users and five items. By the dot product ada ranks a b c d e, bo d c b e a, cy d a b c e.
pub(crate) fn model() -> SavedModel {
    let names = |of: [&str; 3]| Names::new(of.map(str::to_owned).into()).expect("names");
    let items = ["a", "b", "c", "d", "e"].map(str::to_owned);
    let part = |lists: [Vec<u32>; 3]| Interactions::from_lists(5, &lists).expect("lists");
    SavedModel {
        embeddings: Embeddings {
            dim: 2,
            queries: vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0],
            candidates: vec![5.0, 0.0, 4.0, 1.0, 3.0, 2.0, 2.0, 8.0, 1.0, 1.0],
        },
        rank_by: Score::Dot,
        epoch: Some(7),
        tokens: Tokens {
            users: names(["ada", "bo", "cy"]),
            items: Names::new(items.into()).expect("names"),
        },
        folds: Folds {
            train: part([vec![0], vec![3], vec![3]]),
            validation: part([vec![1], vec![], vec![]]),
            test: part([vec![2], vec![2], vec![]]),
        },
    }
}

/// A folder with `model` saved in `model`.
pub(crate) fn saved() -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.path("model")).expect("a folder");
    model()
        .save(&folder.path("model"))
        .expect("it can be saved");
    folder
}

impl Folder {
    /// A command on `MODEL`, a file or folder of this folder, with further arguments.
    pub(crate) fn ask(&self, command: &str, model: &str, arguments: &str) -> Command {
        let mut asked = wgloss();
        asked.arg(command).arg(self.path(model));
        asked.current_dir(self.path(""));
        asked.args(arguments.split_whitespace());
        asked
    }

    fn evaluate(&self, model: &str, arguments: &str) -> Run {
        let mut command = self.ask("evaluate", model, arguments);
        Run::of(command.output().expect("it runs"))
    }

    fn measured(&self, model: &str, arguments: &str) -> Value {
        let run = self.evaluate(model, &format!("{arguments} --json"));
        // Standard error may tell what became of the data.
        assert_eq!(run.code, 0, "{}", run.stderr);
        serde_json::from_str(&run.stdout).expect("the answer is JSON")
    }

    /// Another program's file: tables of these types and shapes, without a note.
    pub(crate) fn tables(&self, name: &str, tables: &[(&str, safetensors::Dtype, [usize; 2])]) {
        let width = |dtype| match dtype {
            safetensors::Dtype::F16 => 2,
            _ => 4,
        };
        let bytes = |dtype, [rows, dim]: [usize; 2]| vec![0; rows * dim * width(dtype)];
        let tables: Vec<_> = (tables.iter())
            .map(|&(name, dtype, shape)| (name, dtype, shape, bytes(dtype, shape)))
            .collect();
        let views = tables.iter().map(|(name, dtype, shape, bytes)| {
            let view = safetensors::tensor::TensorView::new(*dtype, shape.to_vec(), bytes);
            (name.to_owned(), view.expect("its length fits"))
        });
        let views: HashMap<_, _> = views.collect();
        safetensors::serialize_to_file(views, None, &self.path(name)).expect("it can be written");
    }
}

#[test]
fn a_saved_model_is_measured() {
    let folder = saved();
    let found = folder.measured("model", "--k 1,2 --metrics all");
    // Without a, ada finds c at place 2; without d, bo finds it at place 1.
    assert_eq!((&found["users"], &found["epoch"]), (&2.into(), &7.into()));
    assert_eq!(found["metrics"][0]["recall"], 0.5);
    assert_eq!(found["metrics"][1]["mrr"], 0.75);
    assert_eq!(found["metrics"][1]["k"], 2);
    // Without ada's own a, and d for the others: items a, b, c, in this order, have no users left.
    assert_eq!(found["popularity"][0]["recall"], 0.0);
    let first = |arguments| folder.measured("model", arguments)["metrics"][0].clone();
    assert_eq!(first("--k 1 --mask-validation")["recall"], 1.0);
    assert_eq!(first("--k 2 --average all")["mrr"], 0.5);
    assert_eq!(first("--k 1 --on validation")["recall"], 1.0);
    // By the cosine, bo ranks d, then e before c.
    assert_eq!(
        first("--k 2 --rank-by cosine --average all")["hit_ratio"],
        2.0 / 3.0
    );
    assert!(first("--metrics ndcg").get("recall").is_none());
    // Of 5, 20 and 50, there are so many items for one alone.
    let usual = folder.measured("model", "");
    assert_eq!(usual["metrics"].as_array().expect("a list").len(), 1);
}

#[test]
fn tables_show_metrics_beside_popularity() {
    let folder = saved();
    let run = folder.evaluate("model", "--k 1,3 --metrics recall,mrr_ir");
    run.succeeds();
    let lines: Vec<Vec<&str>> = (run.stdout.lines())
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["K", "test", "recall", "mrr_ir"]);
    assert_eq!(lines[1], ["1", "popularity", "0.0000", "0.0000"]);
    assert_eq!(lines[2], ["model", "0.5000", "0.5000"]);
    assert_eq!(lines[3], ["ratio", "-", "-"]);
    assert_eq!(lines[5], ["model", "1.0000", "0.7500"]);
    let out = folder.evaluate("model", "--k 1,3 --metrics recall,mrr_ir --out table.txt");
    out.succeeds();
    assert_eq!(out.stdout, "");
    let written = fs::read_to_string(folder.path("table.txt")).expect("it is there");
    assert_eq!(written, run.stdout);
}

#[test]
fn embeddings_made_elsewhere_are_measured_on_data() {
    let folder = saved();
    fs::create_dir(folder.path("data")).expect("a folder");
    folder.write("data/train.tsv", "0\t0\n1\t3\n2\t3\n");
    folder.write("data/test.tsv", "0\t2\n1\t2\n2\t4\n");
    let file = "model/embeddings.safetensors";
    let found = folder.measured(file, "--data data --k 2");
    assert_eq!(found["metrics"][0]["mrr"], 0.5);
    let (f16, f32) = (safetensors::Dtype::F16, safetensors::Dtype::F32);
    folder.tables(
        "half.safetensors",
        &[("users", f16, [3, 4]), ("items", f16, [5, 4])],
    );
    let found = folder.measured("half.safetensors", "--data data --k 2");
    assert_eq!(found["rank_by"], "dot");
    // All scores are 0: items by their ids, so that ada finds c at place 2.
    assert_eq!(found["metrics"][0]["mrr"], 0.5 / 3.0);
    folder.tables(
        "small.safetensors",
        &[("queries", f32, [3, 4]), ("candidates", f32, [4, 4])],
    );
    let run = folder.evaluate("small.safetensors", "--data data");
    run.fails_with(&["does not know item `4`"]);
    // Names that are no numbers stand for rows in their order, as many as there are.
    fs::create_dir(folder.path("named")).expect("a folder");
    folder.write("named/train.tsv", "a\tx\nb\ty\nc\ty\n");
    folder.write("named/test.tsv", "a\ty\n");
    let run = folder.evaluate("small.safetensors", "--data named");
    run.fails_with(&["3 users × 4 items", "3 users × 2 items"]);
    // A folder's names find their rows, whichever of them the data have.
    folder.write("named/train.tsv", "ada\tb\nbo\ta\n");
    folder.write("named/test.tsv", "ada\tc\n");
    let found = folder.measured("model", "--data named --k 2");
    assert_eq!(
        (&found["users"], &found["metrics"][0]["mrr"]),
        (&1.into(), &0.5.into())
    );
    let told = folder.evaluate("model", "--data named").stderr;
    assert_eq!(told, "wgloss: named: in the test part only: 1 item\n");
    folder.write("named/test.tsv", "ada\tzebra\n");
    let run = folder.evaluate("model", "--data named");
    run.fails_with(&["does not know item `zebra`"]);
    let run = folder.evaluate(file, "");
    run.fails_with(&["embeddings.safetensors", "--data"]);
    let run = folder.evaluate(file, "--data data --on validation");
    run.fails_with(&["validation part", "none"]);
}

#[test]
fn arguments_that_are_wrong() {
    let folder = saved();
    fs::create_dir(folder.path("here")).expect("a folder");
    for (arguments, parts) in [
        ("--k 1,0", &["ks", "at least 1, got 0"][..]),
        ("--k 6", &["at most 5, the number of items, got 6"]),
        ("--metrics auc", &["unknown metric `auc`", "recall"]),
        ("--on validation --mask-validation", &["--mask-validation"]),
        ("--out nowhere/x.txt", &["nowhere/x.txt"]),
        ("--out here", &["here", "is a directory"]),
        ("--out model/users.txt", &["model/users.txt", "replace"]),
        ("--data nowhere", &["nowhere", "No such file"]),
        ("--out x.txt --data nowhere", &["nowhere", "No such file"]),
    ] {
        folder.evaluate("model", arguments).fails_with(parts);
    }
    assert!(!folder.path("x.txt").exists());
    folder
        .evaluate("absent", "")
        .fails_with(&["absent", "No such file"]);
    for arguments in ["--k few", "--on train", "--average some"] {
        assert_eq!(folder.evaluate("model", arguments).code, 2, "{arguments}");
    }
}

#[test]
fn damaged_models_are_one_line() {
    for name in ["embeddings.safetensors", "data.safetensors"] {
        let folder = saved();
        let path = folder.path("model").join(name);
        let whole = fs::read(&path).expect("it is there");
        for length in [0, 7, 8, 40, whole.len() - 1] {
            fs::write(&path, &whole[..length]).expect("it can be written");
            folder
                .evaluate("model", "")
                .fails_with(&[name, "whole safetensors file"]);
        }
        // A header of 2⁶³ bytes.
        fs::write(&path, [0, 0, 0, 0, 0, 0, 0, 0x80, b'{']).expect("it can be written");
        folder
            .evaluate("model", "")
            .fails_with(&[name, "whole safetensors file"]);
        fs::remove_file(&path).expect("it was there");
        folder
            .evaluate("model", "")
            .fails_with(&[name, "No such file"]);
    }
    let folder = saved();
    folder.write("model/items.txt", "a\nb\nc\n");
    folder
        .evaluate("model", "")
        .fails_with(&["items.txt: expected 5 items", "got 3"]);
    folder.write("model/items.txt", "a\nb\nc\ne\nd\n");
    folder
        .evaluate("model", "")
        .fails_with(&["data.safetensors", "other names"]);
}
