//! The object-safe face of a loss: what engines hold as `&dyn DynLoss`.

use super::{Held, Loss, RowParameter, Scalar, Spec};
use crate::{Batch, Error, Output, Result, Shape, cpu::Kernels, shape::MAX_CONSTANTS};

/// A loss behind a pointer. Implemented for every [`Loss`]; not to be implemented by hand.
pub trait DynLoss: Send + Sync + std::fmt::Debug {
    /// See [`Loss::spec`].
    fn spec(&self) -> Spec;
    /// See [`Loss::constants`].
    fn constants(&self) -> Vec<f64>;
    /// See [`Loss::check`].
    ///
    /// # Errors
    /// As there.
    fn check(&self, shape: &Shape) -> Result<()>;
    /// See [`Loss::scalars`].
    fn scalars(&self) -> Vec<Scalar>;
    /// See [`Loss::row_parameters`].
    fn row_parameters(&self) -> Vec<RowParameter>;
    /// See [`Loss::held`].
    fn held(&self, batch: &Batch<'_>, output: &Output<f64>) -> Option<Held>;
    /// See [`Loss::holds_entries`].
    fn holds_entries(&self) -> bool;
    /// See [`Loss::wgsl`].
    fn wgsl(&self) -> &'static str;
    /// The scalar functions over slices of `f32`.
    fn single(&self) -> &dyn Kernels<f32>;
    /// The scalar functions over slices of `f64`.
    fn double(&self) -> &dyn Kernels<f64>;
}

impl<L: Loss> DynLoss for L {
    fn spec(&self) -> Spec {
        Loss::spec(self)
    }
    fn constants(&self) -> Vec<f64> {
        Loss::constants(self)
    }
    fn check(&self, shape: &Shape) -> Result<()> {
        Loss::check(self, shape)
    }
    fn scalars(&self) -> Vec<Scalar> {
        Loss::scalars(self)
    }
    fn row_parameters(&self) -> Vec<RowParameter> {
        Loss::row_parameters(self)
    }
    fn held(&self, batch: &Batch<'_>, output: &Output<f64>) -> Option<Held> {
        Loss::held(self, batch, output)
    }
    fn holds_entries(&self) -> bool {
        Loss::holds_entries(self)
    }
    fn wgsl(&self) -> &'static str {
        Loss::wgsl(self)
    }
    fn single(&self) -> &dyn Kernels<f32> {
        self
    }
    fn double(&self) -> &dyn Kernels<f64> {
        self
    }
}

/// The constants of a loss.
///
/// # Errors
/// More than [`MAX_CONSTANTS`].
pub(crate) fn constants(loss: &dyn DynLoss) -> Result<Vec<f64>> {
    let constants = loss.constants();
    if constants.len() <= MAX_CONSTANTS {
        return Ok(constants);
    }
    Err(Error::Shape {
        argument: "constants",
        expected: format!("at most {MAX_CONSTANTS} numbers"),
        actual: constants.len().to_string(),
    })
}
