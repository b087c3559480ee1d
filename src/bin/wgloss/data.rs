//! `--data` and how to read it.

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use std::path::PathBuf;
use wgloss::{
    Result,
    train::{
        Names, Planted, Tokens,
        read::{Format, Read, Source, Split},
    },
};

/// Which data to train on.
#[derive(Args)]
pub struct DataArguments {
    /// File or folder with interactions of users and items
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// How --data is written: ir-benchmark is a folder with train.tsv and test.tsv, inter files
    /// with typed headers, adjacency lists `user item item …`, columns delimited text
    #[arg(
        long,
        requires = "data",
        default_value_t = Format::Auto,
        value_parser = PossibleValuesParser::new(Format::NAMES).try_map(|name| name.parse::<Format>())
    )]
    format: Format,
    /// Leave out users and items with fewer than K interactions, until none has
    #[arg(long, requires = "data", default_value_t = 0, value_name = "K")]
    core: usize,
    /// Leave out interactions rated lower
    #[arg(
        long,
        requires = "data",
        value_name = "R",
        allow_negative_numbers = true
    )]
    min_rating: Option<f64>,
    /// Split the data 80/20 per user, even if they come with a test part
    #[arg(long, requires = "data")]
    split: bool,
}

impl DataArguments {
    /// Where the data are; none for the planted data. The seed is that of a split.
    pub fn source(&self, seed: u64) -> Option<Source> {
        let split = match self.split {
            true => Split::Anew,
            false => Split::AsGiven,
        };
        Some(Source {
            path: self.data.clone()?,
            format: self.format,
            core: self.core,
            min_rating: self.min_rating,
            split,
            seed,
        })
    }

    /// The files that may be read.
    pub fn files(&self) -> Vec<PathBuf> {
        let Some(path) = &self.data else {
            return Vec::new();
        };
        let inside = std::fs::read_dir(path).into_iter().flatten().flatten();
        inside
            .map(|entry| entry.path())
            .chain([path.clone()])
            .collect()
    }

    /// Whether there are no data but the planted ones.
    pub fn is_planted(&self) -> bool {
        self.data.is_none()
    }
}

/// The planted data, in which users and items are called by their numbers.
pub fn planted() -> Result<Read> {
    let dataset = Planted::default().generate()?;
    let tokens = Tokens {
        users: Names::numbered(dataset.train.users())?,
        items: Names::numbered(dataset.train.items())?,
    };
    Ok(Read {
        dataset,
        tokens,
        notes: Vec::new(),
    })
}
