//! Mesa's AMD driver without a GPU: compiles, and tells what came of it through
//! `VK_KHR_pipeline_executable_properties`.
#![expect(
    unsafe_code,
    reason = "every call of Vulkan is unsafe, and wgpu does not tell what pipelines became"
)]

use crate::assembly::{Block, hot_block};
use ash::{khr::pipeline_executable_properties as executable, vk};
use std::ffi::CStr;
use wgloss::gpu::compose::{FIRST_STORAGE, bindings};

/// Fewest waves per SIMD.
const WAVES: u64 = 8;
/// Least share of multiply-adds in the hot block.
const SHARE: f64 = 0.85;

/// What the compiler made of a text.
pub struct MachineCode {
    /// Vector registers.
    pub registers: u64,
    /// Registers that went to memory.
    pub spills: u64,
    /// Bytes of scratch memory.
    pub scratch: u64,
    /// Bytes of workgroup memory.
    pub workgroup_memory: u64,
    /// Waves that a SIMD has room for.
    pub waves: u64,
    /// The block with the most multiply-adds.
    pub hot: Block,
}

impl MachineCode {
    /// What is not as it should be.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.spills > 0 {
            complaints.push(format!("{} registers spilled", self.spills));
        }
        if self.scratch > 0 {
            complaints.push(format!("{} bytes of scratch", self.scratch));
        }
        if self.waves < WAVES {
            complaints.push(format!("{} waves of {WAVES}", self.waves));
        }
        if self.hot.share() < SHARE {
            complaints.push(format!("{:.1} % FMAs", 100.0 * self.hot.share()));
        }
        complaints
    }
}

/// A device of the driver. What it creates lives until the process ends.
pub struct Driver {
    device: ash::Device,
    properties: executable::Device,
    // Holds the loader's library.
    _entry: ash::Entry,
}

impl Driver {
    /// Opens the chip that the environment names.
    pub fn open(chip: &str) -> Result<Self, String> {
        // SAFETY: loading the Vulkan loader runs its constructors, which are sound.
        let entry = unsafe { ash::Entry::load() }
            .map_err(|error| format!("no Vulkan loader (Debian: libvulkan1): {error}"))?;
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_2);
        let info = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: `info` and what it points to outlive the call.
        let instance = unsafe { entry.create_instance(&info, None) }.map_err(failed("instance"))?;
        // SAFETY: the instance is alive.
        let gpus = unsafe { instance.enumerate_physical_devices() }.map_err(failed("devices"))?;
        let gpu = gpus
            .first()
            .ok_or_else(|| format!("Mesa's AMD driver does not know {chip}"))?;
        let extensions = [vk::KHR_PIPELINE_EXECUTABLE_PROPERTIES_NAME.as_ptr()];
        let mut wanted = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
            .pipeline_executable_info(true);
        let mut features = vk::PhysicalDeviceVulkan12Features::default().vulkan_memory_model(true);
        let queue = vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0]);
        let queues = [queue];
        let info = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_extension_names(&extensions)
            .push_next(&mut wanted)
            .push_next(&mut features);
        // SAFETY: `info` and what it points to outlive the call, and the GPU is the instance's.
        let device =
            unsafe { instance.create_device(*gpu, &info, None) }.map_err(failed("device"))?;
        let properties = executable::Device::new(&instance, &device);
        Ok(Driver {
            device,
            properties,
            _entry: entry,
        })
    }

    /// Compiles a text as plans do: without checks.
    pub fn compile(&self, text: &str) -> Result<MachineCode, String> {
        let pipeline = self.pipeline(text)?;
        let info = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline);
        // SAFETY: the pipeline is this device's and was made to keep its statistics.
        let statistics = unsafe { self.properties.get_pipeline_executable_statistics(&info) }
            .map_err(failed("statistics"))?;
        let number = |name: &CStr| {
            let mut known = statistics.iter();
            let found = known.find(|one| one.name_as_c_str() == Ok(name));
            let found = found.ok_or_else(|| format!("the driver does not tell {name:?}"))?;
            // SAFETY: RADV gives all of its statistics as 64-bit unsigned numbers.
            Ok::<u64, String>(unsafe { found.value.u64 })
        };
        Ok(MachineCode {
            registers: number(c"VGPRs")?,
            spills: number(c"Spilled VGPRs")? + number(c"Spilled SGPRs")?,
            scratch: number(c"Scratch size")?,
            workgroup_memory: number(c"LDS size")?,
            waves: number(c"Subgroups per SIMD")?,
            hot: hot_block(&self.assembly(&info)?),
        })
    }

    fn pipeline(&self, text: &str) -> Result<vk::Pipeline, String> {
        let spirv = spirv(text)?;
        let storage = bindings(text).len();
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let entries: Vec<_> = (0..FIRST_STORAGE + number(storage))
            .map(|binding| {
                vk::DescriptorSetLayoutBinding::default()
                    .binding(binding)
                    .descriptor_type(match binding < FIRST_STORAGE {
                        true => vk::DescriptorType::UNIFORM_BUFFER,
                        false => vk::DescriptorType::STORAGE_BUFFER,
                    })
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            })
            .collect();
        let code = vk::ShaderModuleCreateInfo::default().code(&spirv);
        let set = vk::DescriptorSetLayoutCreateInfo::default().bindings(&entries);
        // SAFETY: naga validated the text, the layout has its bindings, and every structure outlives
        // the calls that read it.
        unsafe {
            let module = self.device.create_shader_module(&code, None);
            let module = module.map_err(failed("module"))?;
            let set = self.device.create_descriptor_set_layout(&set, None);
            let sets = [set.map_err(failed("layout"))?];
            let layout = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
            let layout = self.device.create_pipeline_layout(&layout, None);
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(c"main");
            let kept = vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
                | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR;
            let info = vk::ComputePipelineCreateInfo::default()
                .flags(kept)
                .layout(layout.map_err(failed("layout"))?)
                .stage(stage);
            let made =
                self.device
                    .create_compute_pipelines(vk::PipelineCache::null(), &[info], None);
            let made = made.map_err(|(_, error)| failed("pipeline")(error))?;
            made.first().copied().ok_or_else(|| "no pipeline".into())
        }
    }

    fn assembly(&self, info: &vk::PipelineExecutableInfoKHR<'_>) -> Result<String, String> {
        let read = self
            .properties
            .fp()
            .get_pipeline_executable_internal_representations_khr;
        let device = self.device.handle();
        let mut count = 0;
        // SAFETY: without a place for them the driver tells only how many there are.
        unsafe { read(device, info, &mut count, std::ptr::null_mut()) }
            .result()
            .map_err(failed("representations"))?;
        let mut found = vec![Default::default(); count as usize];
        // SAFETY: there is room for as many as were told; without places for texts it tells sizes.
        unsafe { read(device, info, &mut count, found.as_mut_ptr()) }
            .result()
            .map_err(failed("representations"))?;
        let mut texts: Vec<Vec<u8>> = (found.iter())
            .map(|one: &vk::PipelineExecutableInternalRepresentationKHR<'_>| vec![0; one.data_size])
            .collect();
        for (one, text) in found.iter_mut().zip(&mut texts) {
            one.p_data = text.as_mut_ptr().cast();
        }
        // SAFETY: each text has the size that was told, and `texts` outlives the call.
        unsafe { read(device, info, &mut count, found.as_mut_ptr()) }
            .result()
            .map_err(failed("representations"))?;
        let place = found
            .iter()
            .position(|one| one.name_as_c_str() == Ok(c"Assembly"));
        let place = place.ok_or("the driver gives no assembly")?;
        let text = String::from_utf8_lossy(&texts[place]);
        Ok(text.trim_end_matches('\0').to_owned())
    }
}

fn failed(what: &str) -> impl Fn(vk::Result) -> String {
    move |error| format!("{what}: {error}")
}

/// The text as SPIR-V, without checks.
fn spirv(text: &str) -> Result<Vec<u32>, String> {
    use naga::{back::spv, front::wgsl, proc::BoundsCheckPolicies, valid};
    let module = wgsl::parse_str(text).map_err(|error| error.emit_to_string(text))?;
    let all = valid::Capabilities::all();
    let info = valid::Validator::new(valid::ValidationFlags::all(), all)
        .validate(&module)
        .map_err(|error| error.emit_to_string(text))?;
    let options = spv::Options {
        lang_version: (1, 3),
        flags: spv::WriterFlags::empty(),
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: false,
        bounds_check_policies: BoundsCheckPolicies::default(),
        ..Default::default()
    };
    spv::write_vec(&module, &info, &options, None).map_err(|error| error.to_string())
}
