//! Room for a spare item, behind those of the data, where lists that rows share are padded.

use crate::train::{Embeddings, Interactions, Moments, Start};

/// Tables and moments with `spare` more items. Their embeddings are that of the last item, since
/// zero vectors are a case of their own under cosine.
pub fn with_rows(mut start: Start<'_>, spare: usize) -> Start<'_> {
    extend(&mut start.embeddings, &mut start.moments[1], spare);
    if let Some(second) = &mut start.state.second {
        extend(&mut second.tables, &mut second.moments[1], spare);
    }
    start
}

fn extend(tables: &mut Embeddings, moments: &mut Moments, spare: usize) {
    let wide = spare * tables.dim;
    let lists = moments.lists.iter_mut();
    for list in lists.chain(std::iter::once(&mut tables.candidates)) {
        list.extend_from_within(list.len().saturating_sub(wide)..);
    }
}

/// Offsets and ids of the users' training items, and of `spare` more that every user knows.
pub fn known(train: &Interactions, spare: usize) -> (Vec<u32>, Vec<u32>) {
    let mut ids = Vec::with_capacity(train.len() + spare * train.users());
    let mut offsets = vec![0];
    for user in 0..train.users() {
        ids.extend_from_slice(train.of(user));
        ids.extend(std::iter::repeat_n(train.items() as u32, spare)); // fits: items are below 2³²
        offsets.push(u32::try_from(ids.len()).unwrap_or(u32::MAX));
    }
    (offsets, ids)
}

/// The bits of `log_q`, with `spare` more.
pub fn log_q(log_q: Vec<f32>, spare: usize) -> Vec<u32> {
    let spares = std::iter::repeat_n(0.0, spare);
    log_q.into_iter().chain(spares).map(f32::to_bits).collect()
}
