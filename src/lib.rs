//! wgloss computes ranking and angular-margin losses and their gradients on any GPU, without ever
//! storing the users × items score matrix.

pub mod adapter;
mod batch;
#[cfg(feature = "case")]
pub mod case;
pub mod check;
pub mod cpu;
mod engine;
mod error;
pub mod gpu;
pub mod loss;
mod matrix;
mod output;
pub mod real;
mod shape;
#[cfg(feature = "train")]
pub mod train;

pub use batch::{Batch, Columns, Exclude, Lists, Positives, Reduction};
pub use engine::{Device, Engine, EngineOptions};
pub use error::{Error, Result};
pub use loss::{AnyLoss, DynLoss, Loss};
pub use matrix::{Elements, Matrix};
pub use output::{Counts, Output, PairStatistic, Want};
pub use real::Real;
pub use shape::{ColumnKind, IGNORED, MAX_CONSTANTS, MAX_DIM, MAX_THETA, ReductionKind, Shape};
pub use wgpu;
