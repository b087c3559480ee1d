//! Compiled pipelines, kept between runs: the driver's own cache, in a file.

use super::cache_folder::{CacheFolder, keep};
use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// What a file begins with; a checksum and the driver's data follow.
const MAGIC: &[u8; 8] = b"wglosspc";
const HEADER: usize = 16;

/// The driver's cache of one device. What was compiled is written when the last context on the
/// device is dropped.
#[derive(Debug)]
pub(super) struct PipelineCache {
    cache: wgpu::PipelineCache,
    path: PathBuf,
    /// Checksum of what was read, 0 without.
    read: u64,
    /// Whether anything was compiled.
    used: AtomicBool,
}

impl PipelineCache {
    /// Reads the device's file; `None` where the device has no such cache or nothing is to be kept.
    pub(super) fn open(device: &wgpu::Device, folder: &CacheFolder) -> Option<Self> {
        if !device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return None;
        }
        let key = wgpu::util::pipeline_cache_key(&device.adapter_info())?;
        let path = folder.path()?.join(key);
        let content = fs::read(&path).unwrap_or_default();
        let data = data_of(&content);
        #[expect(
            unsafe_code,
            reason = "wgpu cannot tell what it wrote from what others did"
        )]
        // SAFETY: the data is what `get_data` gave, as far as a checksum can tell: see `data_of`.
        // wgpu compares adapter and driver.
        let cache = unsafe {
            device.create_pipeline_cache(&wgpu::PipelineCacheDescriptor {
                label: Some("wgloss"),
                data,
                fallback: true,
            })
        };
        Some(PipelineCache {
            cache,
            path,
            read: data.map_or(0, checksum),
            used: AtomicBool::new(false),
        })
    }

    /// For a pipeline that is about to be compiled.
    pub(super) fn used(&self) -> &wgpu::PipelineCache {
        self.used.store(true, Relaxed);
        &self.cache
    }
}

impl Drop for PipelineCache {
    fn drop(&mut self) {
        if !self.used.load(Relaxed) {
            return;
        }
        if let Some(data) = self
            .cache
            .get_data()
            .filter(|data| checksum(data) != self.read)
        {
            let content = [&MAGIC[..], &checksum(&data).to_le_bytes(), &data].concat();
            keep(&self.path, &content);
        }
    }
}

/// The driver's data in a file, if it is all there and as it was written.
fn data_of(content: &[u8]) -> Option<&[u8]> {
    let (header, data) = content.split_at_checked(HEADER)?;
    let (magic, sum) = header.split_at(MAGIC.len());
    (magic == MAGIC && sum == checksum(data).to_le_bytes()).then_some(data)
}

/// FNV-1a, 64 bits.
fn checksum(data: &[u8]) -> u64 {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_is_read() {
        let data = b"what the driver made";
        let good = [&MAGIC[..], &checksum(data).to_le_bytes(), data].concat();
        assert_eq!(data_of(&good), Some(&data[..]));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(data_of(&bad), None, "a bit of byte {at}");
            assert_eq!(data_of(&good[..at]), None, "{at} bytes");
        }
    }
}
