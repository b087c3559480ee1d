//! Results that cannot be written, or would replace something.

use crate::{Folder, Run, good, wgloss, with};
use serde_json::json;

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
