//! A step on a GPU: its plan, its buffers, its runs.

use super::{Inputs, step::wanted};
use crate::{
    DynLoss, Output, Result, Want,
    gpu::{Buffers, Context, Plan, PlanOptions, Slice, TableLayouts, upload},
};

/// Compiles what a step with default options would, for steps that are made later.
pub(crate) fn prepare(
    context: &Context,
    loss: &dyn DynLoss,
    inputs: &Inputs,
    want: Want,
) -> Result<()> {
    let (shape, want) = wanted(loss, inputs, want)?;
    let options = PlanOptions {
        want,
        ..PlanOptions::default()
    };
    let layouts = TableLayouts::dense(&shape);
    Plan::prepare(context, loss, &shape, &layouts, &options)
}

/// A plan, and buffers for it.
pub(super) fn planned(
    context: &Context,
    loss: &dyn DynLoss,
    inputs: &Inputs,
    options: &PlanOptions,
) -> Result<(Plan, Buffers)> {
    let shape = inputs.batch()?.shape()?;
    let layouts = TableLayouts::dense(&shape);
    let plan = Plan::new(context, loss, &shape, &layouts, options)?;
    let buffers = uploaded(context, inputs, options.want)?;
    Ok((plan, buffers))
}

/// The inputs on the device, and room for the gradients.
pub(super) fn uploaded(context: &Context, inputs: &Inputs, want: Want) -> Result<Buffers> {
    let batch = inputs.batch()?;
    context.guarded("inputs and gradients", || upload(context, &batch, want))?
}

/// Evaluates once, and waits for it.
pub(super) fn run((plan, buffers): &(Plan, Buffers)) -> Result<()> {
    let context = plan.context();
    let mut encoder = context.device().create_command_encoder(&Default::default());
    plan.encode(&mut encoder, buffers)?;
    let submission = context.queue().submit([encoder.finish()]);
    context.wait(Some(submission))
}

/// Value, losses and gradients of the last run.
pub(super) fn output((plan, buffers): &(Plan, Buffers)) -> Result<Output<f32>> {
    let wanted = [&buffers.grad_queries, &buffers.grad_candidates];
    let ranges: Vec<Slice> = wanted.into_iter().flatten().cloned().collect();
    let (results, gradients) = plan.read(&ranges)?;
    let mut gradients = (gradients.into_iter())
        .map(|words| words.into_iter().map(f32::from_bits).collect::<Vec<f32>>());
    let mut next = |wanted: bool| wanted.then(|| gradients.next()).flatten();
    Ok(Output {
        value: results.value,
        row_losses: results.row_losses,
        grad_queries: next(buffers.grad_queries.is_some()),
        grad_candidates: next(buffers.grad_candidates.is_some()),
        ..Output::default()
    })
}
