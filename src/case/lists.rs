//! Lists of ids of a case.

use super::document::Document;
use crate::{Columns, Lists, Positives, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Lists in compressed form, owned.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `offsets` and `ids`")]
pub(super) struct IdLists {
    offsets: Vec<u32>,
    ids: Vec<u32>,
}

impl IdLists {
    pub fn lists(&self) -> Lists<'_> {
        Lists {
            offsets: &self.offsets,
            ids: &self.ids,
        }
    }
}

/// The field `positives`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PositiveIds {
    One(Vec<u32>),
    Many(IdLists),
}

impl PositiveIds {
    pub fn read(document: &Document<'_>, name: &str, raw: &RawValue) -> Result<Self> {
        Ok(if raw.get().starts_with('[') {
            PositiveIds::One(document.decode(name, raw)?)
        } else {
            PositiveIds::Many(document.decode(name, raw)?)
        })
    }

    pub fn positives(&self) -> Positives<'_> {
        match self {
            PositiveIds::One(ids) => Positives::One(ids),
            PositiveIds::Many(lists) => Positives::Many(lists.lists()),
        }
    }

    pub fn rows(&self) -> usize {
        match self {
            PositiveIds::One(ids) => ids.len(),
            PositiveIds::Many(lists) => lists.offsets.len().saturating_sub(1),
        }
    }

    pub fn pairs(&self) -> usize {
        match self {
            PositiveIds::One(ids) => ids.len(),
            PositiveIds::Many(lists) => lists.ids.len(),
        }
    }
}

/// The fields `negatives` (per row) and `columns` (one list for all rows).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ColumnIds {
    All,
    Shared(Vec<u32>),
    Sampled { ids: Vec<u32>, per_row: usize },
}

impl ColumnIds {
    pub fn read(document: &mut Document<'_>) -> Result<Self> {
        let negatives: Option<Vec<Vec<u32>>> = document.read("negatives")?;
        let shared: Option<Vec<u32>> = document.read("columns")?;
        match (negatives, shared) {
            (None, None) => Ok(ColumnIds::All),
            (None, Some(ids)) => Ok(ColumnIds::Shared(ids)),
            (Some(_), Some(_)) => Err(document.error("columns", "given together with negatives")),
            (Some(rows), None) => {
                let per_row = rows.first().map_or(0, Vec::len);
                if let Some(row) = rows.iter().position(|row| row.len() != per_row) {
                    let message = format!(
                        "ragged: row {row} has {} ids, row 0 has {per_row}",
                        rows[row].len()
                    );
                    return Err(document.error("negatives", message));
                }
                let ids = rows.concat();
                Ok(ColumnIds::Sampled { ids, per_row })
            }
        }
    }

    pub fn columns(&self) -> Columns<'_> {
        match self {
            ColumnIds::All => Columns::All,
            ColumnIds::Shared(ids) => Columns::Shared(ids),
            ColumnIds::Sampled { ids, per_row } => Columns::Sampled {
                ids,
                per_row: *per_row,
            },
        }
    }
}
