//! The GPU path: a caller's `wgpu` device, buffers in, buffers out.
//!
//! [`Context`] holds device and pipelines, [`Plan`] the scratch and dispatches of one (loss,
//! shape). `plan.encode(&mut encoder, &buffers)` records; the caller submits.
//!
//! | stage | quantity |
//! |---|---|
//! | `pack` | queries and candidates of unit length, padded, in chunks |
//! | `row_parameters` | numbers of queries → those of batch rows |
//! | `rank_keys`, `rank_count`, `rank_values` | ranks among all candidates, where a loss asks for them (`stored_count` in place of the second on GPUs) |
//! | `positive_scores` | s⁺, angle, target t of every pair |
//! | `mask` | which columns are no negatives |
//! | `row_reduce` | score tile → z → (max, Σe^z, companions) per span of columns |
//! | `tile_scores`, `stored_reduce`, `stored_weights` | the same as `row_reduce` and `weights` through stored scores, on GPUs where a loss has more statistics than a tile has room for; the last two also for columns of each row's own |
//! | `centre_masks`, or `stored_centres` on GPUs | which sub-centres stand for their classes |
//! | `moment_blocks` to `moment_candidates` | R and gradients from second moments, without a tile, where z is α·s² |
//! | `row_finish` | R, ℓ and slopes per pair |
//! | `row_state` | row parameters after the evaluation, where a loss renews them |
//! | `loss_blocks`, `loss_sum` | the value |
//! | `clear_gradient` | zeros, where a gradient's rows lie apart |
//! | `weights` | score tile again → ∂value/∂score, into bounded scratch |
//! | `grad_queries`, `query_blocks`, `grad_candidates` | W·C (its blocks of columns apart, in the block family), Wᵀ·Q |
//! | `positive_queries`, `positive_candidates` | the positives' own term |
//! | `norm_queries`, `norm_candidates` | back through the normalisation, into the caller's tables |
//! | `rank_count` or `stored_count`, `kth_step` | each query's K-th largest score: [`KthLargest`] |
//! | `adam`, `sgd` | the trainer's step on a table |
//! | `theta_step` | the trainer's step on the loss's scalars |

mod cache_folder;
mod calls;
pub mod compose;
mod context;
mod evaluate;
mod family;
pub mod job;
mod kth_largest;
mod lost;
mod pipeline_cache;
mod plan;
mod read_back;
mod results;
pub mod schedule;
pub mod sizes;
mod slot;
mod stage;
mod storage;
mod tables;
mod tile;
mod tuning;
mod upload;

pub use cache_folder::CacheFolder;
pub use context::{Context, ContextOptions, Pipeline};
pub use evaluate::{evaluate, evaluate_async};
pub use family::Family;
pub use kth_largest::{KthLargest, kth_largest};
pub use plan::{Estimate, Plan, PlanOptions, StageTime, estimate, shader_text, shader_texts};
pub use read_back::{ReadBack, read_back, read_back_async};
pub use results::Results;
pub use sizes::Scores;
pub use slot::Slot;
pub use stage::Stage;
pub use storage::Storage;
pub use tables::{Buffers, Slice, TableLayout, TableLayouts};
pub use tile::{Block, Tile};
pub use tuning::{LossKind, Tuned, TuningClass};
pub use upload::upload;
