//! What a run leaves in the folder of --out.

use super::report::Report;
use std::{
    fs::{self, File},
    io,
    path::Path,
};
use wgloss::{
    Error, Result,
    train::{Best, Note, write_whole},
};

const EMBEDDINGS: &str = "embeddings.safetensors";
const REPORT: &str = "report.json";

/// Makes the folder, and finds out before the work whether files can be put there.
pub fn prepare(out: &Path) -> Result<()> {
    let failed = |path: &Path, source| Error::Io {
        path: path.display().to_string(),
        source,
    };
    if out.exists() && !out.is_dir() {
        return Err(failed(out, io::ErrorKind::NotADirectory.into()));
    }
    fs::create_dir_all(out).map_err(|source| failed(out, source))?;
    for path in [EMBEDDINGS, REPORT].map(|name| out.join(name)) {
        if path.is_dir() {
            return Err(failed(&path, io::ErrorKind::IsADirectory.into()));
        }
    }
    let trial = out.join(format!("{REPORT}.{}.trial", std::process::id()));
    (File::create(&trial).and_then(|_| fs::remove_file(&trial)))
        .map_err(|source| failed(out, source))
}

/// Writes the best embeddings, if there are any, and then the report that names them.
pub fn save(out: &Path, report: &Report<'_>, best: Option<&Best>) -> Result<()> {
    if let Some(best) = best {
        let note = Note {
            rank_by: report.settings.rank_by,
            epoch: Some(best.epoch),
            data: Some(report.data.fingerprint.clone()),
        };
        best.embeddings.save(&out.join(EMBEDDINGS), &note)?;
    }
    let text = report.json()?;
    write_whole(&out.join(REPORT), |path| fs::write(path, text + "\n"))
}
