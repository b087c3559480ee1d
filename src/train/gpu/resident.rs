//! What stays on the device beside what optimisers move: [`resident`], [`upload`].

use super::{GpuOptimiser, spare};
use crate::{
    Error, Result,
    gpu::{Buffers, Context, Slice},
    train::{Embeddings, Moments, Optimiser, Start},
};

/// Tables with their gradients and moments: queries, then candidates.
pub type Pair = [GpuOptimiser; 2];

/// A pair on the device.
pub fn pair(
    context: &Context,
    tables: &Embeddings,
    optimiser: Optimiser,
    moments: &[Moments; 2],
) -> Result<Pair> {
    let new = |table, moments| GpuOptimiser::new(context, table, optimiser, moments);
    Ok([
        new(&tables.queries, &moments[0])?,
        new(&tables.candidates, &moments[1])?,
    ])
}

/// Tables and gradients of the model and of its adversary, a reference's tables, numbers per user,
/// and what is no negative for whom.
pub fn resident(
    context: &Context,
    start: &Start<'_>,
    spare: usize,
    [queries, candidates]: &Pair,
    adversary: Option<&Pair>,
) -> Result<Buffers> {
    let exclude = match start.negatives.per_row() {
        // Drawn without the user's items.
        Some(_) => None,
        None => {
            let (offsets, ids) = spare::known(start.train, spare);
            Some((
                upload(context, "known offsets", &offsets)?,
                upload(context, "known items", &ids)?,
            ))
        }
    };
    let log_q = (start.negatives.log_q(start.train))
        .map(|log_q| upload(context, "log q", &spare::log_q(log_q, spare)))
        .transpose()?;
    let of_users = &start.state.query_parameters;
    let row_parameters = match of_users.is_empty() {
        true => None,
        false => Some(upload(context, "numbers per user", &bits(of_users))?),
    };
    let second = match (adversary, &start.state.second) {
        (Some([queries, candidates]), _) => {
            Some((queries.table().clone(), candidates.table().clone()))
        }
        (None, Some(reference)) => Some((
            upload(
                context,
                "reference queries",
                floats(&reference.tables.queries),
            )?,
            upload(
                context,
                "reference candidates",
                floats(&reference.tables.candidates),
            )?,
        )),
        (None, None) => None,
    };
    let gradient = |at: usize| adversary.map(|pair| pair[at].gradient().clone());
    Ok(Buffers {
        queries: Some(queries.table().clone()),
        candidates: Some(candidates.table().clone()),
        second,
        exclude,
        log_q,
        // Renewed in place, if the loss renews them.
        row_parameters_after: row_parameters.clone(),
        row_parameters,
        grad_queries: Some(queries.gradient().clone()),
        grad_candidates: Some(candidates.gradient().clone()),
        grad_second_queries: gradient(0),
        grad_second_candidates: gradient(1),
        ..Buffers::default()
    })
}

/// The bits of numbers in f32.
fn bits(numbers: &[f64]) -> Vec<u32> {
    numbers.iter().map(|&x| (x as f32).to_bits()).collect()
}

fn floats(numbers: &[f32]) -> &[u32] {
    bytemuck::cast_slice(numbers)
}

/// Words that stages read.
fn upload(context: &Context, label: &'static str, words: &[u32]) -> Result<Slice> {
    let (bytes, limit) = (words.len() as u64 * 4, context.limits().max_binding);
    if bytes > limit {
        return Err(Error::TooLarge {
            what: label.into(),
            bytes,
            limit,
        });
    }
    let usage =
        wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let scope = (context.device()).push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let buffer = context.buffer(label, bytes, usage);
    if let Some(error) = pollster::block_on(scope.pop()) {
        return Err(Error::OutOfMemory(format!("{label}: {error}")));
    }
    (context.queue()).write_buffer(&buffer, 0, bytemuck::cast_slice(words));
    Ok(Slice {
        buffer,
        offset: 0,
        size: bytes,
    })
}
