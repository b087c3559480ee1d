//! Matrices, ids and lengths that do not fit.

use crate::{
    Folder,
    bad_cases::{rejected, rejected_beside_a_good_one, rejected_text},
    good, with,
};
use serde_json::json;

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
        &with(json!({"positives": 0})),
        &["positives", "`offsets` and `ids`"],
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
    let mut short = npy(&[1.0, 2.0]);
    short.pop();
    folder.write("short.npy", short);
    std::fs::create_dir(folder.path("folder.npy")).expect("a folder");
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
        (
            json!({"npy": "short.npy"}),
            vec!["queries", "short.npy", "2 numbers of 4 bytes", "7 bytes"],
        ),
        (
            json!({"npy": "folder.npy"}),
            vec!["queries", "folder.npy", "directory"],
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
