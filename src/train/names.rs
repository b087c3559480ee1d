//! What users and items are called in the data files: [`Names`] and [`Tokens`].

use std::{fs, path::Path};

use super::write_whole;
use crate::{Error, Result};

/// The names of a table's rows; row n is called `get(n)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    names: Vec<String>,
    /// Rows by name.
    sorted: Vec<u32>,
}

/// The names of users and items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Of the users.
    pub users: Names,
    /// Of the items.
    pub items: Names,
}

impl Tokens {
    /// The fingerprints of both ([`Names::fingerprint`]), joined.
    pub fn fingerprint(&self) -> String {
        let [users, items] = [&self.users, &self.items].map(Names::fingerprint);
        format!("{users:016x}-{items:016x}")
    }
}

impl Names {
    /// Takes over distinct names, none of which has a line end.
    ///
    /// # Errors
    /// [`Error::Shape`] for more names than ids, a name that occurs twice, or one with a line end.
    pub fn new(names: Vec<String>) -> Result<Self> {
        let refuse = |expected: &str, actual: String| {
            Err(Error::Shape {
                argument: "names",
                expected: expected.into(),
                actual,
            })
        };
        // The two largest ids mean something else in batches.
        let Some(count) = u32::try_from(names.len())
            .ok()
            .filter(|&n| n < u32::MAX - 1)
        else {
            return refuse("fewer than 2³² - 2 names", names.len().to_string());
        };
        if let Some(name) = names.iter().find(|name| name.contains(['\n', '\r'])) {
            return refuse("names of one line each", format!("{name:?}"));
        }
        let mut sorted: Vec<u32> = (0..count).collect();
        sorted.sort_unstable_by_key(|&row| &names[row as usize]);
        let twice = |pair: &&[u32]| names[pair[0] as usize] == names[pair[1] as usize];
        if let Some(pair) = sorted.windows(2).find(twice) {
            let name = &names[pair[0] as usize];
            return refuse("distinct names", format!("{name:?} twice"));
        }
        Ok(Names { names, sorted })
    }

    /// Rows that are called by their numbers.
    ///
    /// # Errors
    /// As [`Names::new`].
    pub fn numbered(count: usize) -> Result<Self> {
        Names::new((0..count).map(|row| row.to_string()).collect())
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The name of a row.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.names.get(row).map(String::as_str)
    }

    /// The row of a name.
    pub fn find(&self, name: &str) -> Option<u32> {
        let order = |&row: &u32| self.names[row as usize].as_str().cmp(name);
        let place = self.sorted.binary_search_by(order).ok()?;
        Some(self.sorted[place])
    }

    /// All names, by row.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// A number that tells lists of names apart (FNV-1a over their bytes), the same on every
    /// platform.
    pub fn fingerprint(&self) -> u64 {
        let bytes = self.iter().flat_map(|name| name.bytes().chain([b'\n']));
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    /// Reads a file of one name a line: line n + 1 is the name of row n.
    ///
    /// # Errors
    /// [`Error::Io`]; as [`Names::new`], with the path.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|source| Error::Io {
            path: path.display().to_string(),
            source,
        })?;
        Names::new(text.lines().map(str::to_owned).collect()).map_err(|source| Error::File {
            path: path.display().to_string(),
            source: source.into(),
        })
    }

    /// Writes the file that [`Names::read`] reads, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let lines: String = self.iter().flat_map(|name| [name, "\n"]).collect();
        write_whole(path, |to| fs::write(to, lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> Result<Names> {
        Names::new(of.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn rows_and_names_find_each_other() {
        let names = names(&["b7", "", "ä b", "10", "9"]).unwrap();
        for (row, name) in names.iter().enumerate() {
            assert_eq!(names.get(row), Some(name));
            assert_eq!(names.find(name), Some(row as u32));
        }
        assert_eq!((names.find("b"), names.get(5)), (None, None));
        assert_eq!(Names::numbered(12).unwrap().find("11"), Some(11));
    }

    #[test]
    fn files_hold_a_name_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.txt");
        let written = names(&["x y", "", "é"]).unwrap();
        written.write(&path).unwrap();
        assert_eq!(Names::read(&path).unwrap(), written);
        fs::write(&path, "a\nb\na\n").unwrap();
        let error = Names::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("users.txt") && error.contains("\"a\" twice"),
            "{error}"
        );
    }

    #[test]
    fn ambiguous_names_are_refused() {
        assert!(names(&["a", "a"]).is_err());
        assert!(names(&["a\n"]).is_err());
    }
}
