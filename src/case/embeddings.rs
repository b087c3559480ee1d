//! The inputs of a case with embeddings.

use super::{
    document::Document,
    lists::{ColumnIds, IdLists, PositiveIds},
    read::not_for,
    table::{Table, check_dim},
};
use crate::{Batch, DynLoss, Exclude, Result, loss::Spec};
use std::path::Path;

/// Both tables, what goes with them, and which of their rows meet.
#[derive(Clone, Debug)]
pub(super) struct Embeddings {
    pub queries: Table,
    pub candidates: Table,
    pub second: Option<[Table; 2]>,
    pub positives: PositiveIds,
    rows: Option<Vec<u32>>,
    columns: ColumnIds,
    exclude: Option<IdLists>,
    log_q: Option<Vec<f32>>,
    columns_per_class: Option<usize>,
    exclude_self: bool,
    positives_in_columns: bool,
    column_parameters: Option<Vec<f32>>,
}

impl Embeddings {
    pub fn read(document: &mut Document<'_>, folder: &Path, loss: &dyn DynLoss) -> Result<Self> {
        let queries = table(document, folder, "queries")?;
        let candidates = table(document, folder, "candidates")?;
        if let Some(dim) = document.read::<usize>("dim")? {
            check_dim(document, "queries", &queries, dim)?;
            check_dim(document, "candidates", &candidates, dim)?;
        }
        let raw = document.require("positives")?;
        let positives = PositiveIds::read(document, "positives", raw)?;
        Ok(Embeddings {
            second: second(document, folder, loss, [&queries, &candidates])?,
            queries,
            candidates,
            positives,
            rows: document.read("rows")?,
            columns: ColumnIds::read(document)?,
            exclude: document.read("exclude")?,
            log_q: document.read("log_q")?,
            columns_per_class: document.read("columns_per_class")?,
            exclude_self: document.read("exclude_self")?.unwrap_or(false),
            positives_in_columns: document.read("positives_in_columns")?.unwrap_or(false),
            column_parameters: document.read("column_parameters")?,
        })
    }

    /// Every table.
    pub fn tables(&mut self) -> impl Iterator<Item = &mut Table> {
        let first = [&mut self.queries, &mut self.candidates];
        first.into_iter().chain(self.second.iter_mut().flatten())
    }

    pub fn batch(&self, spec: &Spec) -> Result<Batch<'_>> {
        let mut batch = Batch::new(
            self.queries.matrix("queries")?,
            self.candidates.matrix("candidates")?,
            self.positives.positives(),
        )?;
        if let Some(rows) = &self.rows {
            batch = batch.rows(rows)?;
        }
        batch = batch.columns(self.columns.columns())?;
        if let Some(centres) = self.columns_per_class {
            batch = batch.columns_per_class(centres)?;
        }
        if let Some(exclude) = &self.exclude {
            batch = batch.exclude(Exclude::ByRow(exclude.lists()))?;
        }
        if let Some(log_q) = &self.log_q {
            batch = batch.log_q(log_q)?;
        }
        if self.exclude_self {
            batch = batch.exclude_self()?;
        }
        if self.positives_in_columns {
            batch = batch.positives_in_columns()?;
        }
        if let Some(numbers) = &self.column_parameters {
            batch = batch.column_parameters(numbers)?;
        }
        if let Some([queries, candidates]) = &self.second {
            let names = second_names(spec);
            batch = batch.second(queries.matrix(names[0])?, candidates.matrix(names[1])?)?;
        }
        Ok(batch)
    }
}

/// What case files call the second tables of a loss: an adversary's, or a frozen reference model's.
fn second_names(spec: &Spec) -> [&'static str; 2] {
    match spec.second {
        Some(tile) if tile.frozen => ["reference_queries", "reference_candidates"],
        _ => ["adv_queries", "adv_candidates"],
    }
}

fn table(document: &mut Document<'_>, folder: &Path, name: &str) -> Result<Table> {
    let raw = document.require(name)?;
    Table::read(document, folder, name, raw)
}

fn second(
    document: &mut Document<'_>,
    folder: &Path,
    loss: &dyn DynLoss,
    beside: [&Table; 2],
) -> Result<Option<[Table; 2]>> {
    let spec = loss.spec();
    let names = second_names(&spec);
    if spec.second.is_none() {
        return match names.iter().find(|name| document.has(name)) {
            None => Ok(None),
            Some(name) => Err(not_for(document, name, loss)),
        };
    }
    let tables = [
        table(document, folder, names[0])?,
        table(document, folder, names[1])?,
    ];
    for (name, (table, beside)) in names.iter().zip(tables.iter().zip(beside)) {
        let (rows, dim) = (beside.rows, tables[0].dim);
        if (table.rows, table.dim) != (rows, dim) {
            let (other_rows, other_dim) = (table.rows, table.dim);
            let message =
                format!("expected {rows} rows of {dim} numbers, got {other_rows} of {other_dim}");
            return Err(document.error(name, message));
        }
    }
    Ok(Some(tables))
}
