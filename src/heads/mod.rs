//! Heads with very many classes: which class weights a step compares with, what a face head
//! remembers between steps, and losses put together from two.
//!
//! | type | does |
//! |---|---|
//! | [`ClassSampler`] | Partial FC: the classes of a step, its labels' own and random others |
//! | [`add_pair_rows`] | the gradient of those classes alone, one row each, without a dense table |
//! | [`SampleMemory`] | one feature per identity, what sample-to-sample losses compare with |
//! | [`UniTsFace`] | CosFace on class weights and USS on samples, their sum or average |
//!
//! All of it lies beside the losses: what comes out of here goes into a [`Batch`](crate::Batch).
//!
//! ```
//! use wgloss::{
//!     Batch, Columns, Engine, Matrix, Positives, Want,
//!     heads::{ClassSampler, add_pair_rows},
//!     loss::ArcFace,
//! };
//!
//! # fn main() -> wgloss::Result<()> {
//! let (dim, classes) = (4, 100);
//! let wave = |n: usize| (0..n).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<f32>>();
//! let (features, weights, labels) = (wave(3 * dim), wave(classes * dim), [17, 4, 17]);
//!
//! let sampler = ClassSampler::new(classes, 0.1, 7)?;
//! let ids = sampler.sample(&labels, 0)?; // step 0: classes 4 and 17, and 8 others
//! assert_eq!(ids.len(), 10);
//! let batch = Batch::new(
//!     Matrix::new("features", &features, dim)?,
//!     Matrix::new("classes", &weights, dim)?,
//!     Positives::One(&labels),
//! )?
//! .columns(Columns::Shared(&ids))?;
//! let want = Want { compact: true, ..Want::BOTH };
//! let output = Engine::new()?.evaluate(&ArcFace::default(), &batch, want)?;
//! // Row r is the gradient of class ids[r]; all other classes have none.
//! let gradient = add_pair_rows(output.grad_candidates.unwrap_or_default(), dim, &ids, &labels)?;
//! assert_eq!(gradient.len(), ids.len() * dim);
//! # Ok(())
//! # }
//! ```

mod class_sampler;
mod pair_rows;
mod sample_memory;
mod uni_ts_face;

pub use class_sampler::ClassSampler;
pub use pair_rows::add_pair_rows;
pub use sample_memory::SampleMemory;
pub use uni_ts_face::{Combination, UniTsFace, UniTsFaceInputs, UniTsFaceOutput};

use crate::shape::{ABSENT, IGNORED};

/// Whether a label names a class, and not that there is none.
fn is_class(label: u32) -> bool {
    label != IGNORED && label != ABSENT
}
