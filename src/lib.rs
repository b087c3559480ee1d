//! wgloss

pub mod real;

pub use real::Real;
