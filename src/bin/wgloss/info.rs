//! `wgloss info`: what there is to compute on.

use crate::{Outcome, screen::Screen};
use wgloss::{
    Engine, adapter,
    gpu::{CacheFolder, Context, ContextOptions},
    wgpu,
};

/// Show the adapters of this machine, their limits and features, and what is used by default.
#[derive(clap::Args)]
pub struct Arguments {}

/// Features that kernels have variants for.
const FEATURES: [(&str, wgpu::Features); 4] = [
    ("subgroup operations", wgpu::Features::SUBGROUP),
    ("f16 in shaders", wgpu::Features::SHADER_F16),
    ("64-bit integers", wgpu::Features::SHADER_INT64),
    ("timestamps", wgpu::Features::TIMESTAMP_QUERY),
];

/// Runs the command.
pub fn run(_arguments: &Arguments, screen: &mut Screen) -> Outcome {
    screen.line(format_args!("wgloss {}", env!("CARGO_PKG_VERSION")))?;
    let adapters = adapter::adapters();
    if adapters.is_empty() {
        screen.line("adapters: none (no driver for Vulkan, Metal or DX12 answers)")?;
    }
    for adapter in &adapters {
        screen.line("")?;
        show(adapter, screen)?;
    }
    screen.line("")?;
    match CacheFolder::default().path() {
        Some(path) => screen.line(format_args!("cache: {}", path.display()))?,
        None => screen.line("cache: off")?,
    }
    let engine = Engine::new()?;
    screen.line(format_args!("by default: {}", engine.describe()))?;
    Ok(true)
}

fn show(adapter: &wgpu::Adapter, screen: &mut Screen) -> wgloss::Result<()> {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    screen.line(format_args!("adapter: {}", adapter::describe(&info)))?;
    let subgroups = match (info.subgroup_min_size, info.subgroup_max_size) {
        (min, max) if min == max => max.to_string(),
        (min, max) => format!("{min} to {max}"),
    };
    let offered = adapter.features();
    for (name, flag) in FEATURES {
        let offered = if offered.contains(flag) { "yes" } else { "no" };
        screen.line(format_args!("  {name:32} {offered}"))?;
    }
    for (name, value) in [
        ("invocations per subgroup", subgroups),
        (
            "largest storage binding",
            mebibytes(limits.max_storage_buffer_binding_size),
        ),
        ("largest buffer", mebibytes(limits.max_buffer_size)),
        (
            "storage buffers per stage",
            limits.max_storage_buffers_per_shader_stage.to_string(),
        ),
        (
            "shared memory per workgroup",
            format!("{} KiB", limits.max_compute_workgroup_storage_size / 1024),
        ),
        (
            "invocations per workgroup",
            limits.max_compute_invocations_per_workgroup.to_string(),
        ),
        (
            "workgroups per dimension",
            limits.max_compute_workgroups_per_dimension.to_string(),
        ),
    ] {
        screen.line(format_args!("  {name:32} {value}"))?;
    }
    match Context::open(adapter, &ContextOptions::default()) {
        Ok(context) => show_families(&context, screen),
        // The others are still to be told of.
        Err(error) => screen.line(format_args!("  cannot be opened: {error}")),
    }
}

/// The kernel families, and which of them is known to be the fastest for what.
fn show_families(context: &Context, screen: &mut Screen) -> wgloss::Result<()> {
    let families = context.families().into_iter().map(wgloss::gpu::Family::id);
    let families: Vec<String> = families.collect();
    let name = "kernel families, default first";
    screen.line(format_args!("  {name:32} {}", families.join(", ")))?;
    for tuned in context.tunings() {
        if let Some(family) = tuned.family() {
            let name = format!("fastest, {}", tuned.class);
            screen.line(format_args!("  {name:32} {}", family.id()))?;
        }
    }
    Ok(())
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
