//! A run between two epochs, as a file: [`Checkpoint`].

use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::{
    AtK, Best, Embeddings, EpochRecord, Folds, Moments, Settings, Start,
    tensor_file::{self, File},
};
use crate::{
    DynLoss, Error, Result,
    tensors::{little_endian, tensor},
};

/// What makes a run the same run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The version of this crate.
    pub version: String,
    /// Fingerprints of the training, validation and test data.
    pub data: String,
    /// The loss with its parameters.
    pub loss: String,
    /// The settings.
    pub settings: Settings,
}

/// Everything that the epochs to come depend on, and what the ones before found.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Which run it is of.
    pub identity: Identity,
    /// The embeddings.
    pub embeddings: Embeddings,
    /// What the optimiser remembers of queries and candidates.
    pub moments: [Moments; 2],
    /// The epochs so far.
    pub history: Vec<EpochRecord>,
    /// The best of them.
    pub best: Option<Best>,
}

/// What a file holds beside the tables.
#[derive(Serialize, Deserialize)]
struct Notes {
    identity: Identity,
    dim: usize,
    /// Steps taken.
    steps: [u64; 2],
    history: Vec<EpochRecord>,
    best: Option<(usize, Option<AtK>)>,
}

impl Identity {
    /// Of a run with this loss, on these data, under these settings.
    pub fn new(loss: &dyn DynLoss, folds: &Folds, settings: Settings) -> Self {
        Identity {
            version: env!("CARGO_PKG_VERSION").into(),
            data: folds.fingerprint(),
            loss: format!("{loss:?}"),
            settings,
        }
    }
}

impl Checkpoint {
    /// Checks that the checkpoint is of the run `now`. A run may be given more epochs, and other
    /// patience, unless its learning rates depend on the number of epochs.
    ///
    /// # Errors
    /// [`Error::Unsupported`] that names what is different.
    pub fn check(&self, now: &Identity) -> Result<()> {
        let then = &self.identity;
        let refuse = |what: &str, then: &str, now: &str| {
            Err(Error::Unsupported(format!(
                "resume: the checkpoint is of another {what}: {then}, not {now}"
            )))
        };
        if then.data != now.data {
            return refuse("data set (or split)", &then.data, &now.data);
        }
        if then.loss != now.loss {
            return refuse("loss", &then.loss, &now.loss);
        }
        let mut settings = now.settings;
        settings.patience = then.settings.patience;
        if !settings.schedule.has_end() && self.history.len() <= settings.epochs {
            settings.epochs = then.settings.epochs;
        }
        if settings != then.settings {
            let [then, now] = [then, now].map(|run| format!("{:?}", run.settings));
            return refuse("choice of settings", &then, &now);
        }
        if then.version != now.version {
            return refuse("version of wgloss", &then.version, &now.version);
        }
        Ok(())
    }

    /// What a backend goes on from.
    ///
    /// # Errors
    /// The checkpoint is of another run.
    pub fn start<'a>(
        &self,
        loss: &'a dyn DynLoss,
        folds: &'a Folds,
        settings: &Settings,
    ) -> Result<Start<'a>> {
        self.check(&Identity::new(loss, folds, *settings))?;
        let (embeddings, moments) = (self.embeddings.clone(), self.moments.clone());
        Ok(settings.start_from(loss, folds, embeddings, moments))
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`]; an older file of the name is kept then.
    pub fn save(&self, path: &Path) -> Result<()> {
        let notes = Notes {
            identity: self.identity.clone(),
            dim: self.embeddings.dim,
            steps: self.moments.each_ref().map(|moments| moments.steps),
            history: self.history.clone(),
            best: (self.best.as_ref()).map(|best| (best.epoch, best.validation)),
        };
        let tables = self.tables().into_iter().map(|(name, table)| {
            let bytes = bytemuck::cast_slice(table);
            (name, Dtype::F32, vec![table.len()], bytes)
        });
        tensor_file::write(path, &tables.collect::<Vec<_>>(), &notes)
    }

    /// The tables by name.
    fn tables(&self) -> Vec<(String, &[f32])> {
        let [queries, candidates] = &self.moments;
        let mut tables = vec![
            ("queries".to_owned(), &*self.embeddings.queries),
            ("candidates".to_owned(), &*self.embeddings.candidates),
        ];
        for (of, moments) in [("queries", queries), ("candidates", candidates)] {
            let lists = moments.lists.iter().enumerate();
            tables.extend(lists.map(|(at, list)| (moment(of, at), &**list)));
        }
        if let Some(best) = &self.best {
            tables.push(("best_queries".into(), &best.embeddings.queries));
            tables.push(("best_candidates".into(), &best.embeddings.candidates));
        }
        tables
    }

    /// Reads the file that [`Checkpoint::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Parse`] and [`Error::Field`] for a file that is no checkpoint, or not
    /// a whole one.
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

/// A checkpoint's tables.
struct Tables<'a> {
    file: &'a File<'a>,
    tensors: SafeTensors<'a>,
}

impl Tables<'_> {
    fn checkpoint(&self, notes: Notes) -> Result<Checkpoint> {
        let Notes {
            identity,
            dim,
            steps: [of_queries, of_candidates],
            history,
            best,
        } = notes;
        let count = identity.settings.optimiser.moments();
        let best = match best {
            None => None,
            Some((epoch, validation)) => Some(Best {
                epoch,
                validation,
                embeddings: self.embeddings("best_queries", "best_candidates", dim)?,
            }),
        };
        Ok(Checkpoint {
            identity,
            embeddings: self.embeddings("queries", "candidates", dim)?,
            moments: [
                self.moments("queries", of_queries, count)?,
                self.moments("candidates", of_candidates, count)?,
            ],
            history,
            best,
        })
    }

    fn embeddings(&self, queries: &str, candidates: &str, dim: usize) -> Result<Embeddings> {
        let rows = |name| {
            let table = self.table(name)?;
            match dim > 0 && table.len().is_multiple_of(dim) {
                true => Ok(table),
                false => {
                    let message = format!("expected rows of {dim} numbers, got {}", table.len());
                    Err(self.file.field(name, message))
                }
            }
        };
        Ok(Embeddings {
            dim,
            queries: rows(queries)?,
            candidates: rows(candidates)?,
        })
    }

    fn moments(&self, of: &str, steps: u64, count: usize) -> Result<Moments> {
        let lists = (0..count).map(|at| self.table(&moment(of, at)));
        Ok(Moments {
            steps,
            lists: lists.collect::<Result<_>>()?,
        })
    }

    fn table(&self, name: &str) -> Result<Vec<f32>> {
        let table = tensor(&self.tensors, name).and_then(|table| match table.dtype() {
            Dtype::F32 => Ok(little_endian(table.data(), f32::from_le_bytes)),
            other => Err(format!("expected type F32, got {other:?}")),
        });
        table.map_err(|message| self.file.field(name, message))
    }
}

/// The name of a moment's table.
fn moment(of: &str, at: usize) -> String {
    format!("{of}_moment_{at}")
}
