//! Which files there are to read, and in what format.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use super::{
    Format,
    columns::Shape,
    text::{error, io},
};
use crate::Result;

/// The longest first line that is searched for a typed header.
const LONGEST_HEADER: u64 = 1 << 16;
/// Names of files that an error message shows.
const SHOWN: usize = 8;

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Columns(Shape),
    Inter,
    Adjacency,
}

impl Kind {
    pub(super) fn may_have_ratings(self) -> bool {
        !matches!(self, Kind::Adjacency | Kind::Columns(Shape::Two))
    }
}

/// The files of a data set.
pub(super) struct Files {
    pub(super) kind: Kind,
    pub(super) train: Vec<PathBuf>,
    pub(super) test: Option<PathBuf>,
    pub(super) notes: Vec<String>,
}

impl Files {
    pub(super) fn find(path: &Path, format: Format) -> Result<Self> {
        let about = fs::metadata(path).map_err(|source| io(path, source))?;
        let folder = about.is_dir();
        let known = match format {
            Format::Auto if folder => of_folder(path)?,
            // Looking into a pipe would take what it shows away from who reads it.
            Format::Auto if !about.is_file() => {
                let message = "expected a file or folder to tell the format from, got a pipe or \
                               device: name the format";
                return Err(error(path, 0, message));
            }
            Format::Auto => of_file(path)?,
            format => format,
        };
        match (known, folder) {
            (Format::IrBenchmark, true) => Ok(parts(path, "tsv", Kind::Columns(Shape::Two))),
            (Format::Adjacency, true) => Ok(parts(path, "txt", Kind::Adjacency)),
            (Format::Inter, true) => inter_folder(path),
            (Format::Adjacency, false) => Ok(single(path, Kind::Adjacency)),
            (Format::Inter, false) => Ok(single(path, Kind::Inter)),
            (Format::IrBenchmark, false) => {
                let message = format!("{known}: expected a folder, got a file");
                Err(error(path, 0, message))
            }
            (_, true) => {
                let message = format!("{known}: expected a file, got a folder");
                Err(error(path, 0, message))
            }
            (_, false) if format == Format::Auto => Ok(single(path, Kind::Columns(Shape::Even))),
            (_, false) => Ok(single(path, Kind::Columns(Shape::Any))),
        }
    }
}

fn single(path: &Path, kind: Kind) -> Files {
    Files {
        kind,
        train: vec![path.to_owned()],
        test: None,
        notes: Vec::new(),
    }
}

fn parts(folder: &Path, extension: &str, kind: Kind) -> Files {
    let part = |name| folder.join(name).with_extension(extension);
    Files {
        kind,
        train: vec![part("train")],
        test: Some(part("test")),
        notes: Vec::new(),
    }
}

/// A folder's `.inter` files: one, or the parts of one data set.
fn inter_folder(folder: &Path) -> Result<Files> {
    let mut names = listing(folder)?;
    names.retain(|name| name.ends_with(".inter"));
    if let [name] = &names[..] {
        return Ok(single(&folder.join(name), Kind::Inter));
    }
    let part = |part: &str| {
        let mut places = names.iter();
        places.find_map(|name| Some((name, name.strip_suffix(part)?)))
    };
    let valid = part(".valid.inter");
    if let (Some((train, stem)), Some((test, other))) = (part(".train.inter"), part(".test.inter"))
    {
        let valid = valid.filter(|(_, of)| *of == stem).map(|(name, _)| name);
        if stem == other && names.len() == 2 + usize::from(valid.is_some()) {
            let note = |name| {
                format!("{name} is read as training data: what validates is held out of these")
            };
            return Ok(Files {
                kind: Kind::Inter,
                train: [Some(train), valid]
                    .into_iter()
                    .flatten()
                    .map(|name| folder.join(name))
                    .collect(),
                test: Some(folder.join(test)),
                notes: valid.map(note).into_iter().collect(),
            });
        }
    }
    let message = format!(
        "expected one .inter file, or X.train.inter and X.test.inter with or without \
         X.valid.inter, got {}",
        shown(&names)
    );
    Err(error(folder, 0, message))
}

fn of_folder(folder: &Path) -> Result<Format> {
    let names = listing(folder)?;
    let has = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
    let found: Vec<Format> = [
        (Format::IrBenchmark, has(&["train.tsv", "test.tsv"])),
        (Format::Adjacency, has(&["train.txt", "test.txt"])),
        (
            Format::Inter,
            names.iter().any(|name| name.ends_with(".inter")),
        ),
    ]
    .into_iter()
    .filter_map(|(format, there)| there.then_some(format))
    .collect();
    if let [format] = found[..] {
        return Ok(format);
    }
    let accepted = "train.tsv and test.tsv (ir-benchmark), train.txt and test.txt (adjacency), or \
                    .inter files (inter)";
    let message = match &found[..] {
        [] => format!(
            "expected a folder with {accepted}, or one file, got {}",
            shown(&names)
        ),
        _ => format!("expected a folder with either {accepted}, got several: name the format"),
    };
    Err(error(folder, 0, message))
}

/// A file with a typed header is an `.inter` file under whatever name.
fn of_file(path: &Path) -> Result<Format> {
    if path
        .extension()
        .is_some_and(|extension| extension == "inter")
    {
        return Ok(Format::Inter);
    }
    let mut first = Vec::new();
    File::open(path)
        .and_then(|file| {
            let mut start = BufReader::new(file).take(LONGEST_HEADER);
            start.read_until(b'\n', &mut first)
        })
        .map_err(|source| io(path, source))?;
    let typed = first
        .windows(b":token".len())
        .any(|bytes| bytes == b":token");
    Ok(if typed {
        Format::Inter
    } else {
        Format::Columns
    })
}

/// The names of what is in a folder, sorted.
fn listing(folder: &Path) -> Result<Vec<String>> {
    let names = fs::read_dir(folder).and_then(|entries| {
        let name = |entry: std::io::Result<fs::DirEntry>| {
            Ok(entry?.file_name().to_string_lossy().into_owned())
        };
        entries.map(name).collect::<std::io::Result<Vec<_>>>()
    });
    let mut names = names.map_err(|source| io(folder, source))?;
    names.sort_unstable();
    Ok(names)
}

fn shown(names: &[String]) -> String {
    match names {
        [] => "none".into(),
        _ if names.len() > SHOWN => format!("{}, …", names[..SHOWN].join(", ")),
        _ => names.join(", "),
    }
}
