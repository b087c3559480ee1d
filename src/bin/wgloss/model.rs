//! `MODEL`, `--data` and `--rank-by`, the same for every command that asks a model.

use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use wgloss::{
    Error, Result,
    loss::Score,
    train::{Embeddings, Folds, Interactions, Names, Note, SavedModel, Tokens, ir_benchmark},
};

/// Which model.
#[derive(Args)]
pub struct ModelArguments {
    /// Folder of a saved model, or a safetensors file with the tables `queries` and `candidates`
    /// (or `users` and `items`) in f32 or f16
    model: PathBuf,
    /// Folder with train.tsv and test.tsv to take instead of the model's own interactions; a file
    /// needs it. Id n is row n
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What to rank items by [default: as the model notes, or else dot]
    #[arg(long, value_enum, value_name = "SCORE")]
    rank_by: Option<RankBy>,
}

#[derive(Clone, Copy, ValueEnum)]
enum RankBy {
    /// The inner product
    Dot,
    /// The cosine
    Cosine,
}

impl ModelArguments {
    /// Reads the model.
    pub fn read(&self) -> Result<SavedModel> {
        let mut model = match &self.data {
            None if self.model.is_dir() => SavedModel::load(&self.model)?,
            None => {
                // What is wrong with the file is told before what is missing beside it.
                Embeddings::load(&self.model)?;
                let model = self.model.display();
                return Err(Error::Unsupported(format!(
                    "{model}: a file of embeddings needs --data DIR with the interactions"
                )));
            }
            Some(data) => self.with_data(data)?,
        };
        match self.rank_by {
            Some(RankBy::Dot) => model.rank_by = Score::Dot,
            Some(RankBy::Cosine) => model.rank_by = Score::Cosine,
            None => {}
        }
        Ok(model)
    }

    /// The model as the user named it.
    pub fn path(&self) -> &Path {
        &self.model
    }

    /// All files that are read.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.embeddings()];
        if let Some(data) = &self.data {
            files.extend(["train.tsv", "test.tsv"].map(|name| data.join(name)));
        }
        let beside = [SavedModel::DATA, SavedModel::USERS, SavedModel::ITEMS];
        files.extend(beside.map(|name| self.model.join(name)));
        files
    }

    /// The file of the embeddings.
    fn embeddings(&self) -> PathBuf {
        match self.model.is_dir() {
            true => self.model.join(SavedModel::EMBEDDINGS),
            false => self.model.clone(),
        }
    }

    /// Embeddings on other interactions than their own.
    fn with_data(&self, folder: &Path) -> Result<SavedModel> {
        let file = self.embeddings();
        let (embeddings, note) = Embeddings::load(&file)?;
        let data = ir_benchmark::read(folder)?;
        let (users, items) = (data.train.users(), data.train.items());
        let sizes = (embeddings.users(), embeddings.items());
        if sizes != (users, items) {
            return Err(Error::Unsupported(format!(
                "{} holds {} users × {} items, {} has {users} users × {items} items",
                file.display(),
                sizes.0,
                sizes.1,
                folder.display(),
            )));
        }
        let Note { rank_by, epoch, .. } = note.unwrap_or_default();
        Ok(SavedModel {
            embeddings,
            rank_by,
            epoch,
            tokens: Tokens {
                users: Names::numbered(users)?,
                items: Names::numbered(items)?,
            },
            folds: Folds {
                validation: Interactions::from_lists(items, &vec![Vec::new(); users])?,
                train: data.train,
                test: data.test,
            },
        })
    }
}
