//! Reads interactions from the files that recommender data come in.
//!
//! | [`Format`] | path | content |
//! |---|---|---|
//! | [`IrBenchmark`](Format::IrBenchmark) | folder with `train.tsv` and `test.tsv` | `user<TAB>item` under a header that may be missing; blanks do for the tab |
//! | [`Adjacency`](Format::Adjacency) | folder with `train.txt` and `test.txt`, or one file | `user item item …`, no header; a user may stand alone |
//! | [`Inter`](Format::Inter) | one `.inter` file, or a folder with one, or with `X.train.inter`, `X.test.inter` and perhaps `X.valid.inter` | tab-separated under a header such as `user_id:token<TAB>item_id:token<TAB>rating:float` |
//! | [`Columns`](Format::Columns) | one file | user, item, perhaps a rating, anything else; see below |
//!
//! In all of them users and items may be called anything that is not empty and stays on its line.
//! Lines may come in any order and end as on Windows, blank ones are skipped, a byte order mark is
//! too; repeated interactions count once. Files are UTF-8.
//!
//! # Rows
//! Users are rows of the one table and items of the other: in the order of their numbers, if all
//! are called by decimal numbers below 2⁶⁴ without leading zeros, and else in the order of their
//! bytes. Neither depends on the order of lines, and data that are numbered densely from 0 keep
//! their numbers.
//!
//! # Columns
//! The first line tells the separator: a tab if it has one, or else the first comma or semicolon,
//! or else `::`, or else blanks. Between commas and semicolons a field may be quoted as in RFC
//! 4180. Users are in the first column, items in the second, ratings in the third.
//!
//! The first line is a header if it has no number in it and the second line has numbers for user
//! and item, or in a further column; or if a name in it contains `user` or `item`, neither has a
//! digit, and the second line does not look the same. A note tells of a header without such a name.
//! Any other first line is data.
//!
//! # Parts
//! What has no test part is split 80/20 per user, see [`split::train_test_known`]. Users without
//! training data are left out of the test part, items without are not.
//!
//! [`split::train_test_known`]: super::split::train_test_known

mod adjacency;
mod assemble;
mod columns;
mod find;
mod inter;
mod k_core;
mod numbering;
mod records;
mod rows;
mod text;

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Dataset, Tokens};
use crate::{Error, Result};
use find::{Files, Kind};
use rows::Rows;
use text::Text;

/// Where interactions are, and what to take of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// A file or a folder.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// Users and items that have fewer interactions than this with each other, all parts taken
    /// together, are left out; 0 and 1 leave out none.
    pub core: usize,
    /// Interactions rated lower are left out, before anything else is counted.
    pub min_rating: Option<f64>,
    /// Which interactions are for testing.
    pub split: Split,
    /// Seed of the split, where one is made.
    pub seed: u64,
}

/// How data are written; the [module](self) describes each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// Told from what is in the folder, or from the file's name and first line.
    #[default]
    Auto,
    /// A folder of the IR-Benchmark data set collection.
    IrBenchmark,
    /// A file of `RecBole`, or a folder of them.
    Inter,
    /// Lists of items, as `LightGCN` has them.
    Adjacency,
    /// Delimited text.
    Columns,
}

/// Which interactions are for testing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// The test part that the data come with; without one as [`Split::Anew`].
    #[default]
    AsGiven,
    /// A fifth of each user's interactions, whatever parts the data come in.
    Anew,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The interactions.
    pub dataset: Dataset,
    /// What the files call the rows of the two tables.
    pub tokens: Tokens,
    /// What became of the files' content on the way, where that is not plain: a line each.
    pub notes: Vec<String>,
}

impl Format {
    /// The names, as [`FromStr`] takes them.
    pub const NAMES: [&'static str; 5] = ["auto", "ir-benchmark", "inter", "adjacency", "columns"];
    const ALL: [Format; 5] = [
        Format::Auto,
        Format::IrBenchmark,
        Format::Inter,
        Format::Adjacency,
        Format::Columns,
    ];
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let place = Format::NAMES.iter().position(|known| *known == name);
        place
            .map(|place| Format::ALL[place])
            .ok_or_else(|| Error::Unknown {
                what: "data".into(),
                kind: "format",
                name: name.into(),
                valid: Format::NAMES.join(", "),
            })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Format::NAMES[*self as usize])
    }
}

impl Source {
    /// All that is at `path`, in whatever format, in the parts it comes in; seed 0.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Source {
            path: path.into(),
            format: Format::default(),
            core: 0,
            min_rating: None,
            split: Split::default(),
            seed: 0,
        }
    }

    /// Reads the interactions. The result depends on the content of the files and on the options
    /// alone, not on the order of lines.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read; [`Error::Parse`], with the line, for one that
    /// is not in the format, for a path that the format does not fit or, under [`Format::Auto`], no
    /// format or several, and where nothing remains to learn from; [`Error::Domain`] for a
    /// `min_rating` that is not finite, [`Error::TooLarge`] for more than `u32` can number.
    pub fn read(&self) -> Result<Read> {
        if let Some(rating) = self.min_rating.filter(|rating| !rating.is_finite()) {
            return Err(Error::Domain {
                loss: "data",
                parameter: "min_rating",
                value: rating.to_string(),
                domain: "must be finite".into(),
            });
        }
        let files = Files::find(&self.path, self.format)?;
        if let Some(least) = self.min_rating.filter(|_| !files.kind.may_have_ratings()) {
            let message = format!(
                "min_rating = {least}: expected an .inter file or columns, got a format without \
                 ratings"
            );
            return Err(text::error(&self.path, 0, message));
        }
        let mut rows = Rows::new(self.min_rating);
        for path in &files.train {
            files.kind.read(&Text::read(path)?, &mut rows)?;
        }
        let train = std::mem::take(&mut rows.pairs);
        if let Some(path) = &files.test {
            files.kind.read(&Text::read(path)?, &mut rows)?;
        }
        rows.notes.splice(..0, files.notes);
        let test = std::mem::take(&mut rows.pairs);
        assemble::assemble(self, rows, train, files.test.is_some().then_some(test))
    }
}

impl Kind {
    fn read(self, text: &Text, rows: &mut Rows) -> Result<()> {
        let before = rows.seen();
        match self {
            Kind::Columns(shape) => columns::read(text, shape, rows)?,
            Kind::Inter => inter::read(text, rows)?,
            Kind::Adjacency => adjacency::read(text, rows)?,
        }
        if rows.seen() == before {
            return Err(text.error(0, "the file holds no interactions"));
        }
        Ok(())
    }
}
