//! Writes results under the names of the case file.

use super::Case;
use crate::{Error, Output, Result};
use serde::{Serialize, Serializer};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

/// Writes the results of `case` to `path` as JSON: `name`, `value`, `row_values`,
/// `grad_queries`, `grad_candidates` (null for frozen candidates), `grad_adv_queries` and
/// `grad_adv_candidates` where there is an adversary, `grad_bias` where the loss has a bias, and `counts` of pairs and vectors that were special.
///
/// The file appears whole or not at all: it is written beside its place and renamed.
///
/// # Errors
/// [`Error::Io`].
pub fn write_results<R: Serialize>(path: &Path, case: &Case, output: &Output<R>) -> Result<()> {
    let results = Results {
        name: &case.name,
        value: &output.value,
        row_values: &output.row_losses,
        grad_queries: rows(output.grad_queries.as_deref(), case.dim()),
        grad_candidates: rows(output.grad_candidates.as_deref(), case.dim()),
        grad_adv_queries: rows(output.grad_second_queries.as_deref(), case.adversary_dim()),
        grad_adv_candidates: rows(
            output.grad_second_candidates.as_deref(),
            case.adversary_dim(),
        ),
        grad_bias: output.grad_theta.first(),
        counts: Counts {
            dead_pairs: output.counts.dead_pairs,
            ignored_pairs: output.counts.ignored_pairs,
            zero_queries: output.counts.zero_queries,
            zero_candidates: output.counts.zero_candidates,
        },
    };
    // The process's number keeps two commands with one output folder apart.
    let beside = path.with_file_name(format!(".{}.{}.tmp", case.name, std::process::id()));
    let written = write(&beside, &results).and_then(|()| fs::rename(&beside, path));
    written.map_err(|source| {
        // It may not exist; the first error is the one to tell.
        let _ = fs::remove_file(&beside);
        Error::Io {
            path: path.display().to_string(),
            source,
        }
    })
}

fn write(path: &Path, results: &impl Serialize) -> io::Result<()> {
    let mut writer = BufWriter::new(File::create(path)?);
    serde_json::to_writer(&mut writer, results)?;
    writer.write_all(b"\n")?;
    // On disk before it takes the name of an older file.
    writer.into_inner()?.sync_all()
}

#[derive(Serialize)]
struct Results<'a, R> {
    name: &'a str,
    value: &'a R,
    row_values: &'a [R],
    grad_queries: Option<Rows<'a, R>>,
    grad_candidates: Option<Rows<'a, R>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grad_adv_queries: Option<Rows<'a, R>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grad_adv_candidates: Option<Rows<'a, R>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grad_bias: Option<&'a R>,
    counts: Counts,
}

#[derive(Serialize)]
struct Counts {
    dead_pairs: u64,
    ignored_pairs: u64,
    zero_queries: u64,
    zero_candidates: u64,
}

/// A dense matrix, as an array of rows.
struct Rows<'a, R> {
    data: &'a [R],
    dim: usize,
}

fn rows<R>(data: Option<&[R]>, dim: usize) -> Option<Rows<'_, R>> {
    data.map(|data| Rows { data, dim })
}

impl<R: Serialize> Serialize for Rows<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.data.chunks(self.dim))
    }
}
