//! `data.safetensors`: what is learnt from, validated and tested on.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::super::tensor_file::{self, File, Tensor};
use crate::{
    Result,
    tensors::{little_endian, tensor},
    train::{Folds, Interactions, Tokens},
};

/// What the tensors do not tell.
#[derive(Serialize, Deserialize)]
struct About {
    /// Number of items.
    items: usize,
    /// [`Tokens::fingerprint`].
    names: String,
}

/// Writes the interactions, with a note of whose they are.
pub(super) fn write(path: &Path, folds: &Folds, tokens: &Tokens) -> Result<()> {
    let mut all: Vec<Tensor<'_>> = Vec::new();
    for (part, data) in [
        ("train", &folds.train),
        ("validation", &folds.validation),
        ("test", &folds.test),
    ] {
        for (what, numbers) in [("offsets", data.offsets()), ("items", data.ids())] {
            let bytes = bytemuck::cast_slice(numbers);
            let name = format!("{part}_{what}");
            all.push((name, Dtype::U32, vec![numbers.len()], bytes));
        }
    }
    let about = About {
        items: folds.train.items(),
        names: tokens.fingerprint(),
    };
    tensor_file::write(path, &all, &about)
}

/// Reads the interactions, and the fingerprint of the names they belong to.
pub(super) fn read(path: &Path) -> Result<(Folds, String)> {
    let file = File::open(path)?;
    let tensors = file.tensors()?;
    let Some(About { items, names }) = file.note()? else {
        let message = "expected a key `wgloss` that names the number of items, got none";
        return Err(file.field("metadata", message.to_owned()));
    };
    let numbers = |part: &str, what: &str| {
        let name = format!("{part}_{what}");
        vector(&tensors, &name).map_err(|message| file.field(&name, message))
    };
    let part = |part: &str| {
        let (offsets, ids) = (numbers(part, "offsets")?, numbers(part, "items")?);
        Interactions::from_csr(items, offsets, ids)
            .map_err(|error| file.field(part, error.to_string()))
    };
    let folds = Folds {
        train: part("train")?,
        validation: part("validation")?,
        test: part("test")?,
    };
    let users = folds.train.users();
    for (part, data) in [("validation", &folds.validation), ("test", &folds.test)] {
        if data.users() != users {
            let message = format!("expected {users} users, as train has, got {}", data.users());
            return Err(file.field(part, message));
        }
    }
    Ok((folds, names))
}

fn vector(tensors: &SafeTensors<'_>, name: &str) -> Result<Vec<u32>, String> {
    let tensor = tensor(tensors, name)?;
    match (tensor.dtype(), tensor.shape()) {
        (Dtype::U32, [_]) => Ok(little_endian(tensor.data(), u32::from_le_bytes)),
        (dtype, shape) => Err(format!("expected a list of U32, got {dtype:?} {shape:?}")),
    }
}
