//! Case files: one loss on one batch, with the expected results where they are known.
//!
//! A case is a JSON object. `loss` is `{"loss": NAME, …parameters}`; `queries`, `candidates` and
//! `positives` are required (or for S-DPO `policy_chosen` and `policy_rejected`, scores in place of
//! embeddings), and the state that the loss reads; all else is optional. Matrices are rows of
//! numbers, or `{"npy": FILE}`, or `{"safetensors": FILE, "tensor": NAME}` relative to the case
//! file.
//! Everything that a case file can do wrong is an error that names file and field.
//!
//! ```
//! use wgloss::{Device, Engine, EngineOptions, case::Case};
//! # let folder = std::env::temp_dir().join(format!("wgloss-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! let path = folder.join("small.json");
//! std::fs::write(&path, r#"{
//!     "loss": {"loss": "sl", "tau": 0.2},
//!     "queries": [[1.0, 0.0], [0.5, 0.5]],
//!     "candidates": [[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]],
//!     "positives": [0, 1]
//! }"#)?;
//! let case = Case::read(&path)?;
//! let engine = Engine::with_options(&EngineOptions::default().device(Device::Reference))?;
//! let output = engine.evaluate_f64(case.loss.as_dyn(), &case.batch()?, case.want())?;
//! assert!(output.value < 0.0);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod document;
mod embeddings;
mod expected;
mod lists;
mod loss;
mod npy;
mod read;
mod results;
mod scores;
mod state;
mod table;

pub use expected::{Difference, Expected};
pub use results::write_results;

use crate::{AnyLoss, Batch, Error, Reduction, Result, Want};
use embeddings::Embeddings;
use scores::Scores;
use std::path::{Path, PathBuf};

/// A case, its inputs owned.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// The file it came from.
    pub path: PathBuf,
    /// Its name: the file's stem unless the file says otherwise. A plain file name, to which
    /// `.json` is appended for the results.
    pub name: String,
    /// The loss.
    pub loss: AnyLoss,
    /// Whether no gradient of the candidates is wanted.
    pub candidates_frozen: bool,
    /// The results that the file gives.
    pub expected: Expected,
    inputs: Inputs,
    weights: Option<Vec<f32>>,
    reduction: OwnedReduction,
    theta: Vec<f64>,
    /// The numbers per batch row, row by row.
    row_parameters: Vec<f64>,
}

#[derive(Clone, Debug)]
enum Inputs {
    Embeddings(Box<Embeddings>),
    Scores(Scores),
}

impl Inputs {
    /// B.
    fn rows(&self) -> usize {
        match self {
            Inputs::Embeddings(tables) => tables.positives.rows(),
            Inputs::Scores(scores) => scores.rows(),
        }
    }

    /// P.
    fn pairs(&self) -> usize {
        match self {
            Inputs::Embeddings(tables) => tables.positives.pairs(),
            Inputs::Scores(scores) => scores.rows(),
        }
    }
}

#[derive(Clone, Debug)]
enum OwnedReduction {
    Mean,
    Sum,
    None { upstream: Vec<f32> },
}

impl Case {
    /// Reads a case file and what it refers to.
    ///
    /// # Errors
    /// The file cannot be read, or a field is missing, unknown, of the wrong type or ragged.
    /// Lengths, ids and finiteness are checked by [`Case::batch`].
    pub fn read(path: impl AsRef<Path>) -> Result<Case> {
        read::case(path.as_ref())
    }

    /// The name of the case in a file, without reading the rest.
    ///
    /// # Errors
    /// The file cannot be read, is no object, or its name is no plain file name.
    pub fn read_name(path: impl AsRef<Path>) -> Result<String> {
        read::name_alone(path.as_ref())
    }

    /// Width of both tables; 0 where scores are given in their place.
    #[must_use]
    pub fn dim(&self) -> usize {
        match &self.inputs {
            Inputs::Embeddings(tables) => tables.queries.dim,
            Inputs::Scores(_) => 0,
        }
    }

    /// Width of the second tables; 0 without.
    fn second_dim(&self) -> usize {
        match &self.inputs {
            Inputs::Embeddings(tables) => tables.second.as_ref().map_or(0, |second| second[0].dim),
            Inputs::Scores(_) => 0,
        }
    }

    /// Given scores of a row; 0 with embeddings.
    fn per_row(&self) -> usize {
        match &self.inputs {
            Inputs::Embeddings(_) => 0,
            Inputs::Scores(scores) => scores.per_row(),
        }
    }

    /// The gradients that the case asks for.
    #[must_use]
    pub fn want(&self) -> Want {
        Want {
            candidates: !self.candidates_frozen,
            ..Want::BOTH
        }
    }

    /// Rounds f64 inputs to f32, the widest that a GPU takes.
    pub fn narrow(&mut self) {
        if let Inputs::Embeddings(tables) = &mut self.inputs {
            tables.tables().for_each(table::Table::narrow);
        }
    }

    /// The inputs as engines take them.
    ///
    /// # Errors
    /// A length, an id or a number is wrong; named with the file.
    pub fn batch(&self) -> Result<Batch<'_>> {
        self.checked_batch().map_err(|error| self.locate(error))
    }

    /// Adds the case's file to an error.
    #[must_use]
    pub fn locate(&self, error: Error) -> Error {
        Error::File {
            path: self.path.display().to_string(),
            source: Box::new(error),
        }
    }

    fn checked_batch(&self) -> Result<Batch<'_>> {
        let spec = self.loss.as_dyn().spec();
        let mut batch = match &self.inputs {
            Inputs::Embeddings(tables) => tables.batch(&spec)?,
            Inputs::Scores(scores) => scores.batch()?,
        };
        if let Some(weights) = &self.weights {
            batch = batch.weights(weights)?;
        }
        batch = batch.reduction(match &self.reduction {
            OwnedReduction::Mean => Reduction::Mean,
            OwnedReduction::Sum => Reduction::Sum,
            OwnedReduction::None { upstream } => Reduction::None { upstream },
        })?;
        if spec.row_parameters > 0 {
            batch = batch.row_parameters(&self.row_parameters, spec.row_parameters)?;
        }
        batch = batch.theta(&self.theta)?;
        batch.shape()?;
        Ok(batch)
    }
}
