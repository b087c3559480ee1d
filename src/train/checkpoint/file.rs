//! Checkpoints as safetensors files.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::{Checkpoint, Identity};
use crate::{
    Result,
    tensors::{little_endian, tensor},
    train::{
        AtK, Best, Embeddings, EpochRecord, LossState, Moments, SecondTables,
        tensor_file::{self, File, Tensor},
    },
};

/// What a file holds beside the tables.
#[derive(Serialize, Deserialize)]
struct Notes {
    identity: Identity,
    dim: usize,
    /// Steps taken.
    steps: [u64; 2],
    scalars: Vec<f64>,
    scalar_moments: Moments<f64>,
    /// Whether there are numbers per user.
    query_parameters: bool,
    second: Option<SecondNotes>,
    history: Vec<EpochRecord>,
    best: Option<BestNotes>,
}

/// What a file holds of second tables beside them.
#[derive(Serialize, Deserialize)]
struct SecondNotes {
    dim: usize,
    /// Steps taken, and lists of moments per table.
    steps: [u64; 2],
    moments: usize,
}

/// What a file holds of the best epoch beside its embeddings.
#[derive(Serialize, Deserialize)]
struct BestNotes {
    epoch: usize,
    validation: Option<AtK>,
    scalars: Vec<f64>,
}

impl Notes {
    fn of(checkpoint: &Checkpoint) -> Self {
        let state = &checkpoint.state;
        Notes {
            identity: checkpoint.identity.clone(),
            dim: checkpoint.embeddings.dim,
            steps: steps(&checkpoint.moments),
            scalars: state.scalars.clone(),
            scalar_moments: state.scalar_moments.clone(),
            query_parameters: !state.query_parameters.is_empty(),
            second: state.second.as_ref().map(|second| SecondNotes {
                dim: second.tables.dim,
                steps: steps(&second.moments),
                moments: second.moments[0].lists.len(),
            }),
            history: checkpoint.history.clone(),
            best: checkpoint.best.as_ref().map(|best| BestNotes {
                epoch: best.epoch,
                validation: best.validation,
                scalars: best.scalars.clone(),
            }),
        }
    }
}

fn steps(moments: &[Moments; 2]) -> [u64; 2] {
    moments.each_ref().map(|moments| moments.steps)
}

/// Of tables that nothing moves any more.
static NO_MOMENTS: [Moments; 2] = [const {
    Moments {
        steps: 0,
        lists: Vec::new(),
    }
}; 2];

impl Checkpoint {
    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io); an older file of the name is kept then.
    pub fn save(&self, path: &Path) -> Result<()> {
        tensor_file::write(path, &self.tables(), &Notes::of(self))
    }

    /// The tables by name.
    fn tables(&self) -> Vec<Tensor<'_>> {
        let mut tables = Vec::new();
        store(&mut tables, "", &self.embeddings, &self.moments);
        if let Some(second) = &self.state.second {
            store(&mut tables, "second_", &second.tables, &second.moments);
        }
        if let Some(best) = &self.best {
            store(&mut tables, "best_", &best.embeddings, &NO_MOMENTS);
        }
        let of_users = &self.state.query_parameters;
        if !of_users.is_empty() {
            let bytes = bytemuck::cast_slice(of_users);
            let name = "query_parameters".to_owned();
            tables.push((name, Dtype::F64, vec![of_users.len()], bytes));
        }
        tables
    }

    /// Reads the file that [`Checkpoint::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io); [`Error::Parse`](crate::Error::Parse) and
    /// [`Error::Field`](crate::Error::Field) for a file that is no checkpoint, or not a whole one.
    pub fn load(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let tensors = file.tensors()?;
        let Some(notes) = file.note()? else {
            let message = "not a checkpoint: it tells of no run";
            return Err(file.field("metadata", message.into()));
        };
        let tables = Tables {
            file: &file,
            tensors,
        };
        tables.checkpoint(notes)
    }
}

/// Adds a pair of tables with its moments.
fn store<'a>(
    tables: &mut Vec<Tensor<'a>>,
    prefix: &str,
    pair: &'a Embeddings,
    moments: &'a [Moments; 2],
) {
    let mut add = |name: String, list: &'a [f32]| {
        let bytes = bytemuck::cast_slice(list);
        tables.push((name, Dtype::F32, vec![list.len()], bytes));
    };
    for (name, table, moments) in [
        ("queries", &pair.queries, &moments[0]),
        ("candidates", &pair.candidates, &moments[1]),
    ] {
        let name = format!("{prefix}{name}");
        for (at, list) in moments.lists.iter().enumerate() {
            add(moment(&name, at), list);
        }
        add(name, table);
    }
}

/// A checkpoint's tables.
struct Tables<'a> {
    file: &'a File<'a>,
    tensors: SafeTensors<'a>,
}

impl Tables<'_> {
    fn checkpoint(&self, notes: Notes) -> Result<Checkpoint> {
        let count = notes.identity.settings.optimiser.moments();
        let second = match &notes.second {
            None => None,
            Some(second) => Some(SecondTables {
                tables: self.embeddings("second_", second.dim)?,
                moments: self.moments("second_", second.steps, second.moments)?,
            }),
        };
        let query_parameters = match notes.query_parameters {
            true => self.numbers("query_parameters", Dtype::F64, f64::from_le_bytes)?,
            false => Vec::new(),
        };
        let best = match notes.best {
            None => None,
            Some(best) => Some(Best {
                epoch: best.epoch,
                validation: best.validation,
                embeddings: self.embeddings("best_", notes.dim)?,
                scalars: best.scalars,
            }),
        };
        Ok(Checkpoint {
            embeddings: self.embeddings("", notes.dim)?,
            moments: self.moments("", notes.steps, count)?,
            state: LossState {
                scalars: notes.scalars,
                scalar_moments: notes.scalar_moments,
                query_parameters,
                second,
            },
            identity: notes.identity,
            history: notes.history,
            best,
        })
    }

    fn embeddings(&self, prefix: &str, dim: usize) -> Result<Embeddings> {
        let rows = |name: &str| {
            let name = format!("{prefix}{name}");
            let table = self.table(&name)?;
            match dim > 0 && table.len().is_multiple_of(dim) {
                true => Ok(table),
                false => {
                    let message = format!("expected rows of {dim} numbers, got {}", table.len());
                    Err(self.file.field(&name, message))
                }
            }
        };
        Ok(Embeddings {
            dim,
            queries: rows("queries")?,
            candidates: rows("candidates")?,
        })
    }

    fn moments(&self, prefix: &str, steps: [u64; 2], count: usize) -> Result<[Moments; 2]> {
        let of = |table: &str, steps: u64| {
            let name = format!("{prefix}{table}");
            let lists = (0..count).map(|at| self.table(&moment(&name, at)));
            Ok(Moments {
                steps,
                lists: lists.collect::<Result<_>>()?,
            })
        };
        Ok([of("queries", steps[0])?, of("candidates", steps[1])?])
    }

    fn table(&self, name: &str) -> Result<Vec<f32>> {
        self.numbers(name, Dtype::F32, f32::from_le_bytes)
    }

    fn numbers<T, const N: usize>(
        &self,
        name: &str,
        expected: Dtype,
        number: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>> {
        let numbers = tensor(&self.tensors, name).and_then(|table| match table.dtype() {
            found if found == expected => Ok(little_endian(table.data(), number)),
            other => Err(format!("expected type {expected:?}, got {other:?}")),
        });
        numbers.map_err(|message| self.file.field(name, message))
    }
}

/// The name of a moment's table.
fn moment(of: &str, at: usize) -> String {
    format!("{of}_moment_{at}")
}
