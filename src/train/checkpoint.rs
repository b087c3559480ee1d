//! A run between two epochs, as a file: [`Checkpoint`].

use std::{collections::HashMap, fs, io, path::Path};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};

use super::{
    AtK, Best, Embeddings, EpochRecord, Folds, Moments, Settings, Start, whole_file::write_whole,
};
use crate::{DynLoss, Error, Result};

/// The metadata key of everything that is no table. One key: a map of several would be written in
/// another order each time.
const KEY: &str = "wgloss";

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
        write_whole(path, |to| {
            let notes = serde_json::to_string(&notes).map_err(io::Error::other)?;
            let about = HashMap::from([(KEY.to_owned(), notes)]);
            let views = (self.tables().into_iter())
                .map(|(name, table)| {
                    let bytes = bytemuck::cast_slice(table);
                    Ok((name, TensorView::new(Dtype::F32, vec![table.len()], bytes)?))
                })
                .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
                .map_err(io::Error::other)?;
            safetensors::serialize_to_file(views, Some(about), to).map_err(io::Error::other)
        })
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
    /// [`Error::Io`]; [`Error::Parse`] for a file that is no checkpoint, or not a whole one.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(|source| Error::Io {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&bytes).map_err(|message| Error::Parse {
            path: path.display().to_string(),
            line: 0,
            message: format!("not a checkpoint of this version: {message}"),
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
        let notes = (header.metadata().as_ref()).and_then(|about| about.get(KEY));
        let notes: Notes = serde_json::from_str(notes.ok_or("it has no notes of a run")?)
            .map_err(|error| error.to_string())?;
        let tables = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        let table = |name: &str| -> Result<Vec<f32>, String> {
            let view = tables.tensor(name).map_err(|error| error.to_string())?;
            if view.dtype() != Dtype::F32 {
                return Err(format!("{name}: expected F32, got {:?}", view.dtype()));
            }
            let numbers = view.data().chunks_exact(4);
            Ok(numbers
                .map(|x| f32::from_le_bytes([x[0], x[1], x[2], x[3]]))
                .collect())
        };
        let embeddings = |queries: &str, candidates: &str| -> Result<Embeddings, String> {
            let (dim, queries, candidates) = (notes.dim, table(queries)?, table(candidates)?);
            let fits = |len: usize| dim > 0 && len.is_multiple_of(dim);
            if !fits(queries.len()) || !fits(candidates.len()) {
                return Err(format!("tables are not {dim} numbers wide"));
            }
            Ok(Embeddings {
                dim,
                queries,
                candidates,
            })
        };
        let count = notes.identity.settings.optimiser.moments();
        let moments = |of: &str, steps: u64| -> Result<Moments, String> {
            let lists: Result<_, _> = (0..count).map(|at| table(&moment(of, at))).collect();
            Ok(Moments {
                steps,
                lists: lists?,
            })
        };
        let moments = [
            moments("queries", notes.steps[0])?,
            moments("candidates", notes.steps[1])?,
        ];
        let embeddings_now = embeddings("queries", "candidates")?;
        let best = match notes.best {
            None => None,
            Some((epoch, validation)) => Some(Best {
                epoch,
                validation,
                embeddings: embeddings("best_queries", "best_candidates")?,
            }),
        };
        Ok(Checkpoint {
            identity: notes.identity,
            embeddings: embeddings_now,
            moments,
            history: notes.history,
            best,
        })
    }
}

/// The name of a moment's table.
fn moment(of: &str, at: usize) -> String {
    format!("{of}_moment_{at}")
}
