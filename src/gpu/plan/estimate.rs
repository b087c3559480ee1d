//! What a plan would do and allocate.

use super::{PARAMETER_BYTES, PlanOptions};
use crate::gpu::{
    Family, Storage, TableLayouts,
    job::JOB_STRIDE,
    schedule::{Dispatch, KEYS, Schedule},
    sizes::{Limits, Sizes},
    slot::Slot,
};
use crate::{DynLoss, Error, Result, Shape, Want, loss::constants};

/// Sizes and dispatches of a plan, before anything is allocated.
#[derive(Debug)]
pub struct Estimate {
    /// The cuts.
    pub sizes: Sizes,
    /// The dispatches.
    pub dispatches: Vec<Dispatch>,
    /// How many of them give the value.
    pub forward: usize,
    /// Bytes that the plan will allocate.
    pub bytes: u64,
}

/// What a plan would do and allocate. Allocates nothing.
///
/// # Errors
/// The loss refuses the shape, or a buffer exceeds the limits.
pub fn estimate(
    loss: &dyn DynLoss,
    shape: &Shape,
    layouts: &TableLayouts,
    options: &PlanOptions,
    family: Family,
    limits: &Limits,
) -> Result<Estimate> {
    shape.check()?;
    loss.check(shape)?;
    constants(loss)?;
    let spec = loss.spec();
    spec.check(shape)?;
    layouts.check(shape)?;
    options.storage.check(shape, &spec, family)?;
    let mut sizes = Sizes::new(shape, &spec, options, family, limits);
    let want = options.want.of(shape).for_loss(&spec);
    want.check(shape)?;
    sizes.keep_scores(options, limits, want != Want::NOTHING)?;
    numbers_fit(shape, limits)?;
    let mut schedule = Schedule {
        shape,
        spec: &spec,
        sizes: &sizes,
        layouts,
        limits,
        family,
        want,
        accumulate: options.accumulate,
        list: Vec::new(),
    };
    let forward = schedule.build()?;
    let dispatches = schedule.list;
    Estimate::new(sizes, dispatches, forward, want != Want::NOTHING, limits)
}

impl Estimate {
    fn new(
        sizes: Sizes,
        dispatches: Vec<Dispatch>,
        forward: usize,
        gradients: bool,
        limits: &Limits,
    ) -> Result<Self> {
        let mut bytes = PARAMETER_BYTES + (dispatches.len() * JOB_STRIDE) as u64;
        for slot in Slot::own() {
            let own = sizes.bytes_of(slot, gradients);
            if own > limits.max_binding {
                return Err(Error::TooLarge {
                    what: format!("buffer {slot:?} of the plan"),
                    bytes: own,
                    limit: limits.max_binding,
                });
            }
            bytes += allocated(own);
        }
        Ok(Estimate {
            sizes,
            dispatches,
            forward,
            bytes,
        })
    }

    /// Of the passes that find each query's K-th largest score (K, and the place among the row
    /// parameters), with the score of `loss`: see [`KthLargest`](crate::gpu::KthLargest).
    ///
    /// # Errors
    /// A table that cannot be cut to the limits, or a buffer exceeds them.
    pub fn kth_largest(
        loss: &dyn DynLoss,
        shape: &Shape,
        layouts: &TableLayouts,
        options: &PlanOptions,
        (family, limits): (Family, &Limits),
        [kth, parameter]: [u32; 2],
    ) -> Result<Self> {
        layouts.check(shape)?;
        let spec = loss.spec();
        let options = &PlanOptions {
            storage: Storage::F32,
            ..*options
        };
        let mut sizes = Sizes::new(shape, &spec, options, family, limits);
        sizes.keys = KEYS;
        let mut schedule = Schedule {
            shape,
            spec: &spec,
            sizes: &sizes,
            layouts,
            limits,
            family,
            want: options.want,
            accumulate: false,
            list: Vec::new(),
        };
        schedule.build_kth_largest(kth, parameter)?;
        let dispatches = schedule.list;
        let forward = dispatches.len();
        Estimate::new(sizes, dispatches, forward, false, limits)
    }
}

/// Checks that the caller's numbers, which are bound whole, fit a binding.
fn numbers_fit(shape: &Shape, limits: &Limits) -> Result<()> {
    let given = |on: bool, count: usize| if on { count as u64 * 4 } else { 0 };
    for (what, bytes) in [
        ("log_q", given(shape.log_q, shape.candidates)),
        (
            "column_parameters",
            given(shape.column_parameters, shape.candidates),
        ),
        (
            "column_scores",
            given(shape.given.is_some(), shape.rows * shape.columns()),
        ),
        (
            "entry_constants",
            given(shape.entry_constants, shape.rows * shape.columns()),
        ),
    ] {
        if bytes > limits.max_binding {
            return Err(Error::TooLarge {
                what: format!("{what} in one binding"),
                bytes,
                limit: limits.max_binding,
            });
        }
    }
    Ok(())
}

/// What a buffer of `bytes` takes.
fn allocated(bytes: u64) -> u64 {
    bytes.max(JOB_STRIDE as u64).next_multiple_of(4)
}
