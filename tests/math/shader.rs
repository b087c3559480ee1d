//! `shaders/shared/math.wgsl`, run on the default adapter.

use super::{Case, Worst, angles, case, exact, sweep};
use wgpu::util::DeviceExt;

const SOURCE: &str = include_str!("../../shaders/shared/math.wgsl");
/// Second arguments of `exact_atan2`: fixed, so that every function tested has one argument.
const ABSCISSAS: [f32; 4] = [1.0, -0.3, 2.7, -1e-3];

/// The call in WGSL, what it should give and where, and its bound in ulp.
fn rows() -> Vec<(String, Case, f64)> {
    let top = 2f32.powi(126);
    let call = |case: Case, bound| (format!("{}(x)", case.name), case, bound);
    let mut rows = vec![
        call(case("exact_exp", -f32::MAX, 88.72, f64::exp), 1.5),
        call(case("exact_expm1", -f32::MAX, 88.0, f64::exp_m1), 2.5),
        call(case("exact_log", f32::MIN_POSITIVE, f32::MAX, f64::ln), 1.5),
        call(case("exact_log1p", -0.999_999_9, top, f64::ln_1p), 2.0),
        call(case("exact_log1p_unit", 0.0, 1.0, f64::ln_1p), 2.0),
        call(case("exact_tanh", -f32::MAX, f32::MAX, f64::tanh), 3.0),
        call(case("exact_atan", -top, top, f64::atan), 2.0),
        call(case("exact_sin", -0.785, 0.785, f64::sin), 1.5),
        call(case("exact_cos", -0.785, 0.785, f64::cos), 1.5),
        call(case("softplus", -f32::MAX, f32::MAX, exact::softplus), 2.5),
        call(case("sigmoid", -f32::MAX, f32::MAX, exact::sigmoid), 2.5),
        call(
            case("log_sigmoid", -f32::MAX, f32::MAX, exact::log_sigmoid),
            2.5,
        ),
    ];
    let angles: [fn(f64) -> f64; 4] = [
        |y| y.atan2(f64::from(ABSCISSAS[0])),
        |y| y.atan2(f64::from(ABSCISSAS[1])),
        |y| y.atan2(f64::from(ABSCISSAS[2])),
        |y| y.atan2(f64::from(ABSCISSAS[3])),
    ];
    for (abscissa, angle) in ABSCISSAS.into_iter().zip(angles) {
        let call = format!("exact_atan2(x, f32({abscissa:e}))");
        rows.push((call, case("exact_atan2", -1e35, 1e35, angle), 2.0));
    }
    rows
}

/// One entry point that applies the function of the given number to every argument.
fn program(calls: &[String]) -> String {
    let arms = calls.iter().enumerate();
    let arms: String = arms
        .map(|(i, call)| format!("case {i}u: {{ y = {call}; }}\n"))
        .collect();
    format!(
        "{SOURCE}
        @group(0) @binding(0) var<uniform> chosen: u32;
        @group(0) @binding(1) var<storage, read> arguments: array<f32>;
        @group(0) @binding(2) var<storage, read_write> results: array<f32>;
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            if id.x >= arrayLength(&arguments) {{ return; }}
            let x = arguments[id.x];
            var y = 0.0;
            switch chosen {{ {arms} default: {{}} }}
            results[id.x] = y;
        }}"
    )
}

/// A device and the pipeline of `program`.
struct Runner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::ComputePipeline,
}

impl Runner {
    fn new(calls: &[String]) -> Self {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let adapter = pollster::block_on(instance.request_adapter(&Default::default()))
            .expect("this test needs an adapter; a software Vulkan driver is enough");
        println!("{}", adapter.get_info().name);
        let (device, queue) = pollster::block_on(adapter.request_device(&Default::default()))
            .expect("the adapter gives no device");
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(program(calls).into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: Default::default(),
            cache: None,
        });
        Self {
            device,
            queue,
            pipeline,
        }
    }

    fn buffer<T: bytemuck::Pod>(&self, contents: &[T], usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device
            .create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: None,
                contents: bytemuck::cast_slice(contents),
                usage,
            })
    }

    /// The results of one function for all arguments, in a buffer that held NaN before.
    fn run(&self, function: u32, arguments: &[f32]) -> Vec<f32> {
        use wgpu::BufferUsages as Usage;
        let nan = vec![f32::NAN; arguments.len()];
        let results = self.buffer(&nan, Usage::STORAGE | Usage::COPY_SRC);
        let download = self.buffer(&nan, Usage::MAP_READ | Usage::COPY_DST);
        let buffers = [
            self.buffer(&[function], Usage::UNIFORM),
            self.buffer(arguments, Usage::STORAGE),
            results.clone(),
        ];
        let entries = (0..)
            .zip(&buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            });
        let entries: Vec<_> = entries.collect();
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups((arguments.len() as u32).div_ceil(64), 1, 1);
        }
        encoder.copy_buffer_to_buffer(&results, 0, &download, 0, results.size());
        self.queue.submit([encoder.finish()]);
        download.map_async(wgpu::MapMode::Read, .., |mapped| {
            mapped.expect("mapping the results");
        });
        self.device
            .poll(wgpu::PollType::wait_indefinitely())
            .expect("waiting for the device");
        let view = download
            .get_mapped_range(..)
            .expect("the results are mapped");
        bytemuck::pod_collect_to_vec(&view[..])
    }
}

#[test]
fn shader_functions_are_within_their_bounds() {
    let rows = rows();
    let calls: Vec<String> = rows.iter().map(|(call, ..)| call.clone()).collect();
    let runner = Runner::new(&calls);
    for (function, (_, case, bound)) in (0..).zip(&rows) {
        let arguments: Vec<f32> = sweep(case.low, case.high, 9973).collect();
        let results = runner.run(function, &arguments);
        let mut worst = Worst::new();
        for (&x, &result) in arguments.iter().zip(&results) {
            worst.record(x, result, (case.exact)(f64::from(x)));
        }
        worst.check(case.name, *bound);
    }
}

/// Away from 0 the error that counts is absolute.
#[test]
fn shader_sines_are_within_their_bound() {
    let runner = Runner::new(&["exact_sin(x)".to_owned(), "exact_cos(x)".to_owned()]);
    let arguments: Vec<f32> = angles().collect();
    for (function, exact) in [(0, f64::sin as fn(f64) -> f64), (1, f64::cos)] {
        let results = runner.run(function, &arguments);
        for (&x, &result) in arguments.iter().zip(&results) {
            let error = (f64::from(result) - exact(f64::from(x))).abs();
            assert!(error <= 1e-7, "function {function} at {x}: {error:e}");
        }
    }
}

#[test]
fn shader_functions_stay_finite_at_the_edges() {
    let max = f32::MAX;
    let expected = [
        ("exact_exp(x)", -max, 0.0),
        ("exact_exp(x)", 0.0, 1.0),
        ("exact_expm1(x)", -max, -1.0),
        ("exact_expm1(x)", 0.0, 0.0),
        ("exact_log(x)", 0.0, -max),
        ("exact_log(x)", 1.0, 0.0),
        ("exact_log1p(x)", -1.0, -max),
        ("exact_log1p(x)", 0.0, 0.0),
        ("exact_tanh(x)", max, 1.0),
        ("exact_tanh(x)", -max, -1.0),
        ("exact_atan2(x, 0.0 * x)", 0.0, 0.0),
        ("softplus(x)", max, max),
        ("softplus(x)", -max, 0.0),
        ("sigmoid(x)", max, 1.0),
        ("sigmoid(x)", -max, 0.0),
        ("log_sigmoid(x)", -max, -max),
    ];
    let calls: Vec<String> = expected
        .iter()
        .map(|(call, ..)| (*call).to_owned())
        .collect();
    let runner = Runner::new(&calls);
    for (function, (call, x, value)) in (0..).zip(expected) {
        assert_eq!(runner.run(function, &[x]), [value], "{call} at {x}");
    }
    let largest = Runner::new(&["exact_exp(x)".to_owned()]).run(0, &[100.0, max]);
    assert!(
        largest.iter().all(|y| y.is_finite() && *y > 3.3e38),
        "{largest:?}"
    );
}

#[test]
fn shader_source_is_valid_on_its_own() {
    let module = naga::front::wgsl::parse_str(SOURCE).expect("math.wgsl parses");
    let flags = naga::valid::ValidationFlags::all();
    naga::valid::Validator::new(flags, naga::valid::Capabilities::empty())
        .validate(&module)
        .expect("math.wgsl is valid without optional capabilities");
}
