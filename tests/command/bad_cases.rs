//! Case files that cannot be evaluated.

use crate::{Folder, Run, good, wgloss, with};
use serde_json::{Value, json};

/// The case alone fails with a message that names the file and contains `parts`, and a good case
/// beside it is evaluated all the same.
fn rejected(case: &Value, parts: &[&str]) {
    let folder = Folder::new();
    let bad = folder.case("bad.json", case);
    rejected_beside_a_good_one(&folder, &bad, parts);
}

fn rejected_beside_a_good_one(folder: &Folder, bad: &std::path::Path, parts: &[&str]) {
    let good = folder.case("good.json", &good());
    let run = folder.compute(&[bad, &good]);
    run.fails_with(parts);
    run.fails_with(&["bad.json"]);
    assert_eq!(folder.written(), ["good.json"]);
    assert!(
        run.stdout.contains("1 of 2 cases evaluated"),
        "{}",
        run.stdout
    );
}

fn rejected_text(text: impl AsRef<[u8]>, parts: &[&str]) {
    let folder = Folder::new();
    let bad = folder.write("bad.json", text);
    rejected_beside_a_good_one(&folder, &bad, parts);
}

#[test]
fn files_that_are_no_cases() {
    rejected_text("", &["empty"]);
    rejected_text("{\n\"loss\": ", &["bad.json:2", "EOF"]);
    rejected_text("[1, 2]", &["expected an object"]);
    rejected_text("{\"loss\": 1, \"loss\": 2}", &["`loss` appears twice"]);
    rejected_text([0xff, 0xfe], &["UTF-8"]);
    let folder = Folder::new();
    rejected_beside_a_good_one(&folder, &folder.path("bad.json"), &["No such file"]);
    std::fs::create_dir(folder.path("bad.json")).expect("a folder");
    rejected_beside_a_good_one(&folder, &folder.path("bad.json"), &["directory"]);
}

#[test]
fn losses_and_parameters() {
    rejected(
        &with(json!({"loss": {"loss": "slx"}})),
        &["`slx`", "sl, info_nce, psl"],
    );
    rejected(&with(json!({"loss": {"tau": 1.0}})), &["loss", "NAME"]);
    rejected(&with(json!({"loss": "sl"})), &["loss: invalid type"]);
    rejected(
        &with(json!({"loss": {"loss": "sl", "taux": 1.0}})),
        &[
            "parameter `taux`",
            "tau, positive_in_sum, score, score_scale",
        ],
    );
    rejected(
        &with(json!({"loss": {"loss": "sl", "tau": "hot"}})),
        &["loss", "\"hot\""],
    );
    rejected(
        &with(json!({"loss": {"loss": "psl", "activation": "sine"}})),
        &["loss", "`sine`", "atan"],
    );
    for tau in [0.0, -1.0] {
        rejected(
            &with(json!({"loss": {"loss": "sl", "tau": tau}})),
            &["tau", "above 0"],
        );
    }
    rejected(
        &with(json!({"loss": {"loss": "psl", "activation": "atan", "score": "dot"}})),
        &["psl: score", "cosine"],
    );
    rejected(
        &with(json!({"loss": {"loss": "psl", "activation": "atan", "score_scale": 0.8}})),
        &["psl: score_scale", "tan 1"],
    );
    rejected(&with(json!({"loss": {"loss": "bsl"}})), &["loss", "form"]);
    rejected(
        &with(json!({"loss": {"loss": "bsl", "form": "single", "tau": 0.1, "tau1": 0.1}})),
        &["loss", "tau1"],
    );
    rejected(
        &with(json!({"loss": {"loss": "psl", "method": 2}, "reduction": "sum"})),
        &["method 2", "mean"],
    );
}

#[test]
fn fields() {
    for name in ["loss", "queries", "candidates", "positives"] {
        let mut case = good();
        case.as_object_mut().expect("an object").remove(name);
        rejected(&case, &[name, "is missing"]);
        rejected(&with(json!({ name: null })), &[name, "is missing"]);
        rejected(&with(json!({ name: true })), &[name, "invalid type"]);
    }
    rejected(&with(json!({"querys": []})), &["field `querys`", "queries"]);
    rejected(
        &with(json!({"name": "../elsewhere"})),
        &["name", "plain file name"],
    );
    rejected(&with(json!({"name": ""})), &["name", "plain file name"]);
    rejected(
        &with(json!({"reduction": "max"})),
        &["`max`", "mean, sum, none"],
    );
    rejected(
        &with(json!({"reduction": "none"})),
        &["upstream", "missing"],
    );
    rejected(
        &with(json!({"upstream": [1.0, 1.0, 1.0]})),
        &["upstream", "none"],
    );
    rejected(
        &with(json!({"bias": 1.0})),
        &["bias", "no input of loss sl"],
    );
    rejected(
        &with(json!({"adv_queries": [[1.0]]})),
        &["adv_queries", "no input"],
    );
    rejected(
        &with(json!({"loss": {"loss": "uss"}})),
        &["bias", "missing"],
    );
    rejected(
        &with(json!({"loss": {"loss": "adv_info_nce"}})),
        &["adv_queries", "missing"],
    );
    rejected(
        &with(json!({"columns": [0], "negatives": [[0], [1], [2]]})),
        &["columns"],
    );
}

#[test]
fn matrices() {
    rejected(
        &with(json!({"queries": []})),
        &["queries", "at least one row"],
    );
    rejected(
        &with(json!({"queries": [[], [], []]})),
        &["queries", "got 0"],
    );
    rejected(
        &with(json!({"queries": [[1.0, 2.0], [1.0], [1.0, 2.0]]})),
        &["queries", "ragged: row 1"],
    );
    rejected(
        &with(json!({"queries": [[1.0, "x"]]})),
        &["queries", "\"x\""],
    );
    rejected(
        &with(json!({"queries": [[1.0, null]]})),
        &["queries", "null"],
    );
    rejected(&with(json!({"dim": 3})), &["queries", "rows of 3 numbers"]);
    rejected(
        &with(json!({"candidates": [[1.0], [2.0]]})),
        &["candidates", "2 numbers"],
    );
    rejected(
        &with(json!({"grad_queries": [[1.0, 2.0]]})),
        &["grad_queries", "3 × 2"],
    );
    rejected_text(
        r#"{"loss": {"loss": "sl"}, "queries": [[NaN]], "candidates": [[1]], "positives": [0]}"#,
        &["bad.json:1", "NaN"],
    );
    let huge = good().to_string().replace("[1.0,0.0]", "[1e999,0.0]");
    rejected_text(huge, &["number out of range"]);
}

#[test]
fn ids_and_lengths() {
    rejected(
        &with(json!({"positives": [0, 1, 4]})),
        &["positives[2]", "id 4", "4 rows"],
    );
    rejected(
        &with(json!({"positives": [0, 1, -1]})),
        &["positives", "-1"],
    );
    rejected(
        &with(json!({"positives": [0, 1, 0.5]})),
        &["positives", "0.5"],
    );
    rejected(
        &with(json!({"positives": [0, 1]})),
        &["positives", "3 entries"],
    );
    rejected(
        &with(json!({"positives": {"offsets": [0, 2, 1, 3], "ids": [0, 1, 2]}})),
        &["positives", "ascending"],
    );
    rejected(
        &with(json!({"positives": {"offset": [0], "ids": []}})),
        &["positives", "`offset`"],
    );
    rejected(&with(json!({"rows": [0, 1, 3]})), &["rows[2]", "id 3"]);
    rejected(&with(json!({"rows": [0, 1]})), &["rows", "3 ids"]);
    rejected(
        &with(json!({"negatives": [[0, 1], [2], [3, 0]]})),
        &["negatives", "ragged: row 1"],
    );
    rejected(
        &with(json!({"negatives": [[0], [1], [9]]})),
        &["negatives[2]", "id 9"],
    );
    rejected(
        &with(json!({"negatives": [[0], [1]]})),
        &["negatives", "3 rows"],
    );
    rejected(&with(json!({"negatives": [[], [], []]})), &["negatives"]);
    rejected(&with(json!({"columns": []})), &["columns"]);
    rejected(&with(json!({"columns": [4]})), &["columns[0]", "id 4"]);
    rejected(
        &with(json!({"exclude": {"offsets": [0, 1], "ids": [0]}})),
        &["exclude", "4 offsets"],
    );
    rejected(&with(json!({"log_q": [0.0]})), &["log_q", "4 numbers"]);
    rejected(
        &with(json!({"row_weights": [0.0]})),
        &["row_weights", "3 numbers"],
    );
    rejected(
        &with(json!({"reduction": "none", "upstream": [1.0]})),
        &["upstream", "3 numbers"],
    );
    rejected(
        &with(json!({"row_values": [1.0]})),
        &["row_values", "3 numbers"],
    );
}

/// An npy file of f4 numbers with one column.
fn npy(numbers: &[f32]) -> Vec<u8> {
    let shape = numbers.len();
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}, 1), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).expect("short").to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

#[test]
fn matrices_in_files() {
    let folder = Folder::new();
    folder.write("nan.npy", npy(&[1.0, f32::NAN, 1.0]));
    folder.write("text.npy", "no numbers");
    folder.write("text.safetensors", "no tensors");
    for (place, parts) in [
        (json!({"npy": "nan.npy"}), vec!["queries[1]", "NaN"]),
        (
            json!({"npy": "text.npy"}),
            vec!["queries", "text.npy", "not an npy file"],
        ),
        (
            json!({"npy": "gone.npy"}),
            vec!["queries", "gone.npy", "No such file"],
        ),
        (json!({"npy": 3}), vec!["queries", "invalid type"]),
        (json!({"npz": "x"}), vec!["queries", "`npz`"]),
        (json!({}), vec!["queries", "safetensors"]),
        (
            json!({"safetensors": "text.safetensors"}),
            vec!["queries", "tensor"],
        ),
        (
            json!({"safetensors": "text.safetensors", "tensor": "q"}),
            vec!["queries", "text.safetensors"],
        ),
    ] {
        let case = with(json!({
            "dim": 1, "queries": place, "candidates": [[1.0], [1.0], [2.0], [3.0]],
        }));
        let bad = folder.case("bad.json", &case);
        rejected_beside_a_good_one(&folder, &bad, &parts);
    }
}

#[test]
fn results_beyond_f32() {
    let case = with(json!({
        "loss": {"loss": "sl", "score": "dot"},
        "queries": [[1e38, 1e38], [0.5, 0.5], [-1.0, 0.25]],
    }));
    let folder = Folder::new();
    let bad = folder.case("bad.json", &case);
    // Within f64's range.
    folder.compute(&[&bad]).succeeds();
    let run = folder.compute_on("cpu", &[&bad]);
    run.fails_with(&["bad.json", "expected a finite number"]);
}

#[test]
fn two_cases_of_one_name_are_refused_before_anything_is_written() {
    let folder = Folder::new();
    let a = folder.case("a.json", &with(json!({"name": "same"})));
    let b = folder.case("b.json", &with(json!({"name": "same"})));
    let run = folder.compute(&[&a, &b]);
    run.fails_with(&["`same`", "a.json", "b.json"]);
    folder.compute(&[&a, &a]).fails_with(&["`same`"]);
    assert!(folder.written().is_empty());
}

#[test]
fn results_never_replace_a_case() {
    let folder = Folder::new();
    let case = folder.case("a.json", &good());
    let before = std::fs::read(&case).expect("it is there");
    let mut command = wgloss();
    command.args(["compute", "--device", "cpu", "--out"]);
    command.arg(folder.0.path()).arg(&case);
    Run::of(command.output().expect("it runs")).fails_with(&["a.json", "replace"]);
    assert_eq!(std::fs::read(&case).expect("it is still there"), before);
}

#[test]
fn an_output_folder_that_cannot_be() {
    let folder = Folder::new();
    let case = folder.case("a.json", &good());
    folder.write("out", "a file");
    folder.compute(&[&case]).fails_with(&["out"]);
}

#[test]
fn a_result_that_cannot_be_written_leaves_nothing_half() {
    let folder = Folder::new();
    let a = folder.case("a.json", &good());
    let b = folder.case("b.json", &good());
    // Where the first result should go there is a folder.
    std::fs::create_dir_all(folder.out().join("a.json").join("x")).expect("a folder");
    let run = folder.compute(&[&a, &b]);
    run.fails_with(&["a.json"]);
    assert_eq!(folder.written(), ["a.json", "b.json"]);
}
