//! Reading data files: every format, what is left out, the rows, the split.
#![cfg(feature = "train")]

#[path = "train_read/errors.rs"]
mod errors;
#[path = "train_read/formats.rs"]
mod formats;
#[path = "train_read/options.rs"]
mod options;
#[path = "train_read/properties.rs"]
mod properties;

use std::{collections::BTreeSet, fs, path::Path};

use tempfile::TempDir;
use wgloss::train::{
    Interactions, Tokens,
    read::{Read, Source},
};

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("it can be written");
    }
    folder
}

/// Reads these files, with options; errors and notes without the folder's path.
fn read_with(
    files: &[(&str, &str)],
    path: &str,
    options: impl FnOnce(&mut Source),
) -> Result<Read, String> {
    let folder = folder(files);
    let mut source = Source::new(match path {
        "" => folder.path().to_owned(),
        name => folder.path().join(name),
    });
    options(&mut source);
    let short = |text: String| shorten(folder.path(), &text);
    let mut read = source.read().map_err(|error| short(error.to_string()))?;
    read.notes = read.notes.into_iter().map(short).collect();
    Ok(read)
}

fn shorten(folder: &Path, text: &str) -> String {
    let folder = folder.display().to_string();
    let inside = format!("{folder}{}", std::path::MAIN_SEPARATOR);
    text.replace(&inside, "").replace(&folder, "DIR")
}

/// Reads a folder of these files.
fn read(files: &[(&str, &str)]) -> Result<Read, String> {
    read_with(files, "", |_| ())
}

/// Reads one file.
fn read_file(name: &str, content: &str) -> Result<Read, String> {
    read_with(&[(name, content)], name, |_| ())
}

/// Interactions in the words of the files.
type Words = BTreeSet<(String, String)>;

fn words(part: &Interactions, tokens: &Tokens) -> Words {
    let name = |(user, item): (u32, u32)| {
        let user = tokens.users.get(user as usize).expect("a user");
        let item = tokens.items.get(item as usize).expect("an item");
        (user.to_owned(), item.to_owned())
    };
    part.pairs().map(name).collect()
}

fn train_of(read: &Read) -> Words {
    words(&read.dataset.train, &read.tokens)
}

fn test_of(read: &Read) -> Words {
    words(&read.dataset.test, &read.tokens)
}

/// Both parts together.
fn all_of(read: &Read) -> Words {
    &train_of(read) | &test_of(read)
}

/// "a x, b y" as pairs.
fn pairs(text: &str) -> Words {
    let pair = |pair: &str| {
        let (user, item) = pair.trim().split_once(' ').expect("two words");
        (user.to_owned(), item.to_owned())
    };
    text.split(',').map(pair).collect()
}
