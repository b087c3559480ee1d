//! `wgloss recommend`: the best items of users, in the data's own words.

use crate::{
    Outcome,
    model::ModelArguments,
    output::{Lines, write_lines},
    screen::Screen,
};
use serde::Serialize;
use std::path::PathBuf;
use wgloss::{
    Error, Result,
    train::{Interactions, Names, SavedModel, TopK, metrics::check_ks},
};

/// Users that are ranked for at once: enough for all threads, and few enough that the lists of a
/// million users never are in memory together.
const CHUNK: usize = 4096;
/// Items per user, where nothing else is asked for.
const USUAL: usize = 20;

/// Recommend items to users with a saved model.
///
/// Prints lines of `user<TAB>place<TAB>item<TAB>score`, best first; equal scores in the order of
/// items.txt. Items that the user has in the training or validation data are left out, those of the
/// test data are not. Who has not enough others gets a shorter list.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Users by their names in the data, separated by commas [default: all users]
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "NAME",
        conflicts_with = "users"
    )]
    user: Vec<String>,
    /// File with users by their names, one a line
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Items per user [default: 20, or as many as there are]
    #[arg(short, long)]
    k: Option<usize>,
    /// Recommend known items too
    #[arg(long)]
    keep_known: bool,
    /// Print one JSON object a line and user: {"user": …, "items": [{"item": …, "score": …}, …]}
    #[arg(long)]
    json: bool,
    /// File for the answer, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, screen: &mut Screen) -> Outcome {
    let mut inputs = arguments.model.files();
    inputs.extend(arguments.users.clone());
    let mut notes = Vec::new();
    write_lines(arguments.out.as_deref(), &inputs, screen, |lines| {
        let (model, told) = arguments.model.read()?;
        notes = told;
        arguments.answer(&model, lines)
    })?;
    // Standard output is for the answer alone.
    notes.iter().for_each(|note| screen.complain(note));
    Ok(true)
}

impl Arguments {
    fn answer(&self, model: &SavedModel, lines: &mut Lines<'_>) -> Result<()> {
        let items = model.embeddings.items();
        let k = self.k.unwrap_or(USUAL.min(items));
        check_ks(&[k], items)?;
        let users = self.rows(&model.tokens.users)?;
        if !self.json {
            check_tabs("user", &model.tokens.users)?;
            check_tabs("item", &model.tokens.items)?;
        }
        let known = match self.keep_known {
            true => None,
            false => Some(model.folds.train.union(&model.folds.validation)?),
        };
        for chunk in users.chunks(CHUNK) {
            if lines.closed() {
                break;
            }
            let lists = rank(model, chunk, k, known.as_ref())?;
            for (at, &user) in chunk.iter().enumerate() {
                self.write(model, user as usize, (&lists, at), lines)?;
            }
        }
        Ok(())
    }

    /// The rows of the users that were asked for, in that order.
    fn rows(&self, names: &Names) -> Result<Vec<u32>> {
        let find = |name: &str, place: String| {
            names.find(name).ok_or_else(|| {
                let all = names.len();
                Error::Unsupported(format!(
                    "{place}: unknown user `{name}`, the model has {all}"
                ))
            })
        };
        if let Some(path) = &self.users {
            let file = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|source| Error::Io {
                path: file.clone(),
                source,
            })?;
            if text.is_empty() {
                return Err(Error::Parse {
                    path: file,
                    line: 0,
                    message: "expected a user a line, the file is empty".to_owned(),
                });
            }
            let asked = text.lines().zip(1..);
            return asked
                .map(|(name, line)| find(name, format!("{file}:{line}")))
                .collect();
        }
        if self.user.is_empty() {
            return Ok((0u32..).take(names.len()).collect());
        }
        let asked = self.user.iter();
        asked.map(|name| find(name, "--user".to_owned())).collect()
    }

    fn write(
        &self,
        model: &SavedModel,
        user: usize,
        (lists, at): (&TopK, usize),
        lines: &mut Lines<'_>,
    ) -> Result<()> {
        let item = |&item: &u32| model.tokens.items.get(item as usize).unwrap_or_default();
        let user = model.tokens.users.get(user).unwrap_or_default();
        let entries = lists.items(at).iter().map(item).zip(lists.scores(at));
        if self.json {
            let items = entries
                .map(|(item, &score)| Entry { item, score })
                .collect();
            let line = serde_json::to_string(&Answer { user, items });
            let line = line.map_err(|error| Error::Unsupported(format!("user {user}: {error}")))?;
            return lines.line(&line);
        }
        let entries = entries.zip(1..);
        let all = entries
            .map(|((item, score), place)| format!("{user}\t{place}\t{item}\t{score}"))
            .collect::<Vec<_>>();
        // At once: a write per line takes longer than the ranking.
        match all.is_empty() {
            true => Ok(()),
            false => lines.line(&all.join("\n")),
        }
    }
}

/// A user's list as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    user: &'a str,
    items: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    item: &'a str,
    score: f32,
}

fn rank(model: &SavedModel, users: &[u32], k: usize, known: Option<&Interactions>) -> Result<TopK> {
    model.embeddings.top_k_of(users, model.rank_by, k, known)
}

/// A tab in a name would read as the end of it.
fn check_tabs(what: &str, names: &Names) -> Result<()> {
    match names.iter().find(|name| name.contains('\t')) {
        None => Ok(()),
        Some(name) => Err(Error::Unsupported(format!(
            "{what} {name:?}: the name has a tab, and lines are cut at tabs; take --json"
        ))),
    }
}
