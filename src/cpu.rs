//! Stub until the CPU path is merged.
use crate::{Batch, DynLoss, Error, Output, Real, Result, Want};
/// Stub.
///
/// # Errors
/// Always.
pub fn evaluate<R: Real>(_: &dyn DynLoss, _: &Batch<'_>, _: Want) -> Result<Output<R>> {
    Err(Error::Unsupported("the CPU path is not merged yet".into()))
}
