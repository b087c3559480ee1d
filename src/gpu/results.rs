//! What an evaluation leaves on the device, on the host.

use super::{Plan, Slice, Slot, read_back::read_back_async};
use crate::{Counts, Error, PairStatistic, Result};

/// What a plan leaves in its own buffers.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The value.
    pub value: f32,
    /// ℓ of each pair.
    pub row_losses: Vec<f32>,
    /// ∂value/∂θ; empty where θ is state.
    pub grad_theta: Vec<f32>,
    /// θ after the evaluation, where that is state.
    pub theta_after: Option<Vec<f32>>,
    /// R, t and count of each pair.
    pub statistics: Vec<PairStatistic<f32>>,
    /// Counts.
    pub counts: Counts,
}

impl Plan {
    /// Reads value, row losses, statistics and counts of the last submitted evaluation, and `extra`
    /// ranges with them, without blocking. The copies are submitted at once: what is submitted
    /// while the future waits does not show in them. Who polls the device: see
    /// [`ReadBack`](super::ReadBack). The numbers in `extra` are handed over as they are: whether
    /// gradients are finite is looked at by [`evaluate`](super::evaluate) and the
    /// [`Engine`](crate::Engine) only.
    ///
    /// # Errors
    /// The shaders met bad ids or non-finite numbers; the device is lost or out of memory, or takes
    /// too long.
    pub fn read_async(
        &self,
        extra: &[Slice],
    ) -> impl Future<Output = Result<(Results, Vec<Vec<u32>>)>> + Send + use<> {
        let reading = read_back_async(self.context(), &self.ranges(extra));
        async move { results(reading?.await?) }
    }

    /// As [`Plan::read_async`], and waits for the device.
    ///
    /// # Errors
    /// As there.
    pub fn read(&self, extra: &[Slice]) -> Result<(Results, Vec<Vec<u32>>)> {
        results(read_back_async(self.context(), &self.ranges(extra))?.wait()?)
    }

    /// How many scalars the batch renews.
    fn states(&self) -> usize {
        self.shape().thetas - self.learnt()
    }

    /// What [`results`] takes apart, and `extra`.
    fn ranges(&self, extra: &[Slice]) -> Vec<Slice> {
        let own = |slot: Slot, bytes: u64| Slice {
            buffer: self.own_buffer(slot).clone(),
            offset: 0,
            size: bytes,
        };
        let mut ranges = vec![
            own(Slot::BatchScalars, 16),
            own(Slot::Status, 32),
            own(Slot::PairResults, self.shape().pairs as u64 * 32),
            own(Slot::GradTheta, self.learnt() as u64 * 4),
            own(Slot::ThetaAfter, self.states() as u64 * 4),
        ];
        ranges.extend_from_slice(extra);
        ranges
    }
}

/// Takes apart what was read.
fn results(mut words: Vec<Vec<u32>>) -> Result<(Results, Vec<Vec<u32>>)> {
    let rest = words.split_off(5);
    let status = &words[1];
    if status[0] > 0 || status[1] > 0 {
        return Err(Error::DeviceInput(format!(
            "{} ids out of range, {} numbers that are not finite",
            status[0], status[1]
        )));
    }
    let float = |word: &u32| f32::from_bits(*word);
    let pairs = || words[2].chunks_exact(8);
    let results = Results {
        value: float(&words[0][0]),
        row_losses: pairs().map(|result| float(&result[0])).collect(),
        grad_theta: words[3].iter().map(float).collect(),
        theta_after: Some(words[4].iter().map(float).collect())
            .filter(|after: &Vec<_>| !after.is_empty()),
        statistics: pairs().map(statistic).collect(),
        counts: Counts {
            dead_pairs: u64::from(status[4]),
            ignored_pairs: u64::from(status[5]),
            zero_queries: u64::from(status[2]),
            zero_candidates: u64::from(status[3]),
        },
    };
    Ok((results, rest))
}

/// The statistic in a pair's record; a dead one's sum is that of nothing.
fn statistic(record: &[u32]) -> PairStatistic<f32> {
    let float = |at: usize| f32::from_bits(record[at]);
    PairStatistic {
        sum: if float(5) == 0.0 {
            float(1)
        } else {
            f32::NEG_INFINITY
        },
        target: float(6),
        count: float(4),
    }
}
