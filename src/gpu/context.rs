//! A device with its pipelines: what plans are made on.

use super::{
    Stage,
    cache_folder::CacheFolder,
    compose::bindings,
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
    time::{Duration, Instant},
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

/// A stage's pipeline with the layout of its bindings.
#[derive(Debug)]
pub struct Pipeline {
    pub(crate) pipeline: wgpu::ComputePipeline,
    pub(crate) layout: wgpu::BindGroupLayout,
    /// Number of storage bindings.
    pub(super) storage: usize,
    /// What wgpu and the driver took to make it. Some drivers compile later, when it first runs.
    pub(super) compiled: Duration,
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

    /// Compiles a stage's text, or finds it compiled. The text is the key, with whether checks are
    /// put in: nothing else can differ.
    pub(crate) fn pipeline(&self, stage: Stage, text: String) -> Result<Arc<Pipeline>> {
        let known = || {
            let known = self.pipelines.lock();
            known.map_err(|_| Error::Gpu("pipeline cache".into()))
        };
        let key = (self.checked, text);
        if let Some(pipeline) = known()?.get(&key) {
            return Ok(Arc::clone(pipeline));
        }
        // Without the lock: others compile at the same time. Error scopes are their threads' own.
        let pipeline = Arc::new(self.guarded(stage.name(), || self.compile(stage, &key.1))?);
        // Of a text that two compiled at once, one is kept.
        Ok(Arc::clone(known()?.entry(key).or_insert(pipeline)))
    }

    fn compile(&self, stage: Stage, text: &str) -> Pipeline {
        let start = Instant::now();
        let storage = bindings(text);
        let layout = self.layout(stage, &storage);
        let pipeline_layout = self
            .device
            .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(stage.name()),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(stage.name()),
                layout: Some(&pipeline_layout),
                module: &self.module(stage, text),
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    zero_initialize_workgroup_memory: self.checked,
                    ..Default::default()
                },
                cache: self.kept.as_deref().map(PipelineCache::used),
            });
        Pipeline {
            pipeline,
            layout,
            storage: storage.len(),
            compiled: start.elapsed(),
        }
    }

    fn layout(&self, stage: Stage, storage: &[(String, bool)]) -> wgpu::BindGroupLayout {
        let entry = |binding: usize, ty: wgpu::BufferBindingType, dynamic: bool| {
            wgpu::BindGroupLayoutEntry {
                binding: u32::try_from(binding).unwrap_or(u32::MAX),
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty,
                    has_dynamic_offset: dynamic,
                    min_binding_size: None,
                },
                count: None,
            }
        };
        let mut entries = vec![
            entry(0, wgpu::BufferBindingType::Uniform, true),
            entry(1, wgpu::BufferBindingType::Uniform, false),
        ];
        for (at, (_, writes)) in storage.iter().enumerate() {
            let ty = wgpu::BufferBindingType::Storage { read_only: !writes };
            entries.push(entry(2 + at, ty, false));
        }
        self.device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(stage.name()),
                entries: &entries,
            })
    }

    #[expect(
        unsafe_code,
        reason = "wgpu's call for modules without injected checks is unsafe"
    )]
    fn module(&self, stage: Stage, text: &str) -> wgpu::ShaderModule {
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(stage.name()),
            source: wgpu::ShaderSource::Wgsl(text.into()),
        };
        if self.checked {
            return self.device.create_shader_module(descriptor);
        }
        // SAFETY: every index in the shaders follows from sizes that the plan made the buffers
        // with, or from an id that the shader compares with its table first; every loop counts up
        // to a number from the job or walks a chain that ascends. The tests run the same texts
        // with all checks on.
        unsafe {
            self.device
                .create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
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
