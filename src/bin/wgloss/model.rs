//! `MODEL`, `--data` and `--rank-by`, the same for every command that asks a model.

use crate::data::DataArguments;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use wgloss::{
    Error, Result,
    loss::Score,
    train::{
        Dataset, Embeddings, Folds, Interactions, Names, Note, SavedModel, Tokens,
        read::{Read, Source},
    },
};

/// Which model.
#[derive(Args)]
pub struct ModelArguments {
    /// Folder of a saved model, or a safetensors file with the tables `queries` and `candidates`
    /// (or `users` and `items`) in f32 or f16, which needs --data. Other data than the model's own
    /// must have users and items of the model's names; where it has none, row n is what the data
    /// call n, or else the n-th of their names in order
    model: PathBuf,
    #[command(flatten)]
    data: DataArguments,
    /// What to rank items by [default: as the model notes, or else dot]
    #[arg(long, value_enum, value_name = "SCORE")]
    rank_by: Option<RankBy>,
}

/// What items are ranked by.
#[derive(Clone, Copy, ValueEnum)]
pub enum RankBy {
    /// The inner product
    Dot,
    /// The cosine
    Cosine,
}

impl RankBy {
    /// The score.
    pub fn score(self) -> Score {
        match self {
            RankBy::Dot => Score::Dot,
            RankBy::Cosine => Score::Cosine,
        }
    }
}

impl ModelArguments {
    /// Reads the model; also gives what became of --data on the way, a line each, to be told beside
    /// the answer.
    pub fn read(&self) -> Result<(SavedModel, Vec<String>)> {
        let (mut model, notes) = match self.data.source(0) {
            None if self.model.is_dir() => (SavedModel::load(&self.model)?, Vec::new()),
            None => {
                // What is wrong with the file is told before what is missing beside it.
                Embeddings::load(&self.model)?;
                let model = self.model.display();
                return Err(Error::Unsupported(format!(
                    "{model}: a file of embeddings needs --data PATH with the interactions"
                )));
            }
            Some(source) => self.with_data(&source)?,
        };
        if let Some(rank_by) = self.rank_by {
            model.rank_by = rank_by.score();
        }
        Ok((model, notes))
    }

    /// The model as the user named it.
    pub fn path(&self) -> &Path {
        &self.model
    }

    /// All files that are read.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.embeddings()];
        files.extend(self.data.files());
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
    fn with_data(&self, source: &Source) -> Result<(SavedModel, Vec<String>)> {
        let file = self.embeddings();
        let (embeddings, note) = Embeddings::load(&file)?;
        let read = source.read()?;
        let tokens = Tokens {
            users: self.names(SavedModel::USERS, embeddings.users(), &read.tokens.users)?,
            items: self.names(SavedModel::ITEMS, embeddings.items(), &read.tokens.items)?,
        };
        let data = by_name(&read, &tokens)?;
        let (users, items) = (data.train.users(), data.train.items());
        let sizes = (embeddings.users(), embeddings.items());
        if sizes != (users, items) {
            return Err(Error::Unsupported(format!(
                "{} holds {} users × {} items, {} has {users} users × {items} items",
                file.display(),
                sizes.0,
                sizes.1,
                source.path.display(),
            )));
        }
        let Note { rank_by, epoch, .. } = note.unwrap_or_default();
        let model = SavedModel {
            embeddings,
            rank_by,
            epoch,
            tokens,
            folds: Folds::without_validation(&data)?,
        };
        let notes = read.notes.iter();
        let notes = notes.map(|note| format!("{}: {note}", source.path.display()));
        Ok((model, notes.collect()))
    }

    /// What the rows of a table are called: as the model's file says, or by their numbers where the
    /// data have numbers, or else as in the data.
    fn names(&self, file: &str, rows: usize, data: &Names) -> Result<Names> {
        let file = self.model.join(file);
        if file.is_file() {
            return Names::read(&file);
        }
        let is_number = |name: &str| name.parse::<u64>().is_ok();
        match data.iter().all(is_number) {
            true => Names::numbered(rows),
            false => Ok(data.clone()),
        }
    }
}

/// Data by the rows that a model has their users and items in.
fn by_name(read: &Read, tokens: &Tokens) -> Result<Dataset> {
    let users = rows("user", &read.tokens.users, &tokens.users)?;
    let items = rows("item", &read.tokens.items, &tokens.items)?;
    let part = |part: &Interactions| {
        let pairs: Vec<(u32, u32)> = (part.pairs())
            .map(|(user, item)| (users[user as usize], items[item as usize]))
            .collect();
        Interactions::from_pairs(tokens.users.len(), tokens.items.len(), &pairs)
    };
    Ok(Dataset {
        train: part(&read.dataset.train)?,
        test: part(&read.dataset.test)?,
    })
}

/// The model's rows of the data's names.
fn rows(what: &str, data: &Names, model: &Names) -> Result<Vec<u32>> {
    let found: Vec<Option<u32>> = data.iter().map(|name| model.find(name)).collect();
    if let Some(unknown) = found.iter().position(Option::is_none) {
        let count = found.iter().filter(|row| row.is_none()).count();
        let name = data.get(unknown).unwrap_or_default();
        return Err(Error::Unsupported(format!(
            "--data: the model does not know {what} `{name}`, and {} others",
            count - 1
        )));
    }
    Ok(found.into_iter().flatten().collect())
}
