//! Where what is learnt of an adapter is kept between runs.

use etcetera::BaseStrategy;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The environment variable that names a folder, or turns caches off.
const VARIABLE: &str = "WGLOSS_CACHE";
/// Its value that does so.
const OFF: &str = "off";

/// Where a [`Context`](super::Context) keeps what it learns of its adapter: compiled pipelines. Files
/// there are made anew when they are unreadable, or another driver's; who cannot write there goes on
/// without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CacheFolder {
    /// The folder in the environment variable `WGLOSS_CACHE`, none if it is `off`, and without it
    /// `wgloss` in the platform's folder for caches.
    #[default]
    Platform,
    /// This one.
    Folder(PathBuf),
    /// None.
    Off,
}

impl CacheFolder {
    /// The folder, which need not exist yet; `None` where nothing is kept.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            CacheFolder::Folder(path) => Some(path.clone()),
            CacheFolder::Off => None,
            CacheFolder::Platform => match env::var_os(VARIABLE) {
                Some(value) if value == OFF => None,
                Some(value) if !value.is_empty() => Some(value.into()),
                _ => platform(),
            },
        }
    }
}

/// In the folder that the platform has for caches; none for those without a home.
fn platform() -> Option<PathBuf> {
    let folders = etcetera::base_strategy::choose_native_strategy().ok()?;
    Some(folders.cache_dir().join("wgloss"))
}

/// Writes a file of a cache, whole or not at all; not being able to is no error.
pub(super) fn keep(path: &Path, content: &[u8]) {
    let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = (path.parent().map_or(Ok(()), fs::create_dir_all))
        .and_then(|()| fs::write(&unfinished, content))
        .and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // It may not exist; a cache that cannot be kept is none.
        let _ = fs::remove_file(&unfinished);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_file_replaces_the_one_before() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/b/file.json");
        for content in [&b"first"[..], b"second"] {
            keep(&path, content);
            assert_eq!(fs::read(&path).expect("it is there"), content);
        }
        let beside = fs::read_dir(folder.path().join("a/b")).expect("a folder");
        assert_eq!(beside.count(), 1);
        // A folder that is a file: nothing happens.
        keep(&path.join("below"), b"third");
        assert_eq!(fs::read(&path).expect("it is there"), b"second");
    }
}
