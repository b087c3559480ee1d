//! Matrices of a case: inline, in an npy file, or a tensor of a safetensors file.

use super::{document::Document, npy};
use crate::{
    Error, Matrix, Result,
    tensors::{little_endian, tensor},
};
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};

/// Numbers in the precision they came in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Numbers {
    F16(Vec<f16>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// An owned rows × D matrix.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    pub numbers: Numbers,
    pub rows: usize,
    pub dim: usize,
}

/// A matrix that lies in another file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    npy: Option<String>,
    safetensors: Option<String>,
    tensor: Option<String>,
}

impl Table {
    /// Reads field `name`; files are relative to `folder`.
    pub fn read(
        document: &Document<'_>,
        folder: &Path,
        name: &str,
        raw: &RawValue,
    ) -> Result<Table> {
        if raw.get().starts_with('[') {
            return inline(document.decode(name, raw)?).map_err(|m| document.error(name, m));
        }
        let place: Elsewhere = document.decode(name, raw)?;
        let read = match (place.npy, place.safetensors, place.tensor) {
            (Some(file), None, None) => from_file(folder.join(file), npy::read),
            (None, Some(file), Some(tensor)) => {
                from_file(folder.join(file), |bytes| safetensor(bytes, &tensor))
            }
            _ => Err(
                r#"expected rows of numbers, {"npy": FILE}, or {"safetensors": FILE, "tensor": NAME}"#
                    .into(),
            ),
        };
        read.map_err(|message| document.error(name, message))
    }

    /// The matrix as a batch borrows it; checks that it is finite.
    pub fn matrix(&self, name: &'static str) -> Result<Matrix<'_>> {
        match &self.numbers {
            Numbers::F16(data) => Matrix::new(name, data.as_slice(), self.dim),
            Numbers::F32(data) => Matrix::new(name, data.as_slice(), self.dim),
            Numbers::F64(data) => Matrix::new(name, data.as_slice(), self.dim),
        }
    }

    /// Rounds f64 to f32, the widest that devices take.
    pub fn narrow(&mut self) {
        if let Numbers::F64(data) = &self.numbers {
            #[expect(clippy::cast_possible_truncation, reason = "rounding is the purpose")]
            let data = data.iter().map(|x| *x as f32).collect();
            self.numbers = Numbers::F32(data);
        }
    }

    /// The numbers in f64.
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.numbers {
            Numbers::F16(data) => data.iter().map(|x| x.to_f64()).collect(),
            Numbers::F32(data) => data.iter().map(|x| f64::from(*x)).collect(),
            Numbers::F64(data) => data.clone(),
        }
    }
}

impl Numbers {
    /// As f32 where that loses nothing.
    pub fn from_f64(data: Vec<f64>) -> Numbers {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the comparison sees what is lost"
        )]
        let narrow: Vec<f32> = data.iter().map(|x| *x as f32).collect();
        let same = |(wide, narrow): (&f64, &f32)| f64::from(*narrow).to_bits() == wide.to_bits();
        if data.iter().zip(&narrow).all(same) {
            Numbers::F32(narrow)
        } else {
            Numbers::F64(data)
        }
    }
}

fn inline(rows: Vec<Vec<f64>>) -> Result<Table, String> {
    let Some(first) = rows.first() else {
        return Err("expected at least one row".into());
    };
    let dim = first.len();
    if let Some(row) = rows.iter().position(|row| row.len() != dim) {
        return Err(format!(
            "ragged: row {row} has {} numbers, row 0 has {dim}",
            rows[row].len()
        ));
    }
    Ok(Table {
        rows: rows.len(),
        dim,
        numbers: Numbers::from_f64(rows.concat()),
    })
}

/// What is wrong is told with the file's name.
fn from_file(
    path: PathBuf,
    decode: impl FnOnce(&[u8]) -> Result<Table, String>,
) -> Result<Table, String> {
    let read = std::fs::read(&path).map_err(|error| error.to_string());
    read.and_then(|bytes| decode(&bytes))
        .map_err(|message| format!("{}: {message}", path.display()))
}

fn safetensor(bytes: &[u8], name: &str) -> Result<Table, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let tensor = tensor(&file, name)?;
    let &[rows, dim] = tensor.shape() else {
        return Err(format!(
            "expected a matrix, tensor `{name}` has shape {:?}",
            tensor.shape()
        ));
    };
    let data = tensor.data();
    let numbers = match tensor.dtype() {
        Dtype::F16 => Numbers::F16(little_endian(data, f16::from_le_bytes)),
        Dtype::BF16 => Numbers::F32(little_endian(data, |x| bf16::from_le_bytes(x).to_f32())),
        Dtype::F32 => Numbers::F32(little_endian(data, f32::from_le_bytes)),
        Dtype::F64 => Numbers::from_f64(little_endian(data, f64::from_le_bytes)),
        other => return Err(format!("expected F16, BF16, F32 or F64, got {other:?}")),
    };
    Ok(Table { numbers, rows, dim })
}

/// Checks a table's width against the case's `dim`.
pub(super) fn check_dim(
    document: &Document<'_>,
    name: &str,
    table: &Table,
    dim: usize,
) -> Result<(), Error> {
    if table.dim == dim {
        return Ok(());
    }
    let message = format!("expected rows of {dim} numbers (dim), got {}", table.dim);
    Err(document.error(name, message))
}
