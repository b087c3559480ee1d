//! What an adapter does at most: loops of multiply-adds in registers, in several shapes, because
//! adapters differ in which of them they run best. Software Vulkan wants independent chains of
//! vectors and no more of them than there are registers.

use super::Peak;
use crate::{
    Error, Result,
    gpu::{Context, Slice, read_back},
};
use std::{fmt::Write, time::Instant};

/// Invocations in all.
const INVOCATIONS: u32 = 1 << 18;
/// Multiply-adds of a chain per round: how far the loop is unrolled.
const UNROLL: u32 = 16;
/// What a chain is multiplied with, and what is added.
const SCALE: f32 = 0.999;
const OFFSET: f32 = 0.001;
/// A timed run takes at least this long, seconds: far longer than a submission, and short enough
/// that some are undisturbed on a busy machine.
const LEAST: f64 = 0.008;
/// How often a kernel is timed; the best counts.
const REPEATS: usize = 16;
/// Shapes: numbers of a chain, chains.
const SHAPES: [[u32; 2]; 6] = [[1, 8], [1, 12], [1, 24], [4, 2], [4, 3], [4, 6]];
/// The workgroup that shapes are compared with, and the others that the best is tried with.
const WORKGROUP: u32 = 64;
const OTHER_WORKGROUPS: [u32; 2] = [8, 256];
/// The largest relative error of a chain. Whether a multiply-add rounds once or twice is up to the
/// driver; the chains contract, so nothing accumulates.
const TOLERANCE: f32 = 1e-4;

/// All kernels.
pub(super) fn peaks(context: &Context) -> Result<Vec<Peak>> {
    let mut peaks = Vec::new();
    let mut best = (0.0, SHAPES[0]);
    for shape in SHAPES {
        let peak = Kernel::new(context, shape, WORKGROUP)?.peak()?;
        if peak.flops > best.0 {
            best = (peak.flops, shape);
        }
        peaks.push(peak);
    }
    for workgroup in OTHER_WORKGROUPS {
        peaks.push(Kernel::new(context, best.1, workgroup)?.peak()?);
    }
    Ok(peaks)
}

/// A kernel with its buffers.
struct Kernel<'a> {
    context: &'a Context,
    shape: [u32; 2],
    workgroup: u32,
    pipeline: wgpu::ComputePipeline,
    numbers: wgpu::Buffer,
    sums: wgpu::Buffer,
    group: wgpu::BindGroup,
}

impl<'a> Kernel<'a> {
    fn new(context: &'a Context, shape: [u32; 2], workgroup: u32) -> Result<Self> {
        context.guarded("a loop of multiply-adds", || {
            let device = context.device();
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some("peak"),
                source: wgpu::ShaderSource::Wgsl(text(shape, workgroup).into()),
            });
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some("peak"),
                layout: None,
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            });
            let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
            let numbers = context.buffer("numbers", 12, usage);
            let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
            let sums = context.buffer("sums", u64::from(INVOCATIONS) * 4, usage);
            let entries = [&numbers, &sums].map(wgpu::Buffer::as_entire_binding);
            let entries: Vec<_> = (0..)
                .zip(entries)
                .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
                .collect();
            let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("peak"),
                layout: &pipeline.get_bind_group_layout(0),
                entries: &entries,
            });
            Kernel {
                context,
                shape,
                workgroup,
                pipeline,
                numbers,
                sums,
                group,
            }
        })
    }

    /// The best rate of several runs that are long enough.
    fn peak(&self) -> Result<Peak> {
        let mut rounds = 4;
        let mut seconds = self.run(rounds)?;
        while seconds < LEAST && rounds < 1 << 24 {
            // The first run may be slow for other reasons, so grow with care.
            rounds *= ((LEAST / seconds).ceil() as u32).clamp(2, 16);
            seconds = self.run(rounds)?;
        }
        for _ in 1..REPEATS {
            seconds = seconds.min(self.run(rounds)?);
        }
        self.check(rounds)?;
        let [width, chains] = self.shape;
        let per_round = 2 * u64::from(INVOCATIONS) * u64::from(width * chains * UNROLL);
        Ok(Peak {
            flops: per_round as f64 * f64::from(rounds) / seconds,
            what: format!(
                "multiply-adds of {chains} × {}, workgroups of {}",
                if width == 1 { "f32" } else { "vec4" },
                self.workgroup
            ),
        })
    }

    /// Seconds from the submission to its end.
    fn run(&self, rounds: u32) -> Result<f64> {
        let queue = self.context.queue();
        let numbers = [rounds, SCALE.to_bits(), OFFSET.to_bits()];
        queue.write_buffer(&self.numbers, 0, bytemuck::cast_slice(&numbers));
        let mut encoder = (self.context.device()).create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.group, &[]);
            pass.dispatch_workgroups(INVOCATIONS / self.workgroup, 1, 1);
        }
        let start = Instant::now();
        let submission = queue.submit([encoder.finish()]);
        self.context.wait(Some(submission))?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// Compares what the last run left with the same loop on the host: a kernel that was cut short
    /// would be fast.
    fn check(&self, rounds: u32) -> Result<()> {
        let words = read_back(self.context, &[Slice::whole(&self.sums)])?;
        let sums = words[0].iter().map(|word| f32::from_bits(*word));
        let [width, chains] = self.shape;
        for (id, sum) in sums.enumerate().step_by(INVOCATIONS as usize / 64) {
            let starts = (0..chains * width).map(|number| start(id as u32, number, width));
            let expected: f32 = starts.map(|start| after(start, rounds * UNROLL)).sum();
            // Written so that a NaN fails.
            let good = (sum - expected).abs() <= TOLERANCE * expected.abs();
            if !good {
                return Err(Error::Gpu(format!(
                    "a loop of multiply-adds gave {sum} instead of {expected}"
                )));
            }
        }
        Ok(())
    }
}

/// Where a number of a chain begins: all differ, or they would be computed once.
fn start(id: u32, number: u32, width: u32) -> f32 {
    let (chain, component) = (number / width, number % width);
    (id % 1024 + 1) as f32 * 0.01 + chain as f32 + component as f32 * 0.25
}

/// A chain after some steps. Past a few ten thousand it does not change any more.
fn after(start: f32, steps: u32) -> f32 {
    let settled = steps.min(1 << 15);
    (0..settled).fold(start, |chain, _| chain.mul_add(SCALE, OFFSET))
}

/// The kernel, every chain a variable of its own. Factors come from a buffer, so that the compiler
/// cannot fold steps.
fn text([width, chains]: [u32; 2], workgroup: u32) -> String {
    let (vector, components) = match width {
        1 => ("f32", "0.0"),
        _ => ("vec4<f32>", "vec4<f32>(0.0, 0.25, 0.5, 0.75)"),
    };
    let mut text = format!(
        "@group(0) @binding(0) var<storage, read> numbers: array<u32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
@compute @workgroup_size({workgroup})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    let scale = {vector}(bitcast<f32>(numbers[1]));
    let offset = {vector}(bitcast<f32>(numbers[2]));
    let start = {vector}(f32(id.x % 1024u + 1u) * 0.01) + {components};
"
    );
    // Writing to a string cannot fail.
    for chain in 0..chains {
        let _ = writeln!(text, "    var chain_{chain} = start + {vector}({chain}.0);");
    }
    text += "    for (var round = 0u; round < numbers[0]; round++) {\n";
    for _ in 0..UNROLL {
        for chain in 0..chains {
            let _ = writeln!(text, "chain_{chain} = fma(chain_{chain}, scale, offset);");
        }
    }
    text += "    }\n    var sum = 0.0;\n";
    for chain in 0..chains {
        let _ = match width {
            1 => writeln!(text, "    sum += chain_{chain};"),
            _ => writeln!(text, "    sum += dot(chain_{chain}, vec4<f32>(1.0));"),
        };
    }
    text + "    sums[id.x] = sum;\n}\n"
}
