//! Reads the folders of the IR-Benchmark data set collection: `train.tsv` and `test.tsv`.

use std::path::Path;

use super::{Dataset, Interactions};
use crate::{Error, Result};

/// Rows that a table may have beyond [`ROWS_PER_LINE`], so that tiny files are free in their ids.
const SPARE_ROWS: u64 = 65_536;
/// Rows that a table may have per line of the two files.
const ROWS_PER_LINE: u64 = 16;
/// Bytes of a bad line that an error message shows.
const SHOWN: usize = 60;

/// Reads `folder/train.tsv` and `folder/test.tsv`.
///
/// Each file holds one interaction a line, `user<TAB>item` (spaces do as well), ids from 0, under
/// a header line of two names. Without a header, the first line counts as data. Lines may end as
/// on Windows, blank lines are skipped, order does not matter, repeats count once. Both tables are
/// sized by the largest id of both files, so a user or item may occur in one file only.
///
/// Ids are expected to be dense, because each one below the largest costs a row of the embedding
/// table: a table may have 16 rows per line of the two files and 65,536 besides.
///
/// # Errors
/// [`Error::Io`] for a file that cannot be read; [`Error::Parse`], with the line, for a line that
/// is not two ids and for an id that breaks the rule above, and for a file without interactions.
pub fn read(folder: &Path) -> Result<Dataset> {
    let train = Pairs::read(&folder.join("train.tsv"))?;
    let test = Pairs::read(&folder.join("test.tsv"))?;
    let lines = (train.pairs.len() + test.pairs.len()) as u64;
    let limit = (ROWS_PER_LINE * lines + SPARE_ROWS).min(u32::MAX.into());
    train.check_dense(limit)?;
    test.check_dense(limit)?;
    let users = train.largest_user.id.max(test.largest_user.id) as usize + 1;
    let items = train.largest_item.id.max(test.largest_item.id) as usize + 1;
    Ok(Dataset {
        train: Interactions::from_pairs(users, items, &train.pairs)?,
        test: Interactions::from_pairs(users, items, &test.pairs)?,
    })
}

/// The content of one file.
struct Pairs {
    path: String,
    pairs: Vec<(u32, u32)>,
    largest_user: Largest,
    largest_item: Largest,
}

/// The largest id so far, and where it was first seen.
#[derive(Default)]
struct Largest {
    id: u32,
    line: usize,
}

impl Largest {
    fn see(&mut self, id: u32, line: usize) {
        if id > self.id {
            *self = Self { id, line };
        }
    }
}

impl Pairs {
    fn read(path: &Path) -> Result<Self> {
        let content = std::fs::read(path).map_err(|source| Error::Io {
            path: path.display().to_string(),
            source,
        })?;
        let mut file = Self {
            path: path.display().to_string(),
            pairs: Vec::new(),
            largest_user: Largest::default(),
            largest_item: Largest::default(),
        };
        // Spreadsheet programs on Windows write a byte order mark.
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
        for (line, text) in (1..).zip(content.split(|&byte| byte == b'\n')) {
            file.read_line(line, text)?;
        }
        if file.pairs.is_empty() {
            let message = "the file holds no interactions".to_owned();
            return Err(file.error(0, message));
        }
        Ok(file)
    }

    fn read_line(&mut self, line: usize, text: &[u8]) -> Result<()> {
        let text = text.trim_ascii();
        if let Some((user, item)) = two_ids(text) {
            self.largest_user.see(user, line);
            self.largest_item.see(item, line);
            self.pairs.push((user, item));
            return Ok(());
        }
        if text.is_empty() || (line == 1 && is_header(text)) {
            return Ok(());
        }
        let shown = String::from_utf8_lossy(&text[..text.len().min(SHOWN)]);
        let dots = if text.len() > SHOWN { "…" } else { "" };
        let message = format!(
            "expected two ids from 0 to {}, `user<TAB>item`, got `{}{dots}`",
            u32::MAX - 1,
            shown.escape_debug()
        );
        Err(self.error(line, message))
    }

    fn check_dense(&self, limit: u64) -> Result<()> {
        for (kind, largest) in [("user", &self.largest_user), ("item", &self.largest_item)] {
            let id = largest.id;
            if u64::from(id) >= limit {
                let message = format!(
                    "{kind} id {id}: ids must be numbered densely from 0, data of this size may \
                     use ids below {limit}"
                );
                return Err(self.error(largest.line, message));
            }
        }
        Ok(())
    }

    fn error(&self, line: usize, message: String) -> Error {
        Error::Parse {
            path: self.path.clone(),
            line,
            message,
        }
    }
}

fn fields(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\t' | b' '))
        .filter(|field| !field.is_empty())
}

fn two_ids(text: &[u8]) -> Option<(u32, u32)> {
    let mut fields = fields(text);
    let pair = (id(fields.next()?)?, id(fields.next()?)?);
    fields.next().is_none().then_some(pair)
}

/// A decimal number below the largest u32, which marks ignored rows of a batch.
fn id(field: &[u8]) -> Option<u32> {
    let value = field.iter().try_fold(0u32, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })?;
    (value < u32::MAX).then_some(value)
}

/// Two names. A first line with a number in it is bad data rather than a header, and skipping it
/// would lose it in silence.
fn is_header(text: &[u8]) -> bool {
    let numeric = |field: &[u8]| matches!(field[0], b'0'..=b'9' | b'+' | b'-' | b'.');
    let mut fields = fields(text);
    let names = fields.by_ref().take(2).filter(|field| !numeric(field));
    names.count() == 2 && fields.next().is_none()
}
