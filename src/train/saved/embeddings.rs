//! `embeddings.safetensors`, also as other programs write it.

use std::path::Path;

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::super::tensor_file::{self, File};
use crate::{
    Error, Result,
    loss::Score,
    tensors::{little_endian, tensor},
    train::Embeddings,
};

/// What is noted in the file of the embeddings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What items are ranked by.
    pub rank_by: Score,
    /// The epoch that the tables are from, from 1.
    pub epoch: Option<usize>,
    /// [`Folds::fingerprint`](crate::train::Folds::fingerprint) of the interactions that they were
    /// learnt from and measured on.
    pub data: Option<String>,
}

impl Default for Note {
    /// For tables of which nothing is known: ranked by the dot product.
    fn default() -> Self {
        Note {
            rank_by: Score::Dot,
            epoch: None,
            data: None,
        }
    }
}

impl Embeddings {
    /// Writes both tables, named `queries` and `candidates`, as a safetensors file with `note` in
    /// its metadata. The file appears whole or not at all, and equal tables give equal files.
    ///
    /// # Errors
    /// [`Error::Io`]; an older file of the name is kept then.
    pub fn save(&self, path: &Path, note: &Note) -> Result<()> {
        let table = |name: &str, rows: usize, table| {
            let bytes = bytemuck::cast_slice::<f32, u8>(table);
            (name.to_owned(), Dtype::F32, vec![rows, self.dim], bytes)
        };
        let tables = [
            table("queries", self.users(), &self.queries),
            table("candidates", self.items(), &self.candidates),
        ];
        tensor_file::write(path, &tables, note)
    }

    /// Reads a safetensors file with the tables `queries` and `candidates`, or else `users` and
    /// `items`, of type F32, F16 or BF16, and the note if [`Embeddings::save`] wrote it.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read, [`Error::Parse`] for one that is damaged,
    /// [`Error::Field`] for a table that is missing, of another type or no matrix, for tables of
    /// different widths, and for a note that cannot be read; [`Error::File`] with
    /// [`Error::NotFinite`] for a number that is none.
    pub fn load(path: &Path) -> Result<(Self, Option<Note>)> {
        let file = File::open(path)?;
        let tensors = file.tensors()?;
        let elsewhere = tensors.tensor("users").is_ok() && tensors.tensor("items").is_ok();
        let ours = ["queries", "candidates"];
        let names = match elsewhere && ours.iter().all(|name| tensors.tensor(name).is_err()) {
            true => ["users", "items"],
            false => ours,
        };
        let read = |name| matrix(&tensors, name).map_err(|message| file.field(name, message));
        let ((queries, dim), (candidates, other)) = (read(names[0])?, read(names[1])?);
        if dim != other {
            let message = format!(
                "expected rows of {dim} numbers, as `{}`, got {other}",
                names[0]
            );
            return Err(file.field(names[1], message));
        }
        for (argument, table) in names.into_iter().zip([&queries, &candidates]) {
            if let Some(at) = table.iter().position(|x| !x.is_finite()) {
                let value = table[at].into();
                return Err(Error::File {
                    path: path.display().to_string(),
                    source: Box::new(Error::NotFinite {
                        argument,
                        at,
                        value,
                    }),
                });
            }
        }
        let embeddings = Embeddings {
            dim,
            queries,
            candidates,
        };
        Ok((embeddings, file.note()?))
    }
}

/// A table and its width.
fn matrix(tensors: &SafeTensors<'_>, name: &str) -> Result<(Vec<f32>, usize), String> {
    let tensor = tensor(tensors, name)?;
    let &[rows, dim] = tensor.shape() else {
        return Err(format!("expected a matrix, got shape {:?}", tensor.shape()));
    };
    if rows == 0 || dim == 0 {
        return Err(format!("expected rows of numbers, got {rows} × {dim}"));
    }
    let data = tensor.data();
    let numbers = match tensor.dtype() {
        Dtype::F32 => little_endian(data, f32::from_le_bytes),
        Dtype::F16 => little_endian(data, |x| f16::from_le_bytes(x).to_f32()),
        Dtype::BF16 => little_endian(data, |x| bf16::from_le_bytes(x).to_f32()),
        other => return Err(format!("expected type F32, F16 or BF16, got {other:?}")),
    };
    Ok((numbers, dim))
}
