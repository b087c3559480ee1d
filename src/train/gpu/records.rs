//! What the device notes of every step: [`Records`].

use crate::{
    Error, Result,
    gpu::{Buffers, Context, Slice, read_back},
};

/// Steps that are noted between two reads.
const STEPS: usize = 16_384;
/// A record: the value, ids out of range, numbers that are not finite.
const WORDS: usize = 3;
const BYTES: u64 = (WORDS * 4) as u64;

/// Value and status of each step, kept on the device until somebody asks.
#[derive(Debug)]
pub struct Records {
    context: Context,
    /// Where a step leaves its record.
    latest: wgpu::Buffer,
    all: wgpu::Buffer,
    /// What the value of each step noted since the last read is to be multiplied by for its loss.
    noted: Vec<f32>,
    /// Losses that were read because `all` was full.
    losses: Vec<f32>,
}

impl Records {
    /// No records.
    pub fn new(context: &Context) -> Self {
        let buffer = |label, bytes| {
            let usage = wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
            context.buffer(label, bytes, usage)
        };
        Records {
            context: context.clone(),
            latest: buffer("latest record", BYTES),
            all: buffer("records", STEPS as u64 * BYTES),
            noted: Vec::new(),
            losses: Vec::new(),
        }
    }

    /// `buffers` with value and status going where records are taken from.
    pub fn watch(&self, buffers: Buffers) -> Buffers {
        let range = |offset, size| {
            Some(Slice {
                buffer: self.latest.clone(),
                offset,
                size,
            })
        };
        Buffers {
            value: range(0, 4),
            status: range(4, 8),
            ..buffers
        }
    }

    /// Records that the step before it in `encoder` is noted, whose value is `factor` times its
    /// loss, 1 or −1. Reads only if there is no room.
    ///
    /// # Errors
    /// As [`Records::take`].
    pub fn encode(&mut self, factor: f32, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        if self.noted.len() == STEPS {
            self.losses = self.take()?;
        }
        let at = self.noted.len() as u64 * BYTES;
        encoder.copy_buffer_to_buffer(&self.latest, 0, &self.all, at, BYTES);
        self.noted.push(factor);
        Ok(())
    }

    /// The losses since the last call; waits for the device.
    ///
    /// # Errors
    /// A step met bad ids, or numbers that are not finite; the device failed.
    pub fn take(&mut self) -> Result<Vec<f32>> {
        let noted = std::mem::take(&mut self.noted);
        let mut losses = std::mem::take(&mut self.losses);
        let range = Slice {
            buffer: self.all.clone(),
            offset: 0,
            size: noted.len() as u64 * BYTES,
        };
        for words in read_back(&self.context, &[range])? {
            for (record, factor) in words.chunks_exact(WORDS).zip(&noted) {
                check(losses.len(), record[1], record[2])?;
                losses.push(factor * f32::from_bits(record[0]));
            }
        }
        Ok(losses)
    }
}

fn check(step: usize, bad_ids: u32, not_finite: u32) -> Result<()> {
    if bad_ids > 0 {
        return Err(Error::DeviceInput(format!(
            "step {step}: {bad_ids} ids out of range"
        )));
    }
    if not_finite > 0 {
        return Err(Error::NotFinite {
            argument: "embeddings before step",
            at: step,
            value: f64::NAN,
        });
    }
    Ok(())
}
