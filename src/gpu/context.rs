//! A device with its pipelines: what plans are made on.

mod compile;

pub use compile::Pipeline;

use super::{
    cache_folder::CacheFolder,
    family::{Family, family},
    job::JOB_STRIDE,
    lost,
    pipeline_cache::PipelineCache,
    sizes::Limits,
    tuning::Tuning,
};
use crate::{Error, Result};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// How a [`Context`] uses its device.
#[derive(Clone, Debug, Default)]
pub struct ContextOptions {
    /// Kernel family; by default, and where the device is too small for it, what the adapter offers,
    /// and [`Context::tuned`] may choose.
    pub family: Option<Family>,
    /// Bounds checks and loop guards in every shader. For tests: release kernels clamp every id
    /// themselves.
    pub checked: bool,
    /// Lowers the largest storage binding, bytes (to test chunking cheaply; same bits).
    pub max_binding: Option<u64>,
    /// Lowers the most workgroups per dimension (to test folding cheaply; same bits).
    pub max_groups: Option<u32>,
    /// Loads one vec4 at a time also where 64-bit integers bring two (to compare; same bits).
    pub narrow_loads: bool,
    /// The longest wait for results; then [`Error::Timeout`]. By default as long as the driver takes
    /// to answer or to give the device up.
    pub timeout: Option<Duration>,
    /// Leaves the device's lost callback alone, for callers with one of their own: theirs then calls
    /// [`Context::report_lost`].
    pub keep_lost_callback: bool,
    /// Where compiled pipelines are kept between runs, for devices with the feature
    /// `PIPELINE_CACHE`, and what [`Context::tuned`] knows. [`Context::with_options`] keeps the
    /// folder of its context.
    pub cache: CacheFolder,
}

/// Compiled texts, with whether checks were put in.
type Pipelines = HashMap<(bool, String), Arc<Pipeline>>;

/// A device, its queue, and the pipelines compiled on it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    family: Family,
    limits: Limits,
    checked: bool,
    pub(super) options: ContextOptions,
    pub(super) timeout: Option<Duration>,
    pipelines: Arc<Mutex<Pipelines>>,
    kept: Option<Arc<PipelineCache>>,
    pub(super) tuning: Arc<Tuning>,
    pub(super) lost: lost::Reason,
}

impl Context {
    /// Uses the caller's device. Subgroup kernels need the feature `SUBGROUP` on it, and where subgroups
    /// have eight lanes, as on processors, load faster with `SHADER_INT64`.
    ///
    /// wgpu has one lost callback per device, and this sets it. All contexts on one device notice
    /// its loss, in whatever order they were made. A callback that was set by others before is
    /// replaced, and one that others set later replaces this one:
    /// see [`ContextOptions::keep_lost_callback`]. Without a callback, errors of a lost device are
    /// [`Error::Gpu`].
    ///
    /// # Errors
    /// The device's limits are below the portable minimum this crate needs.
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        options: &ContextOptions,
    ) -> Result<Self> {
        let found = device.limits();
        if found.max_storage_buffers_per_shader_stage < 8 {
            return Err(Error::TooLarge {
                what: "storage buffers per shader stage".into(),
                bytes: 8,
                limit: u64::from(found.max_storage_buffers_per_shader_stage),
            });
        }
        let lost = if options.keep_lost_callback {
            lost::Reason::default()
        } else {
            lost::watch(device)
        };
        Ok(Context {
            device: device.clone(),
            queue: queue.clone(),
            family: family(device, options.family),
            limits: limits(device, options),
            checked: options.checked,
            options: options.clone(),
            timeout: options.timeout,
            pipelines: Arc::default(),
            kept: PipelineCache::open(device, &options.cache).map(Arc::new),
            tuning: Arc::new(Tuning::open(device, &options.cache)),
            lost,
        })
    }

    /// Opens an adapter with all it offers that the kernels can use.
    ///
    /// # Errors
    /// The driver refuses the device.
    pub fn open(adapter: &wgpu::Adapter, options: &ContextOptions) -> Result<Self> {
        let wanted = wgpu::Features::SUBGROUP
            | wgpu::Features::TIMESTAMP_QUERY
            | wgpu::Features::SHADER_INT64
            | wgpu::Features::PIPELINE_CACHE;
        let request = adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("wgloss"),
            required_features: adapter.features() & wanted,
            required_limits: adapter.limits(),
            ..Default::default()
        });
        let (device, queue) =
            pollster::block_on(request).map_err(|error| Error::Gpu(error.to_string()))?;
        Self::new(&device, &queue, options)
    }

    /// The same device, used in another way. Pipelines are shared.
    #[must_use]
    pub fn with_options(&self, options: &ContextOptions) -> Self {
        Context {
            family: family(&self.device, options.family),
            limits: limits(&self.device, options),
            checked: options.checked,
            options: options.clone(),
            timeout: options.timeout,
            ..self.clone()
        }
    }

    /// The same device without the pipelines that were compiled on it, and without folders of them.
    pub(crate) fn without_pipelines(&self) -> Self {
        Context {
            pipelines: Arc::default(),
            kept: None,
            ..self.clone()
        }
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    /// The queue.
    #[must_use]
    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// The kernel family.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// The limits that plans keep to.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Number of pipelines compiled so far.
    #[must_use]
    pub fn pipeline_count(&self) -> usize {
        self.pipelines.lock().map_or(0, |known| known.len())
    }

    /// The error of a lost device, if it is lost.
    ///
    /// # Errors
    /// [`Error::DeviceLost`].
    pub fn check_lost(&self) -> Result<()> {
        match self.lost.get() {
            None => Ok(()),
            Some(reason) => Err(Error::DeviceLost(reason.clone())),
        }
    }

    /// A buffer of a plan's own.
    pub(crate) fn buffer(
        &self,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.max(JOB_STRIDE as u64).next_multiple_of(4),
            usage,
            mapped_at_creation: false,
        })
    }
}

/// The limits that plans keep to.
fn limits(device: &wgpu::Device, options: &ContextOptions) -> Limits {
    let found = device.limits();
    Limits {
        max_binding: found
            .max_storage_buffer_binding_size
            .min(options.max_binding.unwrap_or(u64::MAX))
            .min(found.max_buffer_size),
        max_buffer: found.max_buffer_size,
        max_groups: found
            .max_compute_workgroups_per_dimension
            .min(options.max_groups.unwrap_or(u32::MAX))
            .max(1),
        wide_loads: device.features().contains(wgpu::Features::SHADER_INT64)
            && !options.narrow_loads,
    }
}
