//! Trained models as files: [`SavedModel`].
//!
//! | file | holds |
//! |---|---|
//! | `embeddings.safetensors` | the tables `queries` (users) and `candidates` (items), f32, and a [`Note`] |
//! | `data.safetensors` | training, validation and test interactions as compressed sparse rows |
//! | `users.txt`, `items.txt` | what the rows are called, a name a line |
//!
//! Metadata are one key, `wgloss`, with a JSON object: several would be written in random order, and
//! equal models must give equal files.

mod data;
mod embeddings;

pub use embeddings::Note;

use std::path::Path;

use super::{Embeddings, Folds, Names, Tokens};
use crate::{Error, Result, loss::Score};

/// A trained model with all that answers need: whom and what the rows stand for, and what is known
/// of them already.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedModel {
    /// The tables.
    pub embeddings: Embeddings,
    /// What items are ranked by.
    pub rank_by: Score,
    /// The epoch that the tables are from, from 1; none where that is not known.
    pub epoch: Option<usize>,
    /// What users and items are called.
    pub tokens: Tokens,
    /// The interactions.
    pub folds: Folds,
}

impl SavedModel {
    /// The file of the tables, in a model's folder.
    pub const EMBEDDINGS: &'static str = "embeddings.safetensors";
    /// The file of the interactions.
    pub const DATA: &'static str = "data.safetensors";
    /// The file of the users' names.
    pub const USERS: &'static str = "users.txt";
    /// The file of the items' names.
    pub const ITEMS: &'static str = "items.txt";

    /// Writes the model's files into `folder`, which must exist, each whole or not at all.
    ///
    /// # Errors
    /// As [`SavedModel::save_data`] and [`Embeddings::save`].
    pub fn save(&self, folder: &Path) -> Result<()> {
        Self::save_data(folder, &self.folds, &self.tokens)?;
        let note = Note {
            rank_by: self.rank_by,
            epoch: self.epoch,
            data: Some(self.folds.fingerprint()),
        };
        self.embeddings.save(&folder.join(Self::EMBEDDINGS), &note)
    }

    /// Writes all but the embeddings, which a trainer knows before it starts; with
    /// [`Embeddings::save`] the folder is complete.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Shape`] where there are not as many names as users or items.
    pub fn save_data(folder: &Path, folds: &Folds, tokens: &Tokens) -> Result<()> {
        for (argument, names, rows) in [
            ("tokens.users", &tokens.users, folds.train.users()),
            ("tokens.items", &tokens.items, folds.train.items()),
        ] {
            if names.len() != rows {
                return Err(Error::Shape {
                    argument,
                    expected: format!("{rows} names, one a row"),
                    actual: names.len().to_string(),
                });
            }
        }
        tokens.users.write(&folder.join(Self::USERS))?;
        tokens.items.write(&folder.join(Self::ITEMS))?;
        data::write(&folder.join(Self::DATA), folds, tokens)
    }

    /// Reads the folder that [`SavedModel::save`] wrote. Embeddings without a note may have taken
    /// the place of its own: they are ranked by the dot product.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that is missing or cannot be read; [`Error::Parse`],
    /// [`Error::Field`] and [`Error::File`] for one that is damaged or does not belong to the others.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = |name| folder.join(name);
        let (embeddings, note) = Embeddings::load(&path(Self::EMBEDDINGS))?;
        let (folds, names) = data::read(&path(Self::DATA))?;
        let tokens = Tokens {
            users: Names::read(&path(Self::USERS))?,
            items: Names::read(&path(Self::ITEMS))?,
        };
        let (users, items) = (folds.train.users(), folds.train.items());
        for (file, what, rows, expected) in [
            (Self::USERS, "users", tokens.users.len(), users),
            (Self::ITEMS, "items", tokens.items.len(), items),
            (Self::EMBEDDINGS, "users", embeddings.users(), users),
            (Self::EMBEDDINGS, "items", embeddings.items(), items),
        ] {
            if rows != expected {
                let message = format!("expected {expected} {what}, as {} has", Self::DATA);
                return Err(mismatch(&path(file), &format!("{message}, got {rows}")));
            }
        }
        if tokens.fingerprint() != names {
            let files = format!("{} and {}", Self::USERS, Self::ITEMS);
            let message = format!("belongs to other names than {files} hold");
            return Err(mismatch(&path(Self::DATA), &message));
        }
        let note = note.unwrap_or_default();
        if note.data.is_some_and(|data| data != folds.fingerprint()) {
            let message = format!("belongs to other interactions than {} holds", Self::DATA);
            return Err(mismatch(&path(Self::EMBEDDINGS), &message));
        }
        Ok(SavedModel {
            embeddings,
            rank_by: note.rank_by,
            epoch: note.epoch,
            tokens,
            folds,
        })
    }
}

fn mismatch(path: &Path, message: &str) -> Error {
    Error::Parse {
        path: path.display().to_string(),
        line: 0,
        message: message.to_owned(),
    }
}
