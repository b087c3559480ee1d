//! From a stage's text to its pipeline.

use super::Context;
use crate::gpu::{Stage, compose::bindings, pipeline_cache::PipelineCache};
use crate::{Error, Result};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// A stage's pipeline with the layout of its bindings.
#[derive(Debug)]
pub struct Pipeline {
    pub(crate) pipeline: wgpu::ComputePipeline,
    pub(crate) layout: wgpu::BindGroupLayout,
    /// Number of storage bindings.
    pub(in crate::gpu) storage: usize,
    /// What wgpu and the driver took to make it. Some drivers compile later, when it first runs.
    pub(in crate::gpu) compiled: Duration,
}

impl Context {
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
}
