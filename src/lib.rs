//! wgloss computes ranking and angular-margin losses and their gradients on any GPU, without ever
//! storing the users × items score matrix.
//!
//! # Notation
//!
//! | symbol | meaning |
//! |---|---|
//! | U, N, D | rows of the query table, rows of the candidate table, width of both |
//! | B | rows of the batch; row b reads query `rows[b]`, by default query b |
//! | P | pairs (row, positive); P = B with one positive per row |
//! | s, s⁺ | score of a column, of the positive: dot product or cosine, times `score_scale` |
//! | t | target: s⁺ after the loss's margin map |
//! | z | what the loss makes of s and t, and a row reduces |
//! | R | a row's reduction: log Σ e^z, or Σ z |
//! | ℓ | loss of a pair, in nats |
//! | W | weights, ∂value/∂s of every row and column |
//!
//! # Layers
//!
//! * [`Engine`]: slices in, vectors out, on a hardware GPU or else on the CPU.
//! * [`gpu`]: your own device and buffers; a [`gpu::Plan`] records into your encoder.
//! * [`cpu`]: slices, in f32, or in f64 as the reference.
//!
//! All take a [`Batch`], or its [`Shape`], and a loss: one of [`loss`], by name an [`AnyLoss`], or
//! your own [`Loss`]. [`heads`] has what heads with very many classes need beside. [`check`] tells whether a device computes them right.
//!
//! # Stages
//!
//! On the GPU each is a shader of its own; the CPU does the same row block by row block.
//!
//! | stage | gives | holds the loss |
//! |---|---|---|
//! | [`Pack`] | rows of unit length (under cosine), padded, chunk by chunk | |
//! | [`PositiveScores`] | s⁺, the angle, t of every pair | `target` |
//! | [`BatchStatistics`] | statistics over the batch, for losses whose target sees them | `batch_value` |
//! | [`Mask`] | which columns are no negatives | |
//! | [`PositiveCentres`], [`CentreMasks`] | which sub-centre stands for its class | |
//! | [`RowReduce`] | score tile → z → maximum, sum and companion sums per span of columns | `pair` |
//! | [`RowFinish`] | R, ℓ and its slopes per pair | `row` |
//! | [`LossBlocks`], [`LossSum`] | the value | |
//! | [`Weights`] | the score tile again → W, into bounded scratch | `pair` |
//! | [`GradQueries`], [`QueryBlocks`], [`GradCandidates`] | W·C and, on GPUs, its sum over blocks of columns; Wᵀ·Q | |
//! | [`PositiveQueries`], [`PositiveCandidates`] | the positives' own term, along the tangent | |
//! | [`NormQueries`], [`NormCandidates`] | back through the normalisation | |
//! | [`ColumnSums`], [`PositiveColumns`] | the gradient of column parameters | |
//!
//! The score tile is computed twice, once for R and once for W, so nothing of size B × N is ever
//! stored. (GPUs take [`TileScores`], [`StoredReduce`] and [`StoredWeights`] in its place where a loss has
//! more statistics than registers, chunk by chunk; the last two also for columns of each row's own.) Every sum has one writer and a fixed order: the same inputs give the same bits.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `case` | the module `case`: case files, one loss on one batch |
//! | `train` | the module `train`: data, sampling, optimiser, metrics |
//! | `cli` | the command `wgloss`, with both |
//!
//! [`Pack`]: gpu::Stage::Pack
//! [`TileScores`]: gpu::Stage::TileScores
//! [`StoredReduce`]: gpu::Stage::StoredReduce
//! [`StoredWeights`]: gpu::Stage::StoredWeights
//! [`PositiveScores`]: gpu::Stage::PositiveScores
//! [`BatchStatistics`]: gpu::Stage::BatchStatistics
//! [`Mask`]: gpu::Stage::Mask
//! [`PositiveCentres`]: gpu::Stage::PositiveCentres
//! [`CentreMasks`]: gpu::Stage::CentreMasks
//! [`RowReduce`]: gpu::Stage::RowReduce
//! [`RowFinish`]: gpu::Stage::RowFinish
//! [`LossBlocks`]: gpu::Stage::LossBlocks
//! [`LossSum`]: gpu::Stage::LossSum
//! [`Weights`]: gpu::Stage::Weights
//! [`GradQueries`]: gpu::Stage::GradQueries
//! [`QueryBlocks`]: gpu::Stage::QueryBlocks
//! [`GradCandidates`]: gpu::Stage::GradCandidates
//! [`PositiveQueries`]: gpu::Stage::PositiveQueries
//! [`PositiveCandidates`]: gpu::Stage::PositiveCandidates
//! [`NormQueries`]: gpu::Stage::NormQueries
//! [`NormCandidates`]: gpu::Stage::NormCandidates
//! [`ColumnSums`]: gpu::Stage::ColumnSums
//! [`PositiveColumns`]: gpu::Stage::PositiveColumns

pub mod adapter;
mod batch;
pub mod bench;
#[cfg(feature = "case")]
pub mod case;
pub mod check;
pub mod cpu;
mod engine;
mod error;
mod finite;
pub mod gpu;
pub mod heads;
mod kth;
pub mod loss;
mod matrix;
mod output;
pub mod real;
mod shape;
mod symmetric;
#[cfg(any(feature = "case", feature = "train"))]
mod tensors;
#[cfg(feature = "train")]
pub mod train;

pub use batch::{
    Batch, Columns, Exclude, GivenScores, Lists, Lonely, Positives, ProxyPairs, Reduction,
    SamplePairs,
};
pub use engine::{Device, Engine, EngineOptions};
pub use error::{Error, Result};
pub use kth::Kth;
pub use loss::{AnyLoss, DynLoss, Loss};
pub use matrix::{Elements, Matrix};
pub use output::{Counts, Output, PairStatistic, Want};
pub use real::Real;
pub use shape::{
    ABSENT, ColumnKind, IGNORED, MAX_CONSTANTS, MAX_DIM, MAX_ROW_PARAMETERS, MAX_THETA,
    ReductionKind, Shape,
};
pub use symmetric::{SymmetricInfoNce, SymmetricOutput};
pub use wgpu;

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
