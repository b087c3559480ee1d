//! Standard output that outlives its reader, and complaints of one line.

use std::{
    fmt::Display,
    io::{self, Write},
};
use wgloss::{Error, Result};

/// Standard output. Once its reader is gone (`wgloss … | head`) lines are dropped, and the command
/// goes on: what it writes to files must not depend on who looks.
#[derive(Default)]
pub struct Screen {
    closed: bool,
}

impl Screen {
    /// Writes a line.
    pub fn line(&mut self, line: impl Display) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        match writeln!(io::stdout().lock(), "{line}") {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(source) => Err(Error::Io {
                path: "standard output".into(),
                source,
            }),
        }
    }

    /// Whether the reader is gone, as far as is known: a command that only answers may end then.
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// Writes one line to standard error.
    pub fn complain(&self, error: impl Display) {
        let line = error.to_string().replace(['\n', '\r'], " ");
        // Nobody is left to be told that standard error is closed.
        let _ = writeln!(io::stderr().lock(), "wgloss: {line}");
    }
}
