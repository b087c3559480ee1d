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
const UNROLL: u32 = 64;
/// What a chain is multiplied with, and what is added.
const SCALE: f32 = 0.999;
const OFFSET: f32 = 0.001;
/// A timed run takes at least this long, seconds: far longer than a submission, and short enough
/// that some are undisturbed on a busy machine.
const LEAST: f64 = 0.016;
/// How often a kernel is timed, in turn with the others; the best counts.
const REPEATS: usize = 24;
/// Shapes: numbers of a chain, chains, invocations of a workgroup.
const SHAPES: [[u32; 3]; 10] = [
    [1, 8, 64],
    [1, 12, 64],
    [1, 24, 64],
    [4, 2, 64],
    [4, 3, 64],
    [4, 6, 64],
    [1, 12, 8],
    [4, 3, 8],
    [1, 12, 256],
    [4, 3, 256],
];
/// The largest relative error of a chain. Whether a multiply-add rounds once or twice is up to the
/// driver; the chains contract, so nothing accumulates.
const TOLERANCE: f32 = 1e-4;

/// All kernels, and their rates.
pub(super) fn peaks(context: &Context) -> Result<(Vec<Kernel<'_>>, Vec<Peak>)> {
    let kernels = SHAPES.map(|shape| Kernel::new(context, shape));
    let mut kernels = kernels.into_iter().collect::<Result<Vec<_>>>()?;
    for kernel in &mut kernels {
        kernel.calibrate()?;
    }
    for _ in 0..REPEATS {
        for kernel in &mut kernels {
            kernel.seconds = kernel.seconds.min(kernel.run()?);
        }
    }
    let peaks = kernels.iter().map(Kernel::peak).collect::<Result<_>>()?;
    Ok((kernels, peaks))
}

/// A kernel with its buffers.
pub(super) struct Kernel<'a> {
    context: &'a Context,
    shape: [u32; 3],
    /// Rounds of a run.
    rounds: u32,
    /// The shortest run.
    seconds: f64,
    pipeline: wgpu::ComputePipeline,
    numbers: wgpu::Buffer,
    sums: wgpu::Buffer,
    group: wgpu::BindGroup,
}

impl<'a> Kernel<'a> {
    fn new(context: &'a Context, shape: [u32; 3]) -> Result<Self> {
        context.guarded("a loop of multiply-adds", || {
            let device = context.device();
            let module = module(device, shape);
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
                rounds: 4,
                seconds: f64::INFINITY,
                pipeline,
                numbers,
                sums,
                group,
            }
        })
    }

    /// Finds how many rounds are long enough.
    fn calibrate(&mut self) -> Result<()> {
        let mut seconds = self.run()?;
        while seconds < LEAST && self.rounds < 1 << 24 {
            // The first run may be slow for other reasons, so grow with care.
            self.rounds *= ((LEAST / seconds).ceil() as u32).clamp(2, 16);
            seconds = self.run()?;
        }
        Ok(())
    }

    /// FLOP of a run.
    fn flops(&self) -> f64 {
        let [width, chains, _] = self.shape;
        let per_round = 2 * u64::from(INVOCATIONS) * u64::from(width * chains * UNROLL);
        per_round as f64 * f64::from(self.rounds)
    }

    /// FLOP per second of one run.
    pub(super) fn rate(&mut self) -> Result<f64> {
        Ok(self.flops() / self.run()?)
    }

    /// The best rate, if the last run's result is right.
    fn peak(&self) -> Result<Peak> {
        self.check()?;
        let [width, chains, workgroup] = self.shape;
        Ok(Peak {
            flops: self.flops() / self.seconds,
            what: format!(
                "multiply-adds of {chains} × {}, workgroups of {workgroup}",
                if width == 1 { "f32" } else { "vec4" },
            ),
        })
    }

    /// Seconds from the submission to its end.
    fn run(&self) -> Result<f64> {
        let queue = self.context.queue();
        let numbers = [self.rounds, SCALE.to_bits(), OFFSET.to_bits()];
        queue.write_buffer(&self.numbers, 0, bytemuck::cast_slice(&numbers));
        let mut encoder = (self.context.device()).create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.group, &[]);
            pass.dispatch_workgroups(INVOCATIONS / self.shape[2], 1, 1);
        }
        let start = Instant::now();
        let submission = queue.submit([encoder.finish()]);
        self.context.wait(Some(submission))?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// Compares what the last run left with the same loop on the host: a kernel that was cut short
    /// would be fast.
    fn check(&self) -> Result<()> {
        let words = read_back(self.context, &[Slice::whole(&self.sums)])?;
        let sums = words[0].iter().map(|word| f32::from_bits(*word));
        let [width, chains, _] = self.shape;
        for (id, sum) in sums.enumerate().step_by(INVOCATIONS as usize / 64) {
            let starts = (0..chains * width).map(|number| start(id as u32, number, width));
            let expected: f32 = starts
                .map(|start| after(start, self.rounds.saturating_mul(UNROLL)))
                .sum();
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

/// Without the checks that release kernels do without.
fn module(device: &wgpu::Device, shape: [u32; 3]) -> wgpu::ShaderModule {
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some("peak"),
        source: wgpu::ShaderSource::Wgsl(text(shape).into()),
    };
    #[expect(
        unsafe_code,
        reason = "wgpu's call for modules without injected checks is unsafe"
    )]
    // SAFETY: the loop counts up to a number, and the buffers have room for three numbers and for as
    // many sums as there are invocations, a multiple of every workgroup's.
    unsafe {
        device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
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
fn text([width, chains, workgroup]: [u32; 3]) -> String {
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
