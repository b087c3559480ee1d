//! Files that appear whole or not at all.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use crate::{Error, Result};

/// How folders end in which files come into being.
const UNFINISHED: &str = ".tmp";

/// Makes the file `path` by `write`, which gets a path in a folder beside it to write to. Only a
/// complete file, on disk, takes the name; a process that is killed leaves an older file as it was,
/// and the folder ([`remove_unfinished`]).
///
/// # Errors
/// [`Error::Io`], also for what `write` reports.
pub fn write_whole(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
    let name = path.file_name().unwrap_or_default();
    let mut folder = name.to_owned();
    // The process's number keeps two commands with one output folder apart.
    folder.push(format!(".{}{UNFINISHED}", std::process::id()));
    let folder = path.with_file_name(folder);
    // What writes the content may itself write elsewhere first: a folder keeps that together.
    let written = fs::create_dir(&folder)
        .and_then(|()| write_in(&folder.join(name), write))
        .and_then(|()| fs::rename(folder.join(name), path));
    // It may not exist; the first error is the one to tell.
    let _ = fs::remove_dir_all(&folder);
    written.map_err(|source| Error::Io {
        path: path.display().to_string(),
        source,
    })
}

/// Writes a file to disk.
fn write_in(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    // What writes the content may make a file that nobody else can read; a new file's permissions
    // are what the user asked for.
    let permissions = File::create(path)?.metadata()?.permissions();
    write(path)?;
    fs::set_permissions(path, permissions)?;
    File::open(path)?.sync_all()
}

/// Removes what processes that were killed while they wrote `path` left beside it.
///
/// # Errors
/// [`Error::Io`].
pub fn remove_unfinished(path: &Path) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_left = |other: &str| {
        let process = other
            .strip_prefix(&*name)
            .and_then(|rest| rest.strip_prefix('.')?.strip_suffix(UNFINISHED));
        process.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let remove = || -> io::Result<()> {
        for entry in fs::read_dir(path.parent().unwrap_or(Path::new(".")))? {
            let entry = entry?;
            if is_left(&entry.file_name().to_string_lossy()) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    };
    remove().map_err(|source| Error::Io {
        path: path.display().to_string(),
        source,
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

    #[test]
    fn what_killed_processes_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        for left in ["report.json.12.tmp", "report.json.x.tmp", "other.12.tmp"] {
            fs::create_dir(folder.path().join(left)).unwrap();
        }
        fs::write(folder.path().join("report.json.12.tmp/half"), "ha").unwrap();
        remove_unfinished(&path).unwrap();
        let left = |name: &str| folder.path().join(name).exists();
        assert!(!left("report.json.12.tmp"));
        assert!(left("report.json.x.tmp") && left("other.12.tmp"));
    }
}
