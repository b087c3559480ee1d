//! What a run leaves in the folder of --out.

use super::report::Report;
use std::{
    fs::{self, File},
    io,
    path::Path,
};
use wgloss::{
    Error, Result,
    train::{Checkpoint, Embeddings, SavedModel, Tokens, remove_unfinished, write_whole},
};

const REPORT: &str = "report.json";
const CHECKPOINT: &str = "checkpoint.safetensors";
/// All files of a run.
const FILES: [&str; 6] = [
    SavedModel::EMBEDDINGS,
    SavedModel::DATA,
    SavedModel::USERS,
    SavedModel::ITEMS,
    REPORT,
    CHECKPOINT,
];

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
    for path in FILES.map(|name| out.join(name)) {
        if path.is_dir() {
            return Err(failed(&path, io::ErrorKind::IsADirectory.into()));
        }
        remove_unfinished(&path)?;
    }
    let trial = out.join(format!("{REPORT}.{}.trial", std::process::id()));
    (File::create(&trial).and_then(|_| fs::remove_file(&trial)))
        .map_err(|source| failed(out, source))
}

/// The tables of a saved model of the same users and items.
pub fn reference(folder: &Path, tokens: &Tokens) -> Result<Embeddings> {
    let model = SavedModel::load(folder)?;
    for (what, theirs, ours) in [
        ("users", &model.tokens.users, &tokens.users),
        ("items", &model.tokens.items, &tokens.items),
    ] {
        if theirs != ours {
            return Err(Error::Unsupported(format!(
                "--reference {}: its {} {what} are not the {} of the data, by name and in order",
                folder.display(),
                theirs.len(),
                ours.len()
            )));
        }
    }
    Ok(model.embeddings)
}

/// Writes the report.
pub fn save_report(out: &Path, report: &Report<'_>) -> Result<()> {
    let text = report.json()?;
    write_whole(&out.join(REPORT), |path| fs::write(path, text + "\n"))
}

/// The checkpoint in the folder, if there is one. What a killed run had begun to write is removed.
pub fn checkpoint(out: &Path) -> Result<Option<Checkpoint>> {
    let failed = |source| Error::Io {
        path: out.display().to_string(),
        source,
    };
    for entry in fs::read_dir(out).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if is_left_over(&path) {
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    let path = out.join(CHECKPOINT);
    match path.exists() {
        true => Checkpoint::load(&path).map(Some),
        false => Ok(None),
    }
}

/// Whether a path is what [`write_whole`] writes to before one of our files takes its name.
fn is_left_over(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    FILES.iter().any(|file| {
        let process =
            (name.strip_prefix(file)).and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".tmp"));
        process.is_some_and(|number| number.parse::<u32>().is_ok())
    })
}

/// Puts a checkpoint in the place of the one before.
pub fn leave_checkpoint(out: &Path, checkpoint: &Checkpoint) -> Result<()> {
    checkpoint.save(&out.join(CHECKPOINT))
}
