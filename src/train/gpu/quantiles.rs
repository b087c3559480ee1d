//! The users' K-th largest scores on the device: [`GpuQuantiles`].

use crate::{
    DynLoss, Kth, Result,
    gpu::{Buffers, Context, KthLargest},
    train::LossState,
};

/// The passes that renew each number per user that is a K-th largest score, in its place. Nothing is
/// read back. Users without training items are renewed too; no row ever reads theirs.
#[derive(Debug)]
pub struct GpuQuantiles {
    context: Context,
    passes: Vec<KthLargest>,
    buffers: Buffers,
}

impl GpuQuantiles {
    /// Passes over tables of `[users, items, dim]`, on the buffers of `resident`; none for a loss
    /// that reads no such number.
    ///
    /// # Errors
    /// The device has no room.
    pub fn new(
        context: &Context,
        loss: &dyn DynLoss,
        sizes: [usize; 3],
        resident: &Buffers,
    ) -> Result<Self> {
        let spec = loss.spec();
        let pass = |(place, k)| {
            let kth = Kth {
                k,
                score: spec.score,
                score_scale: spec.score_scale,
            };
            KthLargest::new(context, sizes, None, kth, [place, spec.row_parameters])
        };
        Ok(GpuQuantiles {
            context: context.clone(),
            passes: LossState::quantiles(loss)
                .map(pass)
                .collect::<Result<_>>()?,
            buffers: Buffers {
                queries: resident.queries.clone(),
                candidates: resident.candidates.clone(),
                row_parameters_after: resident.row_parameters.clone(),
                ..Buffers::default()
            },
        })
    }

    /// Submits the passes.
    ///
    /// # Errors
    /// The device is lost.
    pub fn submit(&self) -> Result<()> {
        let mut encoder = (self.context.device()).create_command_encoder(&Default::default());
        for pass in &self.passes {
            pass.encode(&mut encoder, &self.buffers)?;
        }
        self.context.queue().submit([encoder.finish()]);
        Ok(())
    }
}
