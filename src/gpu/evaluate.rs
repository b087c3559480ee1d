//! Slices in, vectors out, on a device.

use super::{Context, Plan, PlanOptions, Results, Slice, TableLayout, TableLayouts, upload};
use crate::{Batch, DynLoss, Elements, Matrix, Output, Result, Want};

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
    let want = possible(want, loss, batch);
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
    let want = possible(want, loss, batch);
    let (plan, gradients) = run(context, loss, batch, want)?;
    output(want, plan.read(&gradients)?)
}

/// What of it the batch can give; a batch without a shape is refused later.
fn possible(want: Want, loss: &dyn DynLoss, batch: &Batch<'_>) -> Want {
    (batch.shape()).map_or(want, |shape| want.of(&shape).for_loss(&loss.spec()))
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
    let context = &context.tuned(loss, &shape)?;
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
        buffers
            .row_parameters_after
            .filter(|_| loss.spec().row_state),
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
        theta_after: results.theta_after,
        row_parameters_after: next(true),
        statistics: results.statistics,
        counts: results.counts,
    };
    output.check_finite()?;
    Ok(output)
}

/// How a matrix lies in memory.
pub(super) fn layout(matrix: &Matrix<'_>) -> TableLayout {
    TableLayout {
        stride: matrix.stride(),
        half: matches!(matrix.elements(), Elements::F16(_)),
    }
}
