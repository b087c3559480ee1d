//! From a case file's fields to a [`Case`].

use super::{
    Case, Expected, Inputs, OwnedReduction,
    document::Document,
    embeddings::Embeddings,
    loss,
    scores::{self, Scores},
    state,
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
    "columns_per_class",
    "exclude_self",
    "positives_in_columns",
    "column_parameters",
    "row_weights",
    "reduction",
    "upstream",
    "adv_queries",
    "adv_candidates",
    "reference_queries",
    "reference_candidates",
    "policy_chosen",
    "policy_rejected",
    "reference_chosen",
    "reference_rejected",
    "bias",
    "state",
    "row_quantile",
    "positive_weight",
    "moving_average_before",
    "value",
    "row_values",
    "grad_queries",
    "grad_candidates",
    "grad_adv_queries",
    "grad_adv_candidates",
    "grad_bias",
    "grad_state",
    "state_after",
    "grad_column_parameters",
    "grad_policy_chosen",
    "grad_policy_rejected",
    "moving_average_after",
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

    let inputs = match document.has(scores::FIELD) {
        true => Inputs::Scores(Scores::read(document, loss.as_dyn())?),
        false => Inputs::Embeddings(Embeddings::read(document, folder, loss.as_dyn())?.into()),
    };
    let case = Case {
        path: path.into(),
        name,
        theta: state::theta(document, loss.as_dyn())?,
        row_parameters: state::rows(document, loss.as_dyn(), inputs.rows())?,
        expected: Expected::read(document, folder, loss.as_dyn(), &inputs)?,
        loss,
        candidates_frozen,
        inputs,
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

pub(super) fn not_for(document: &Document<'_>, field: &str, loss: &dyn DynLoss) -> Error {
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
