//! Writes results under the names of the case file.

use super::{Case, scores::by_slot, state};
use crate::{Error, Output, Real, Result};
use serde::{Serialize, Serializer};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

/// Writes the results of `case` to `path` as JSON: `name`, `value`, `row_values`,
/// `grad_queries`, `grad_candidates` (null for frozen candidates), `grad_adv_queries` and
/// `grad_adv_candidates` where there is an adversary, `grad_bias` or `grad_state` where the loss has
/// scalars, `state_after` where evaluations renew them, `grad_column_parameters` where classes have
/// numbers of their own, `grad_policy_chosen` and `grad_policy_rejected` where scores are given, the state of
/// rows under the names it has after an evaluation, and `counts` of pairs and vectors that were
/// special.
///
/// The file appears whole or not at all: it is written beside its place and renamed.
///
/// # Errors
/// [`Error::Io`].
pub fn write_results<R: Real + Serialize>(
    path: &Path,
    case: &Case,
    output: &Output<R>,
) -> Result<()> {
    let loss = case.loss.as_dyn();
    let names = state::Names::of(loss);
    let named = |theta: &'_ [R]| Object(names.all.iter().copied().zip(theta.to_vec()).collect());
    let theta = output.grad_theta.as_slice();
    let after = output.row_parameters_after.as_deref().unwrap_or(&[]);
    let slots = output.grad_column_scores.as_deref();
    let results = Results {
        name: &case.name,
        value: &output.value,
        row_values: &output.row_losses,
        grad_queries: rows(output.grad_queries.as_deref(), case.dim()),
        grad_candidates: rows(output.grad_candidates.as_deref(), case.dim()),
        grad_adv_queries: rows(output.grad_second_queries.as_deref(), case.second_dim()),
        grad_adv_candidates: rows(output.grad_second_candidates.as_deref(), case.second_dim()),
        grad_policy_chosen: output.grad_positive_scores.as_deref(),
        grad_policy_rejected: slots.map(|numbers| by_slot(numbers, case.per_row())),
        grad_bias: theta.first().filter(|_| names.bias),
        grad_state: (names.state() && !loss.spec().theta_state).then(|| named(theta)),
        state_after: output.theta_after.as_deref().map(named),
        grad_column_parameters: output.grad_column_parameters.as_deref(),
        after: Object(state::after(&loss.row_parameters(), after)),
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
    grad_policy_chosen: Option<&'a [R]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grad_policy_rejected: Option<Vec<Vec<R>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grad_bias: Option<&'a R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grad_state: Option<Object<'static, R>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_after: Option<Object<'static, R>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grad_column_parameters: Option<&'a [R]>,
    #[serde(flatten)]
    after: Object<'static, Vec<R>>,
    counts: Counts,
}

#[derive(Serialize)]
struct Counts {
    dead_pairs: u64,
    ignored_pairs: u64,
    zero_queries: u64,
    zero_candidates: u64,
}

/// An object of named things, in their order.
struct Object<'a, T>(Vec<(&'a str, T)>);

impl<T: Serialize> Serialize for Object<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, thing)| (name, thing)))
    }
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
