//! Files that appear whole or not at all.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use crate::{Error, Result};

/// Makes the file `path` by `write`, which gets a path beside it to write to. Only a complete file,
/// on disk, takes the name; a process that is killed leaves an older file as it was.
///
/// # Errors
/// [`Error::Io`], also for what `write` reports.
pub fn write_whole(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    // The process's number keeps two commands with one output folder apart.
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    // What writes the content may make a file that nobody else can read; a new file's permissions
    // are what the user asked for.
    let permissions = File::create(&beside).and_then(|file| Ok(file.metadata()?.permissions()));
    let written = permissions
        .and_then(|permissions| {
            write(&beside)?;
            fs::set_permissions(&beside, permissions)?;
            File::open(&beside)?.sync_all()
        })
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|source| {
        // It may not exist; the first error is the one to tell.
        let _ = fs::remove_file(&beside);
        Error::Io {
            path: path.display().to_string(),
            source,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_keeps_the_older_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        write_whole(&path, |to| fs::write(to, "old")).unwrap();
        let half = |to: &Path| {
            fs::write(to, "ne")?;
            Err(io::Error::other("the disk is full"))
        };
        let error = write_whole(&path, half).unwrap_err().to_string();
        assert!(error.ends_with("report.json: the disk is full"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
