//! `--out` of commands that answer in lines: a file, or else standard output.

use crate::screen::Screen;
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use wgloss::{Error, Result, train::write_whole};

/// Where lines go.
pub enum Lines<'a> {
    /// Standard output.
    Screen(&'a mut Screen),
    /// A file that appears when all lines are there, and its name.
    File(BufWriter<File>, String),
}

impl Lines<'_> {
    /// Writes a line.
    pub fn line(&mut self, line: &str) -> Result<()> {
        match self {
            Lines::Screen(screen) => screen.line(line),
            Lines::File(file, path) => writeln!(file, "{line}").map_err(|source| Error::Io {
                path: path.clone(),
                source,
            }),
        }
    }

    /// Whether nobody reads on.
    pub fn closed(&self) -> bool {
        matches!(self, Lines::Screen(screen) if screen.closed())
    }
}

/// Has `write` write its lines to `out`, whole or not at all, or to the screen. `inputs` are files
/// that must not be replaced.
pub fn write_lines(
    out: Option<&Path>,
    inputs: &[PathBuf],
    screen: &mut Screen,
    write: impl FnOnce(&mut Lines<'_>) -> Result<()>,
) -> Result<()> {
    let Some(out) = out else {
        return write(&mut Lines::Screen(screen));
    };
    protect(out, inputs)?;
    let mut failed = None;
    let written = write_whole(out, |temporary| {
        let file = BufWriter::new(File::create(temporary)?);
        let mut lines = Lines::File(file, out.display().to_string());
        if let Err(error) = write(&mut lines) {
            failed = Some(error);
            return Err(io::Error::other("not complete"));
        }
        match lines {
            Lines::File(mut file, _) => file.flush(),
            Lines::Screen(_) => Ok(()),
        }
    });
    match failed {
        Some(error) => Err(error),
        None => written,
    }
}

/// Finds out before the work what can be known of `out`.
fn protect(out: &Path, inputs: &[PathBuf]) -> Result<()> {
    if out.is_dir() {
        return Err(Error::Io {
            path: out.display().to_string(),
            source: io::ErrorKind::IsADirectory.into(),
        });
    }
    let same = |input: &&PathBuf| match (fs::canonicalize(out), fs::canonicalize(input)) {
        (Ok(out), Ok(input)) => out == input,
        _ => false,
    };
    match inputs.iter().find(same) {
        None => Ok(()),
        Some(_) => Err(Error::Unsupported(format!(
            "{}: the answer would replace what is read; choose another file with --out",
            out.display()
        ))),
    }
}
