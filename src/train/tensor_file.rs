//! The safetensors files of the trainer: several tensors, and one JSON object as metadata.

use std::{collections::HashMap, fs, io, path::Path};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result, train::write_whole};

/// The one key of the metadata.
const KEY: &str = "wgloss";

/// A tensor to write: its name, type, shape and bytes.
pub(in crate::train) type Tensor<'a> = (String, Dtype, Vec<usize>, &'a [u8]);

/// Writes a file whole or not at all.
pub(in crate::train) fn write(
    path: &Path,
    tensors: &[Tensor<'_>],
    note: &impl Serialize,
) -> Result<()> {
    write_whole(path, |temporary| {
        let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
            let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(io::Error::other)?;
            Ok((name, view))
        });
        let views = views.collect::<io::Result<Vec<_>>>()?;
        let note = HashMap::from([(KEY.to_owned(), serde_json::to_string(note)?)]);
        safetensors::serialize_to_file(views, Some(note), temporary).map_err(io::Error::other)
    })
}

/// A file's bytes, and what its errors say.
pub(in crate::train) struct File<'a> {
    path: &'a Path,
    bytes: Vec<u8>,
}

impl<'a> File<'a> {
    pub fn open(path: &'a Path) -> Result<Self> {
        let read = fs::metadata(path).and_then(|about| {
            // A device or a pipe may never end.
            if !about.is_file() && !about.is_dir() {
                return Err(io::Error::other("expected a regular file"));
            }
            fs::read(path)
        });
        let bytes = read.map_err(|source| Error::Io {
            path: path.display().to_string(),
            source,
        })?;
        Ok(File { path, bytes })
    }

    /// The tensors. All sizes are checked against the length of the file.
    pub fn tensors(&self) -> Result<SafeTensors<'_>> {
        SafeTensors::deserialize(&self.bytes).map_err(|error| self.damaged(error))
    }

    /// The note; none without the key.
    pub fn note<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        let read = SafeTensors::read_metadata(&self.bytes);
        let (_, about) = read.map_err(|error| self.damaged(error))?;
        let Some(note) = about.metadata().as_ref().and_then(|about| about.get(KEY)) else {
            return Ok(None);
        };
        let note = serde_json::from_str(note);
        note.map(Some)
            .map_err(|error| self.field(KEY, error.to_string()))
    }

    pub fn field(&self, field: &str, message: String) -> Error {
        Error::Field {
            path: self.path.display().to_string(),
            field: field.to_owned(),
            message,
        }
    }

    fn damaged(&self, error: safetensors::SafeTensorError) -> Error {
        Error::Parse {
            path: self.path.display().to_string(),
            line: 0,
            message: format!("expected a whole safetensors file: {error}"),
        }
    }
}
