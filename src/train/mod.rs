//! Everything around the loss that training a recommender on implicit feedback takes: data,
//! splits, batches, the optimiser, exact ranking and metrics.
//!
//! | module | does |
//! |---|---|
//! | [`data`] | [`Interactions`]: which user has which items, as sorted lists |
//! | [`names`] | [`Tokens`]: what users and items are called in the data files |
//! | [`read`] | reads data files in several formats |
//! | [`planted`] | the built-in data set, with tastes that a model can find |
//! | [`split`] | train/test and train/validation splits per user |
//! | [`negatives`] | what positives are compared with: [`Negatives`] |
//! | [`sampler`] | shuffles interactions, epoch by epoch |
//! | [`batches`] | deals them into steps, by interactions or by users |
//! | [`init`] | normally distributed embeddings: [`Init`] |
//! | [`optimiser`] | which optimiser: [`Optimiser`], with [`adam`] and [`sgd`] |
//! | [`schedule`] | learning-rate schedules |
//! | [`state`] | what a loss learns or remembers beside the embeddings: [`LossState`] |
//! | [`adversary`] | in which epochs a loss's adversary moves, and how: [`Adversary`] |
//! | [`backend`] | what takes the steps: [`Backend`], with [`CpuBackend`] and [`GpuBackend`] |
//! | [`rank`] | exact top-K lists without storing the users × items scores |
//! | [`metrics`] | recall, precision, NDCG, MRR, hit ratio, MAP and coverage at K |
//! | [`saved`] | trained models as files: [`SavedModel`] |
//! | [`defaults`] | what works where nothing else is said |
//! | [`presets`] | settings that papers found best: [`Preset`] |
//! | [`settings`] | how to train: [`Settings`] |
//! | [`trainer`] | [`Trainer`]: epochs, validation, the best epoch |
//! | [`checkpoint`] | a run between two epochs, as a file |
//!
//! Whatever is random depends on a seed alone, and whatever runs on several threads gives the
//! same bits on any number of them.

pub mod adam;
pub mod adversary;
pub mod backend;
pub mod batches;
mod best;
pub mod checkpoint;
mod cpu;
pub mod data;
pub mod defaults;
mod embeddings;
mod folds;
mod gpu;
pub mod init;
pub mod metrics;
pub mod names;
pub mod negatives;
pub mod optimiser;
pub mod planted;
pub mod presets;
mod quantiles;
mod random;
pub mod rank;
pub mod read;
mod record;
pub mod sampler;
pub mod saved;
mod scalars;
pub mod schedule;
pub mod settings;
pub mod sgd;
pub mod split;
pub mod state;
mod step;
mod tensor_file;
pub mod trainer;
mod whole_file;

pub use adam::{Adam, AdamOptions};
pub use adversary::{Adversary, AdversarySchedule, Moved};
pub use backend::{Backend, Start};
pub use batches::{BatchBy, Batching, Dealer};
pub use checkpoint::{Checkpoint, Identity};
pub use cpu::CpuBackend;
pub use data::{Dataset, Interactions};
pub use embeddings::Embeddings;
pub use folds::{Folds, Part, Protocol};
pub use gpu::{GpuBackend, GpuOptimiser};
pub use init::{Init, InitKind};
pub use metrics::{AtK, Average, Metric, Metrics};
pub use names::{Names, Tokens};
pub use negatives::{Draw, Negatives};
pub use optimiser::{Moments, Optimiser};
pub use planted::Planted;
pub use presets::Preset;
pub use rank::{TopK, top_k, top_k_of};
pub use record::{Best, EpochRecord, Event, Times};
pub use sampler::{Epoch, Sampler};
pub use saved::{Note, SavedModel};
pub use schedule::{Decay, Schedule};
pub use settings::Settings;
pub use sgd::{Sgd, SgdOptions};
pub use state::{LossState, SecondTables};
pub use step::Step;
pub use trainer::Trainer;
pub use whole_file::{remove_unfinished, write_whole};
