//! Reading results back.

use super::{Context, Plan, Slice, Slot};
use crate::{Counts, Error, PairStatistic, Result};

/// What a plan leaves in its own buffers.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The value.
    pub value: f32,
    /// ℓ of each pair.
    pub row_losses: Vec<f32>,
    /// ∂value/∂θ.
    pub grad_theta: Vec<f32>,
    /// R, t and count of each pair.
    pub statistics: Vec<PairStatistic<f32>>,
    /// Counts.
    pub counts: Counts,
}

/// Copies ranges to the host in one submission. Ranges are multiples of 4 bytes.
///
/// # Errors
/// The device is lost or out of memory.
pub fn read_back(context: &Context, ranges: &[Slice]) -> Result<Vec<Vec<u32>>> {
    let total: u64 = ranges.iter().map(|range| range.size).sum();
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let staging = context.buffer("read back", total, usage);
    let mut encoder = context.device.create_command_encoder(&Default::default());
    let mut at = 0;
    for range in ranges.iter().filter(|range| range.size > 0) {
        encoder.copy_buffer_to_buffer(&range.buffer, range.offset, &staging, at, range.size);
        at += range.size;
    }
    context.queue.submit([encoder.finish()]);
    let (send, receive) = std::sync::mpsc::channel();
    staging.map_async(wgpu::MapMode::Read, .., move |result| {
        let _ = send.send(result);
    });
    let failed = |message: String| context.check_lost().err().unwrap_or(Error::Gpu(message));
    context
        .device
        .poll(wgpu::PollType::wait_indefinitely())
        .map_err(|error| failed(error.to_string()))?;
    receive
        .recv()
        .map_err(|error| failed(error.to_string()))?
        .map_err(|error| failed(error.to_string()))?;
    let view = staging
        .get_mapped_range(..)
        .map_err(|error| failed(error.to_string()))?;
    let words: &[u32] = bytemuck::cast_slice(&view);
    let mut at = 0;
    Ok(ranges
        .iter()
        .map(|range| {
            let count = usize::try_from(range.size / 4).unwrap_or(0);
            at += count;
            words[at - count..at].to_vec()
        })
        .collect())
}

impl Plan {
    /// Reads value, row losses, statistics and counts of the last submitted evaluation, and
    /// `extra` ranges with them; waits for the device.
    ///
    /// # Errors
    /// The shaders met bad ids or non-finite numbers; the device is lost.
    pub fn read(&self, extra: &[Slice]) -> Result<(Results, Vec<Vec<u32>>)> {
        let pairs = self.shape().pairs as u64;
        let thetas = self.shape().thetas as u64;
        let own = |slot: Slot, bytes: u64| Slice {
            buffer: self.own_buffer(slot).clone(),
            offset: 0,
            size: bytes,
        };
        let mut ranges = vec![
            own(Slot::BatchScalars, 16),
            own(Slot::Status, 32),
            own(Slot::PairResults, pairs * 32),
            own(Slot::GradTheta, thetas * 4),
        ];
        ranges.extend_from_slice(extra);
        let mut words = read_back(self.context(), &ranges)?;
        let rest = words.split_off(4);
        let status = &words[1];
        if status[0] > 0 || status[1] > 0 {
            return Err(Error::DeviceInput(format!(
                "{} ids out of range, {} numbers that are not finite",
                status[0], status[1]
            )));
        }
        let float = |word: &u32| f32::from_bits(*word);
        let dead_sum = |result: &[u32]| {
            if f32::from_bits(result[5]) == 0.0 {
                f32::from_bits(result[1])
            } else {
                f32::NEG_INFINITY
            }
        };
        Ok((
            Results {
                value: float(&words[0][0]),
                row_losses: words[2]
                    .chunks_exact(8)
                    .map(|result| float(&result[0]))
                    .collect(),
                grad_theta: words[3].iter().map(float).collect(),
                statistics: words[2]
                    .chunks_exact(8)
                    .map(|result| PairStatistic {
                        sum: dead_sum(result),
                        target: float(&result[6]),
                        count: float(&result[4]),
                    })
                    .collect(),
                counts: Counts {
                    dead_pairs: u64::from(status[4]),
                    ignored_pairs: u64::from(status[5]),
                    zero_queries: u64::from(status[2]),
                    zero_candidates: u64::from(status[3]),
                },
            },
            rest,
        ))
    }
}
