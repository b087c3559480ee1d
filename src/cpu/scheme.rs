//! What an evaluation on the CPU will multiply.

use super::{Options, kept::Keep, plan::Plan, problem::Problem};
use crate::{Batch, DynLoss, Result, Want, gpu::sizes::serves_moments};

/// How scores become gradients, and what that executes: for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// In words.
    pub name: &'static str,
    /// Executed multiply-adds times two, of the score and gradient products; `None` for second
    /// moments.
    pub flops: Option<u64>,
}

/// The scheme of an evaluation in f32.
///
/// # Errors
/// The loss refuses the batch.
pub fn scheme(
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    want: Want,
    options: &Options,
) -> Result<Scheme> {
    let want = want.of(&batch.shape()?).for_loss(&loss.spec());
    let backward = want != Want::NOTHING;
    let problem = Problem::<f32>::new(loss, batch, backward, options)?;
    let (shape, spec) = (&problem.shape, &problem.spec);
    if serves_moments(shape, spec) {
        let name = "second moments";
        return Ok(Scheme { name, flops: None });
    }
    let plan = Plan::new(&problem, options);
    let whole = match plan.chunk >= plan.columns {
        true => Keep::Scores,
        false => Keep::Nothing,
    };
    let (name, sweeps) = match plan.bands.map_or(whole, |bands| bands.keep) {
        _ if !backward => ("value alone", 1),
        Keep::Weights => ("kept weights", 1),
        Keep::Scores => ("kept scores", 1),
        Keep::Nothing => ("scores twice", 2),
    };
    let products = sweeps + u64::from(want.queries) + u64::from(want.candidates);
    let pairs = (shape.rows * shape.columns()) as u64;
    let first = 2 * pairs * shape.dim as u64 * products;
    let products = sweeps + 2 * u64::from(want.second);
    let second = 2 * pairs * shape.second_dim.unwrap_or(0) as u64 * products;
    Ok(Scheme {
        name,
        flops: Some(first + second),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bench::Inputs,
        loss::{Mse, Sl},
    };

    #[test]
    fn scores_are_kept_where_there_is_room() {
        let (b, n, d) = (64, 5000, 256);
        let inputs = Inputs::new(&Sl::default(), [b, n, d]).expect("room");
        let batch = inputs.batch().expect("a good batch");
        let of = |want, scratch_bytes| {
            let options = Options {
                scratch_bytes,
                ..Options::default()
            };
            scheme(&Sl::default(), &batch, want, &options).expect("a scheme")
        };
        let product = (2 * b * n * d) as u64;
        for (want, bytes, name, products) in [
            (Want::NOTHING, 32 << 20, "value alone", 1),
            (Want::BOTH, 32 << 20, "kept weights", 3),
            (Want::BOTH, 1 << 10, "scores twice", 4),
        ] {
            let flops = Some(products * product);
            assert_eq!(of(want, bytes), Scheme { name, flops });
        }
        let (mse, size) = (Mse::default(), [64, 5000, 32]);
        let inputs = Inputs::new(&mse, size).expect("room");
        let batch = inputs.batch().expect("a good batch");
        let mse = scheme(&mse, &batch, Want::BOTH, &Options::default());
        let (name, flops) = ("second moments", None);
        assert_eq!(mse.expect("a scheme"), Scheme { name, flops });
    }
}
