//! A file's text, and errors that show its lines.

use std::{fs, path::Path};

use crate::{Error, Result};

/// Characters of a bad line that an error message shows.
const SHOWN: usize = 60;

/// The content of one file.
pub(super) struct Text {
    path: String,
    content: String,
}

impl Text {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(|source| io(path, source))?;
        let mut content = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count();
            super::text::error(path, line, "expected UTF-8, got other bytes")
        })?;
        // Spreadsheet programs on Windows write a byte order mark.
        if content.starts_with('\u{feff}') {
            content.drain(..'\u{feff}'.len_utf8());
        }
        Ok(Text {
            path: path.display().to_string(),
            content,
        })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn content(&self) -> &str {
        &self.content
    }

    /// All lines but blank ones, with their numbers from 1 and without their ends.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = (1..).zip(self.content.split('\n'));
        lines
            .map(|(number, line)| (number, line.strip_suffix('\r').unwrap_or(line)))
            .filter(|(_, line)| !line.trim_ascii().is_empty())
    }

    /// An error about the whole file.
    pub(super) fn error(&self, line: usize, message: impl Into<String>) -> Error {
        Error::Parse {
            path: self.path.clone(),
            line,
            message: message.into(),
        }
    }

    /// An error about a line, which it shows.
    pub(super) fn expected(&self, line: usize, expected: &str) -> Error {
        let text = self.content.split('\n').nth(line - 1).unwrap_or_default();
        let text = text.trim_end_matches('\r');
        let dots = if text.chars().nth(SHOWN).is_some() {
            "…"
        } else {
            ""
        };
        let visible = |c: char| match c.is_control() {
            true => c.escape_debug().to_string(),
            false => c.to_string(),
        };
        let shown: String = text.chars().take(SHOWN).map(visible).collect();
        self.error(line, format!("expected {expected}, got `{shown}{dots}`"))
    }
}

/// An error about what is at `path`.
pub(super) fn error(path: &Path, line: usize, message: impl Into<String>) -> Error {
    Error::Parse {
        path: path.display().to_string(),
        line,
        message: message.into(),
    }
}

pub(super) fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        path: path.display().to_string(),
        source,
    }
}
