//! Slices in, vectors out, on a device.

use super::{Buffers, Context, Plan, PlanOptions, Results, Slice, TableLayout, TableLayouts};
use crate::{
    Batch, Columns, DynLoss, Elements, Error, Exclude, Matrix, Output, Positives, Reduction,
    Result, Want,
};

/// Evaluates a batch of slices on a device: uploads and submits at once, then reads back without
/// blocking. The future owns what it needs; who polls the device: see [`ReadBack`](super::ReadBack).
///
/// # Errors
/// The loss refuses the batch, f64 elements, too little device memory, a lost device, a result that
/// is not finite.
pub fn evaluate_async(
    context: &Context,
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    want: Want,
) -> impl Future<Output = Result<Output<f32>>> + Send + use<> {
    let want = possible(want, batch);
    let reading = submit(context, loss, batch, want);
    async move { output(want, reading?.await?) }
}

/// As [`evaluate_async`], and waits for the device.
///
/// # Errors
/// As there.
pub fn evaluate(
    context: &Context,
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    want: Want,
) -> Result<Output<f32>> {
    let want = possible(want, batch);
    let (plan, gradients) = run(context, loss, batch, want)?;
    output(want, plan.read(&gradients)?)
}

/// What of it the batch can give; a batch without a shape is refused later.
fn possible(want: Want, batch: &Batch<'_>) -> Want {
    batch.shape().map_or(want, |shape| want.of(&shape))
}

/// Starts an evaluation and its reading.
fn submit(
    context: &Context,
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    want: Want,
) -> Result<impl Future<Output = Result<(Results, Vec<Vec<u32>>)>> + Send + use<>> {
    let (plan, gradients) = run(context, loss, batch, want)?;
    Ok(plan.read_async(&gradients))
}

/// Submits an evaluation: its plan, and where the gradients will be.
fn run(
    context: &Context,
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    want: Want,
) -> Result<(Plan, Vec<Slice>)> {
    let shape = batch.shape()?;
    let mut layouts = TableLayouts::dense(&shape);
    layouts.queries = layout(&batch.query_table());
    layouts.candidates = layout(&batch.candidate_table());
    if let Some((queries, candidates)) = batch.second_tables() {
        layouts.second_queries = layout(&queries);
        layouts.second_candidates = layout(&candidates);
    }
    let options = PlanOptions {
        want,
        ..PlanOptions::default()
    };
    let plan = Plan::new(context, loss, &shape, &layouts, &options)?;
    plan.set_factor(batch.value_factor());
    let buffers = context.guarded("inputs and gradients", || upload(context, batch, want))??;
    context.guarded("an evaluation", || {
        let mut encoder = context.device.create_command_encoder(&Default::default());
        plan.encode(&mut encoder, &buffers)?;
        context.queue.submit([encoder.finish()]);
        Ok(())
    })??;
    let gradients = [
        buffers.grad_queries,
        buffers.grad_candidates,
        buffers.grad_second_queries,
        buffers.grad_second_candidates,
        buffers.grad_column_parameters,
        buffers.grad_positive_scores,
        buffers.grad_column_scores,
    ];
    Ok((plan, gradients.into_iter().flatten().collect()))
}

fn output(want: Want, (results, gradients): (Results, Vec<Vec<u32>>)) -> Result<Output<f32>> {
    let mut gradients = gradients.into_iter();
    let mut next = |wanted: bool| {
        let words = gradients.by_ref().take(usize::from(wanted)).next();
        words.map(|words| words.into_iter().map(f32::from_bits).collect())
    };
    let output = Output {
        value: results.value,
        row_losses: results.row_losses,
        grad_queries: next(want.queries),
        grad_candidates: next(want.candidates),
        grad_second_queries: next(want.second),
        grad_second_candidates: next(want.second),
        grad_column_parameters: next(want.column_parameters),
        grad_positive_scores: next(want.scores),
        grad_column_scores: next(want.scores),
        grad_theta: results.grad_theta,
        statistics: results.statistics,
        counts: results.counts,
    };
    output.check_finite()?;
    Ok(output)
}

fn layout(matrix: &Matrix<'_>) -> TableLayout {
    TableLayout {
        stride: matrix.stride(),
        half: matches!(matrix.elements(), Elements::F16(_)),
    }
}

/// Uploads a batch and makes room for the gradients.
///
/// # Errors
/// f64 elements.
pub fn upload(context: &Context, batch: &Batch<'_>, want: Want) -> Result<Buffers> {
    let to_device = |label: &str, bytes: &[u8]| {
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let buffer = context.buffer(label, bytes.len() as u64, usage);
        let mut padded: Vec<u8>;
        let whole = if bytes.len().is_multiple_of(4) {
            bytes
        } else {
            padded = bytes.to_vec();
            padded.resize(bytes.len().next_multiple_of(4), 0);
            &padded
        };
        context.queue.write_buffer(&buffer, 0, whole);
        Slice {
            buffer,
            offset: 0,
            size: whole.len() as u64,
        }
    };
    let words = |label: &str, list: &[u32]| to_device(label, bytemuck::cast_slice(list));
    let floats = |label: &str, list: &[f32]| to_device(label, bytemuck::cast_slice(list));
    let table = |label: &'static str, matrix: Matrix<'_>| match matrix.elements() {
        Elements::F32(data) => Ok(floats(label, data)),
        Elements::F16(data) => Ok(to_device(label, bytemuck::cast_slice(data))),
        Elements::F64(_) => Err(Error::Unsupported(format!(
            "{label}: the GPU path takes f32 or f16, not f64"
        ))),
    };
    let given = |label: &str, list: Option<&[f32]>| list.map(|list| floats(label, list));
    let given_table = |label: &'static str, matrix: Matrix<'_>| match matrix.rows() {
        0 => Ok(None),
        _ => table(label, matrix).map(Some),
    };
    let grad = |label: &str, count: usize| {
        let size = (count * 4) as u64;
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        Slice {
            buffer: context.buffer(label, size, usage),
            offset: 0,
            size,
        }
    };
    let shape = batch.shape()?;
    let want = want.of(&shape);
    let [rows, second_rows] = want.candidate_rows(&shape);
    let (queries, candidates) = (batch.query_table(), batch.candidate_table());
    let scores = batch.given_scores();
    let theta: Vec<f32> = batch
        .thetas()
        .iter()
        .map(|x| crate::real::Real::from_f64(*x))
        .collect();
    let second_dim = shape.second_dim.unwrap_or(0);
    let second_numbers = [shape.queries * second_dim, second_rows * second_dim];
    let second = match batch.second_tables() {
        None => None,
        Some((q, c)) => Some((table("adv_queries", q)?, table("adv_candidates", c)?)),
    };
    Ok(Buffers {
        queries: given_table("queries", queries)?,
        candidates: given_table("candidates", candidates)?,
        second,
        rows: batch.row_ids().map(|rows| words("rows", rows)),
        positives: (scores.is_none()).then(|| words("positives", batch.positive_ids())),
        positive_scores: given("positive_scores", scores.map(|given| given.positives)),
        column_scores: given("column_scores", scores.map(|given| given.columns)),
        reference_scores: scores.and_then(|given| given.reference).map(|reference| {
            (
                floats("reference_positive_scores", reference.0),
                floats("reference_column_scores", reference.1),
            )
        }),
        grad_second_queries: (want.second).then(|| grad("grad_second_queries", second_numbers[0])),
        grad_second_candidates: (want.second)
            .then(|| grad("grad_second_candidates", second_numbers[1])),
        grad_positive_scores: want
            .scores
            .then(|| grad("grad_positive_scores", batch.n_pairs())),
        grad_column_scores: want.scores.then(|| {
            grad(
                "grad_column_scores",
                scores.map_or(0, |given| given.columns.len()),
            )
        }),
        positive_offsets: match batch.positive_lists() {
            Positives::One(_) => None,
            Positives::Many(lists) => Some(words("positive offsets", lists.offsets)),
        },
        columns: match batch.column_ids() {
            Columns::All => None,
            _ if scores.is_some() => None,
            Columns::Shared(ids) | Columns::Sampled { ids, .. } => Some(words("columns", ids)),
        },
        exclude: batch.exclude_lists().map(|exclude| match exclude {
            Exclude::ByRow(lists) | Exclude::ByQuery(lists) => (
                words("exclude offsets", lists.offsets),
                words("exclude ids", lists.ids),
            ),
        }),
        log_q: batch
            .log_probabilities()
            .map(|log_q| floats("log_q", log_q)),
        weights: batch
            .pair_weights()
            .map(|weights| floats("weights", weights)),
        upstream: match batch.reduction_of_rows() {
            Reduction::None { upstream } => Some(floats("upstream", upstream)),
            _ => None,
        },
        theta: (!theta.is_empty()).then(|| floats("theta", &theta)),
        row_parameters: given("row_parameters", batch.all_row_parameters()),
        column_parameters: given("column_parameters", batch.all_column_parameters()),
        entry_constants: given("entry_constants", batch.all_entry_constants()),
        grad_queries: (want.queries).then(|| grad("grad_queries", queries.rows() * queries.dim())),
        grad_candidates: (want.candidates)
            .then(|| grad("grad_candidates", rows * candidates.dim())),
        grad_column_parameters: want
            .column_parameters
            .then(|| grad("grad_column_parameters", candidates.rows())),
        value: None,
        status: None,
    })
}
