//! wgloss

pub mod error;
#[cfg(feature = "train")]
pub mod train;

pub use error::{Error, Result};
