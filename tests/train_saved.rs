//! Saved models: that they come back as they were, and that strangers are told apart.
#![cfg(feature = "train")]

use std::{fs, path::Path};
use wgloss::{
    loss::Score,
    train::{Embeddings, Folds, Interactions, Names, Note, SavedModel, Tokens},
};

fn model() -> SavedModel {
    let part = |lists: [Vec<u32>; 3]| Interactions::from_lists(2, &lists).unwrap();
    SavedModel {
        embeddings: Embeddings {
            dim: 2,
            queries: vec![0.1, -2.0, 3.0, 4.0, 5.0, 6e-40],
            candidates: vec![1.0, 2.0, -0.0, 4.0],
        },
        rank_by: Score::Cosine,
        epoch: Some(35),
        tokens: Tokens {
            users: Names::new(vec!["ü 1".into(), "2".into(), "x".into()]).unwrap(),
            items: Names::numbered(2).unwrap(),
        },
        folds: Folds {
            train: part([vec![0], vec![], vec![0, 1]]),
            validation: part([vec![], vec![], vec![]]),
            test: part([vec![1], vec![0, 1], vec![]]),
        },
    }
}

/// The error of loading `folder` names the file and says `told`.
fn refused(folder: &Path, file: &str, told: &str) {
    let error = SavedModel::load(folder).unwrap_err().to_string();
    assert!(error.contains(file) && error.contains(told), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn models_come_back_and_equal_models_give_equal_files() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    model().save(one.path()).unwrap();
    assert_eq!(SavedModel::load(one.path()).unwrap(), model());
    model().save(other.path()).unwrap();
    let mut files = 0;
    for entry in fs::read_dir(one.path()).unwrap() {
        let name = entry.unwrap().file_name();
        let read = |folder: &Path| fs::read(folder.join(&name)).unwrap();
        assert_eq!(read(one.path()), read(other.path()), "{name:?}");
        files += 1;
    }
    assert_eq!(files, 4);
}

#[test]
fn files_of_other_models_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    model().save(path).unwrap();
    let mut other = model();
    other.folds.test = other.folds.train.clone();
    SavedModel::save_data(path, &other.folds, &other.tokens).unwrap();
    refused(path, "embeddings.safetensors", "other interactions");
    model().save(path).unwrap();
    other.tokens.users = Names::numbered(3).unwrap();
    other.tokens.users.write(&path.join("users.txt")).unwrap();
    refused(path, "data.safetensors", "other names");
    Names::numbered(4)
        .unwrap()
        .write(&path.join("users.txt"))
        .unwrap();
    refused(path, "users.txt", "expected 3 users");
    model().save(path).unwrap();
    let mut wide = model().embeddings;
    wide.queries.truncate(4);
    wide.save(&path.join("embeddings.safetensors"), &Note::default())
        .unwrap();
    refused(path, "embeddings.safetensors", "expected 3 users");
    // Tables of the right sizes without a note may take the place of the model's own.
    let plain = model().embeddings;
    plain
        .save(&path.join("embeddings.safetensors"), &Note::default())
        .unwrap();
    let loaded = SavedModel::load(path).unwrap();
    assert_eq!((loaded.rank_by, loaded.epoch), (Score::Dot, None));
    let tokens = Tokens {
        users: Names::numbered(2).unwrap(),
        ..model().tokens
    };
    let error = SavedModel::save_data(path, &model().folds, &tokens)
        .unwrap_err()
        .to_string();
    assert_eq!(error, "tokens.users: expected 3 names, one a row, got 2");
}

/// Every byte changed, one after the other: an error of one line or a model, never a panic.
#[test]
fn damaged_files_are_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    model().save(folder.path()).unwrap();
    for name in [SavedModel::EMBEDDINGS, SavedModel::DATA] {
        let path = folder.path().join(name);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            for flip in [0x01, 0x80] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                fs::write(&path, &damaged).unwrap();
                match SavedModel::load(folder.path()) {
                    // Numbers of a table may be any.
                    Ok(loaded) => assert_eq!(loaded.folds, model().folds),
                    Err(error) => assert!(error.to_string().contains(name), "{error}"),
                }
            }
        }
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            refused(folder.path(), name, "whole safetensors file");
        }
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn tables_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tables.safetensors");
    let told = |tensors: &[(&str, &str, &[usize])]| {
        let mut header = serde_json::Map::new();
        let mut end = 0;
        for (name, dtype, shape) in tensors {
            let bytes = shape.iter().product::<usize>() * if *dtype == "F16" { 2 } else { 4 };
            let about = serde_json::json!({
                "dtype": dtype, "shape": shape, "data_offsets": [end, end + bytes],
            });
            header.insert((*name).into(), about);
            end += bytes;
        }
        let header = serde_json::Value::Object(header).to_string();
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.bytes());
        file.resize(file.len() + end, 0xff);
        fs::write(&path, file).unwrap();
        Embeddings::load(&path).unwrap_err().to_string()
    };
    let f32 = |name| (name, "F32", &[2, 3][..]);
    for (tensors, part) in [
        (
            &[f32("users")][..],
            "queries: no tensor `queries`, there is: users",
        ),
        (
            &[f32("queries"), ("candidates", "I32", &[2, 3])],
            "F16 or BF16, got I32",
        ),
        (
            &[f32("queries"), ("candidates", "F32", &[2, 4])],
            "candidates: expected rows of 3",
        ),
        (
            &[("users", "F32", &[6]), f32("items")],
            "users: expected a matrix, got shape [6]",
        ),
        (
            &[("users", "F32", &[2, 0]), f32("items")],
            "users: expected rows of numbers",
        ),
        (
            &[("users", "F16", &[2, 3]), f32("items")],
            "users[0]: expected a finite number",
        ),
    ] {
        let error = told(tensors);
        assert!(
            error.contains("tables.safetensors") && error.contains(part),
            "{error}"
        );
    }
}
