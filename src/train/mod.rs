//! Everything around the loss that training a recommender on implicit feedback takes: data,
//! splits, batches, the optimiser, exact ranking and metrics.
//!
//! | module | does |
//! |---|---|
//! | [`data`] | [`Interactions`]: which user has which items, as sorted lists |
//! | [`ir_benchmark`] | reads a folder with `train.tsv` and `test.tsv` |
//! | [`planted`] | the built-in data set, with tastes that a model can find |
//! | [`split`] | train/test and train/validation splits per user |
//! | [`sampler`] | shuffles interactions into batches, epoch by epoch |
//! | [`init`] | normally distributed embeddings |
//! | [`adam`] | the optimiser |
//! | [`rank`] | exact top-K lists without storing the users × items scores |
//! | [`metrics`] | Recall@K and NDCG@K |
//!
//! Whatever is random depends on a seed alone, and whatever runs on several threads gives the
//! same bits on any number of them.

pub mod adam;
mod best;
pub mod data;
pub mod init;
pub mod ir_benchmark;
pub mod metrics;
pub mod planted;
mod random;
pub mod rank;
pub mod sampler;
pub mod split;

pub use adam::{Adam, AdamOptions};
pub use data::{Dataset, Interactions};
pub use metrics::{AtK, Average, Metrics};
pub use planted::Planted;
pub use rank::{TopK, top_k};
pub use sampler::{Epoch, Sampler};
