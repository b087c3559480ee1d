//! A text through naga: validation, then the languages of Vulkan, Metal and DX12.

use naga::{
    back::{hlsl, msl, spv},
    front::wgsl,
    valid::{Capabilities, ModuleInfo, ValidationFlags, Validator},
};

/// Panics, naming the text, where anything refuses it.
pub fn check(label: &str, text: &str) {
    let module = wgsl::parse_str(text)
        .unwrap_or_else(|error| panic!("{label}: {}", error.emit_to_string(text)));
    // Reading f16 from words is part of WGSL and of every backend.
    // Where devices have 64-bit integers, texts for narrow subgroups load them.
    let capabilities = Capabilities::SUBGROUP
        | Capabilities::SHADER_FLOAT16_IN_FLOAT32
        | Capabilities::SHADER_INT64;
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    let info = validator
        .validate(&module)
        .unwrap_or_else(|error| panic!("{label}: {}", error.emit_to_string(text)));
    spirv(label, &module, &info);
    metal(label, &module, &info);
    direct_x(label, &module, &info);
}

fn spirv(label: &str, module: &naga::Module, info: &ModuleInfo) {
    let options = spv::Options {
        // Subgroup operations are part of SPIR-V 1.3.
        lang_version: (1, 3),
        ..Default::default()
    };
    let words = spv::write_vec(module, info, &options, None)
        .unwrap_or_else(|error| panic!("{label}: SPIR-V: {error}"));
    assert_eq!(words[0], 0x0723_0203, "{label}");
}

fn metal(label: &str, module: &naga::Module, info: &ModuleInfo) {
    let options = msl::Options {
        lang_version: (2, 4),
        ..Default::default()
    };
    let (text, _) = msl::write_string(module, info, &options, &Default::default())
        .unwrap_or_else(|error| panic!("{label}: MSL: {error}"));
    assert!(text.contains("kernel void main_"), "{label}");
}

fn direct_x(label: &str, module: &naga::Module, info: &ModuleInfo) {
    let options = hlsl::Options {
        shader_model: hlsl::ShaderModel::V6_0,
        ..Default::default()
    };
    let pipeline = hlsl::PipelineOptions::default();
    let mut text = String::new();
    hlsl::Writer::new(&mut text, &options, &pipeline)
        .write(module, info, None)
        .unwrap_or_else(|error| panic!("{label}: HLSL: {error}"));
    assert!(text.contains("numthreads"), "{label}");
}
