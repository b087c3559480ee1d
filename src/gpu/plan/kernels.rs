//! The different texts of a plan, and their pipelines.

use super::{Estimate, Plan, PlanOptions, estimate, text::Request};
use crate::gpu::{
    Context, Family, Pipeline, Stage, TableLayouts, schedule::Dispatch, sizes::Sizes,
};
use crate::{DynLoss, Error, Result, Shape};
use rayon::prelude::*;
use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    sync::Arc,
};

/// Different things in the order in which they first come, and which of them each place has.
struct Distinct<T> {
    each: Vec<T>,
    of: Vec<usize>,
}

impl<T: Clone + Eq + Hash> Distinct<T> {
    fn new(all: impl Iterator<Item = T>) -> Self {
        let (mut each, mut known) = (Vec::new(), HashMap::new());
        let of = all.map(|one| match known.entry(one) {
            Entry::Occupied(place) => *place.get(),
            Entry::Vacant(place) => {
                each.push(place.key().clone());
                *place.insert(each.len() - 1)
            }
        });
        let of = of.collect();
        Distinct { each, of }
    }
}

/// The different texts of some dispatches. A plan of a large table has thousands of dispatches and some
/// twenty texts: each is composed once.
fn texts(
    loss: &dyn DynLoss,
    dispatches: &[Dispatch],
    sizes: &Sizes,
    family: Family,
) -> Result<Distinct<(Stage, String)>> {
    let requests = dispatches
        .iter()
        .map(|dispatch| Request::of(loss, dispatch, sizes, family));
    let requests = Distinct::new(requests);
    let composed: Vec<_> = (requests.each.par_iter())
        .map(|request| Ok((request.stage, request.text(loss)?)))
        .collect();
    // Texts do not tell of all that is asked for: some are the same.
    let composed = composed.into_iter().collect::<Result<Vec<_>>>()?;
    let texts = Distinct::new(composed.into_iter());
    Ok(Distinct {
        of: requests.of.iter().map(|&place| texts.of[place]).collect(),
        each: texts.each,
    })
}

/// The different texts of a plan, in the order in which they first run.
///
/// # Errors
/// As [`shader_text`](super::shader_text).
pub fn shader_texts(
    loss: &dyn DynLoss,
    plan: &Estimate,
    family: Family,
) -> Result<Vec<(Stage, String)>> {
    Ok(texts(loss, &plan.dispatches, &plan.sizes, family)?.each)
}

/// A pipeline for every dispatch. Those that the context does not know are compiled on all cores.
pub(super) fn pipelines(
    context: &Context,
    loss: &dyn DynLoss,
    dispatches: &[Dispatch],
    sizes: &Sizes,
) -> Result<Vec<Arc<Pipeline>>> {
    let texts = texts(loss, dispatches, sizes, context.family())?;
    let compiled: Vec<_> = (texts.each.into_par_iter())
        .map(|(stage, text)| context.pipeline(stage, text))
        .collect();
    // The first error, whichever came first.
    let compiled = compiled.into_iter().collect::<Result<Vec<_>>>()?;
    let of = |(dispatch, place): (&Dispatch, usize)| {
        let pipeline = &compiled[place];
        if pipeline.storage != dispatch.binds.len() {
            return Err(Error::Gpu(format!(
                "{}: the shader has {} bindings, the schedule {}",
                dispatch.stage.name(),
                pipeline.storage,
                dispatch.binds.len()
            )));
        }
        Ok(Arc::clone(pipeline))
    };
    dispatches.iter().zip(texts.of).map(of).collect()
}

impl Plan {
    /// Compiles what [`Plan::new`] would, for plans that are made later, and allocates nothing.
    ///
    /// # Errors
    /// As there, but for memory.
    pub(crate) fn prepare(
        context: &Context,
        loss: &dyn DynLoss,
        shape: &Shape,
        layouts: &TableLayouts,
        options: &PlanOptions,
    ) -> Result<()> {
        let (family, limits) = (context.family(), context.limits());
        let estimate = estimate(loss, shape, layouts, options, family, limits)?;
        pipelines(context, loss, &estimate.dispatches, &estimate.sizes)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Distinct;

    #[test]
    fn each_once_in_the_order_of_the_first() {
        let distinct = Distinct::new(["pack", "weights", "pack", "mask", "weights"].into_iter());
        assert_eq!(distinct.each, ["pack", "weights", "mask"]);
        assert_eq!(distinct.of, [0, 1, 0, 2, 1]);
    }
}
