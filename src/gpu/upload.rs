//! Slices to a device, and room for gradients.

use super::{Buffers, Context, Slice};
use crate::{
    Batch, Columns, Elements, Error, Exclude, Matrix, Positives, Real, Reduction, Result, Want,
};

/// Uploads a batch and makes room for the gradients.
///
/// # Errors
/// f64 elements.
pub fn upload(context: &Context, batch: &Batch<'_>, want: Want) -> Result<Buffers> {
    let shape = batch.shape()?;
    let want = want.of(&shape);
    let [rows, second_rows] = want.candidate_rows(&shape);
    let second_dim = shape.second_dim.unwrap_or(0);
    let room = |wanted: bool, label: &str, count: usize| {
        wanted.then(|| buffer(context, label, count as u64 * 4))
    };
    let (queries, candidates) = (shape.queries, shape.candidates);
    let entries = shape.rows * shape.columns();
    Ok(Buffers {
        grad_queries: room(want.queries, "grad_queries", queries * shape.dim),
        grad_candidates: room(want.candidates, "grad_candidates", rows * shape.dim),
        grad_second_queries: room(want.second, "grad_second_queries", queries * second_dim),
        grad_second_candidates: room(
            want.second,
            "grad_second_candidates",
            second_rows * second_dim,
        ),
        grad_column_parameters: room(want.column_parameters, "grad_column_parameters", candidates),
        grad_positive_scores: room(want.scores, "grad_positive_scores", shape.pairs),
        grad_column_scores: room(want.scores, "grad_column_scores", entries),
        row_parameters_after: room(
            shape.row_parameters > 0,
            "row_parameters_after",
            shape.parameters(),
        ),
        ..inputs(context, batch)?
    })
}

fn inputs(context: &Context, batch: &Batch<'_>) -> Result<Buffers> {
    let to = Uploader { context };
    let scores = batch.given_scores();
    let row_parameters = batch.all_row_parameters().map(|numbers| {
        let numbers = numbers.iter().map(|x| f32::from_f64(*x));
        numbers.collect::<Vec<f32>>()
    });
    let theta: Vec<f32> = batch.thetas().iter().map(|x| f32::from_f64(*x)).collect();
    let second = match batch.second_tables() {
        None => None,
        Some((queries, candidates)) => {
            let queries = to.table("adv_queries", queries)?;
            queries.zip(to.table("adv_candidates", candidates)?)
        }
    };
    Ok(Buffers {
        queries: to.table("queries", batch.query_table())?,
        candidates: to.table("candidates", batch.candidate_table())?,
        second,
        log_q: to.floats("log_q", batch.log_probabilities()),
        weights: to.floats("weights", batch.pair_weights()),
        upstream: match batch.reduction_of_rows() {
            Reduction::None { upstream } => to.floats("upstream", Some(upstream)),
            _ => None,
        },
        theta: to.floats("theta", (!theta.is_empty()).then_some(&theta)),
        row_parameters: to.floats("row_parameters", row_parameters.as_deref()),
        column_parameters: to.floats("column_parameters", batch.all_column_parameters()),
        entry_constants: to.floats("entry_constants", batch.all_entry_constants()),
        positive_scores: to.floats("positive_scores", scores.map(|given| given.positives)),
        column_scores: to.floats("column_scores", scores.map(|given| given.columns)),
        reference_scores: scores.and_then(|given| {
            let (positives, columns) = given.reference?;
            let positives = to.floats("reference_positive_scores", Some(positives))?;
            Some((
                positives,
                to.floats("reference_column_scores", Some(columns))?,
            ))
        }),
        ..lists(&to, batch)
    })
}

/// Lists of ids.
fn lists(to: &Uploader<'_>, batch: &Batch<'_>) -> Buffers {
    let given = batch.given_scores().is_some();
    let exclude = batch.exclude_lists().map(|exclude| match exclude {
        Exclude::ByRow(lists) | Exclude::ByQuery(lists) => lists,
    });
    let offsets = match batch.positive_lists() {
        Positives::One(_) => None,
        Positives::Many(lists) => Some(lists.offsets),
    };
    let columns = match batch.column_ids() {
        Columns::Shared(ids) | Columns::Sampled { ids, .. } if !given => Some(ids),
        _ => None,
    };
    let positives = (!given).then(|| batch.positive_ids());
    Buffers {
        rows: to.words("rows", batch.row_ids()),
        positives: to.words("positives", positives),
        positive_offsets: to.words("positive offsets", offsets),
        columns: to.words("columns", columns),
        exclude: exclude.and_then(|lists| {
            let offsets = to.words("exclude offsets", Some(lists.offsets))?;
            Some((offsets, to.words("exclude ids", Some(lists.ids))?))
        }),
        ..Buffers::default()
    }
}

fn buffer(context: &Context, label: &str, size: u64) -> Slice {
    let usage =
        wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    Slice {
        buffer: context.buffer(label, size, usage),
        offset: 0,
        size,
    }
}

/// Uploads two tables and makes room for `count` numbers.
///
/// # Errors
/// f64 elements.
pub(super) fn tables(
    context: &Context,
    queries: Matrix<'_>,
    candidates: Matrix<'_>,
    count: usize,
) -> Result<[Slice; 3]> {
    let to = Uploader { context };
    let missing = || Error::Unsupported("a table without rows".into());
    Ok([
        to.table("queries", queries)?.ok_or_else(missing)?,
        to.table("candidates", candidates)?.ok_or_else(missing)?,
        buffer(context, "numbers", count as u64 * 4),
    ])
}

struct Uploader<'a> {
    context: &'a Context,
}

impl Uploader<'_> {
    fn bytes(&self, label: &str, bytes: &[u8]) -> Slice {
        let mut slice = buffer(self.context, label, bytes.len() as u64);
        let padding = bytes.len().next_multiple_of(4) - bytes.len();
        slice.size += padding as u64;
        let queue = &self.context.queue;
        if padding == 0 {
            queue.write_buffer(&slice.buffer, 0, bytes);
        } else {
            let padded = [bytes, &[0; 3][..padding]].concat();
            queue.write_buffer(&slice.buffer, 0, &padded);
        }
        slice
    }

    fn words(&self, label: &str, list: Option<&[u32]>) -> Option<Slice> {
        list.map(|list| self.bytes(label, bytemuck::cast_slice(list)))
    }

    fn floats(&self, label: &str, list: Option<&[f32]>) -> Option<Slice> {
        list.map(|list| self.bytes(label, bytemuck::cast_slice(list)))
    }

    /// A table; none where scores are given in its place.
    fn table(&self, label: &'static str, matrix: Matrix<'_>) -> Result<Option<Slice>> {
        match matrix.elements() {
            _ if matrix.rows() == 0 => Ok(None),
            Elements::F32(data) => Ok(Some(self.bytes(label, bytemuck::cast_slice(data)))),
            Elements::F16(data) => Ok(Some(self.bytes(label, bytemuck::cast_slice(data)))),
            Elements::F64(_) => Err(Error::Unsupported(format!(
                "{label}: the GPU path takes f32 or f16, not f64"
            ))),
        }
    }
}
