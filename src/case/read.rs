//! From a case file's fields to a [`Case`].

use super::{
    Case, Expected, OwnedReduction,
    document::Document,
    lists::{ColumnIds, PositiveIds},
    loss,
    table::{Table, check_dim},
};
use crate::{DynLoss, Error, Result};
use std::path::Path;

/// Every field that a case may have.
const FIELDS: &[&str] = &[
    "name",
    "source",
    "loss",
    "dim",
    "queries",
    "rows",
    "candidates",
    "candidates_frozen",
    "positives",
    "negatives",
    "columns",
    "exclude",
    "log_q",
    "row_weights",
    "reduction",
    "upstream",
    "adv_queries",
    "adv_candidates",
    "bias",
    "value",
    "row_values",
    "grad_queries",
    "grad_candidates",
    "grad_adv_queries",
    "grad_adv_candidates",
    "grad_bias",
];

pub(super) fn case(path: &Path) -> Result<Case> {
    let shown = path.display().to_string();
    let text = text(path)?;
    let mut document = Document::parse(&shown, &text)?;
    let document = &mut document;
    let folder = path.parent().unwrap_or(Path::new(""));

    let raw = document.require("loss")?;
    let loss = loss::read(document, raw)?;
    let _source: Option<String> = document.read("source")?;
    let name = name(document, path)?;
    let candidates_frozen = document.read("candidates_frozen")?.unwrap_or(false);

    let [queries, candidates] = tables(document, folder)?;
    let raw = document.require("positives")?;
    let positives = PositiveIds::read(document, "positives", raw)?;
    let second = second(document, folder, loss.as_dyn())?;
    let pairs = positives.pairs();
    let expected = Expected::read(
        document,
        folder,
        [&queries, &candidates],
        second.as_ref(),
        pairs,
    )?;
    let case = Case {
        path: path.into(),
        name,
        theta: theta(document, loss.as_dyn())?,
        loss,
        candidates_frozen,
        expected,
        queries,
        candidates,
        second,
        rows: document.read("rows")?,
        positives,
        columns: ColumnIds::read(document)?,
        exclude: document.read("exclude")?,
        log_q: document.read("log_q")?,
        weights: document.read("row_weights")?,
        reduction: reduction(document)?,
    };
    document.finish(FIELDS)?;
    Ok(case)
}

pub(super) fn name_alone(path: &Path) -> Result<String> {
    let shown = path.display().to_string();
    let text = text(path)?;
    name(&mut Document::parse(&shown, &text)?, path)
}

fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| Error::Io {
        path: path.display().to_string(),
        source,
    })
}

/// The results' file is named after the case, so the name must not lead elsewhere.
fn name(document: &mut Document<'_>, path: &Path) -> Result<String> {
    let name: String = match document.read("name")? {
        Some(name) => name,
        None => path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into(),
    };
    let forbidden = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    if name.is_empty() || name.starts_with('.') || name.chars().any(forbidden) {
        return Err(document.error("name", format!("expected a plain file name, got {name:?}")));
    }
    Ok(name)
}

fn tables(document: &mut Document<'_>, folder: &Path) -> Result<[Table; 2]> {
    let raw = document.require("queries")?;
    let queries = Table::read(document, folder, "queries", raw)?;
    let raw = document.require("candidates")?;
    let candidates = Table::read(document, folder, "candidates", raw)?;
    if let Some(dim) = document.read::<usize>("dim")? {
        check_dim(document, "queries", &queries, dim)?;
        check_dim(document, "candidates", &candidates, dim)?;
    }
    Ok([queries, candidates])
}

fn second(
    document: &mut Document<'_>,
    folder: &Path,
    loss: &dyn DynLoss,
) -> Result<Option<(Table, Table)>> {
    let names = ["adv_queries", "adv_candidates"];
    if loss.spec().second.is_none() {
        return match names.iter().find(|name| document.has(name)) {
            None => Ok(None),
            Some(name) => Err(not_for(document, name, loss)),
        };
    }
    let raw = document.require(names[0])?;
    let queries = Table::read(document, folder, names[0], raw)?;
    let raw = document.require(names[1])?;
    let candidates = Table::read(document, folder, names[1], raw)?;
    Ok(Some((queries, candidates)))
}

fn theta(document: &mut Document<'_>, loss: &dyn DynLoss) -> Result<Vec<f64>> {
    match (document.read::<f64>("bias")?, loss.spec().thetas) {
        (None, 0) => Ok(Vec::new()),
        (Some(bias), 1) => Ok(vec![bias]),
        (None, _) => Err(document.error("bias", "is missing")),
        (Some(_), _) => Err(not_for(document, "bias", loss)),
    }
}

fn not_for(document: &Document<'_>, field: &str, loss: &dyn DynLoss) -> Error {
    document.error(field, format!("is no input of loss {}", loss.spec().name))
}

fn reduction(document: &mut Document<'_>) -> Result<OwnedReduction> {
    let name: Option<String> = document.read("reduction")?;
    let upstream: Option<Vec<f32>> = document.read("upstream")?;
    match (name.as_deref().unwrap_or("mean"), upstream) {
        ("mean", None) => Ok(OwnedReduction::Mean),
        ("sum", None) => Ok(OwnedReduction::Sum),
        ("none", Some(upstream)) => Ok(OwnedReduction::None { upstream }),
        ("none", None) => Err(document.error("upstream", "is missing (reduction none needs it)")),
        ("mean" | "sum", Some(_)) => {
            Err(document.error("upstream", "is for reduction `none` alone"))
        }
        (name, _) => Err(Error::Unknown {
            what: document.path().into(),
            kind: "reduction",
            name: name.into(),
            valid: "mean, sum, none".into(),
        }),
    }
}
