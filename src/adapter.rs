//! The adapters of this machine, and which of them an engine takes.

use crate::{Error, Result};
use wgpu::{AdapterInfo, DeviceType};

/// All adapters that the machine's drivers offer; empty where there is no driver.
///
/// wgpu's environment variables (`WGPU_BACKEND`, …) are honoured.
#[must_use]
pub fn adapters() -> Vec<wgpu::Adapter> {
    let options = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    let instance = wgpu::Instance::new(options);
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
}

/// Whether the adapter is hardware, and not a program that plays one.
#[must_use]
pub fn is_hardware(info: &AdapterInfo) -> bool {
    info.device_type != DeviceType::Cpu
}

/// One line that tells the adapter from its neighbours.
#[must_use]
pub fn describe(info: &AdapterInfo) -> String {
    let kind = match info.device_type {
        DeviceType::DiscreteGpu => "discrete GPU",
        DeviceType::IntegratedGpu => "integrated GPU",
        DeviceType::VirtualGpu => "virtual GPU",
        DeviceType::Cpu => "software",
        DeviceType::Other => "unknown kind",
    };
    let mut line = format!("{} ({kind}, {}", info.name, info.backend);
    // Drivers differ in which of the two they fill.
    for part in [&info.driver, &info.driver_info] {
        if !part.is_empty() {
            line.push_str(", ");
            line.push_str(part);
        }
    }
    line.push(')');
    line
}

/// The place in `infos` of the adapter to take: the one whose name contains `name` (whatever the
/// case), or else the best: discrete before integrated before virtual before unknown before
/// software, and the first among equals.
///
/// # Errors
/// [`Error::NoAdapter`], with what there is.
pub fn pick(infos: &[AdapterInfo], name: Option<&str>) -> Result<usize> {
    let wanted = name.map(str::to_lowercase);
    let matches = |info: &AdapterInfo| match &wanted {
        None => true,
        Some(wanted) => info.name.to_lowercase().contains(wanted),
    };
    let best = infos
        .iter()
        .enumerate()
        .filter(|(_, info)| matches(info))
        .min_by_key(|(_, info)| rank(info.device_type));
    if let Some((place, _)) = best {
        return Ok(place);
    }
    let Some(name) = name else {
        return Err(Error::NoAdapter(
            "no driver for Vulkan, Metal or DX12 answers; `wgloss info` lists what there is".into(),
        ));
    };
    let names: Vec<&str> = infos.iter().map(|info| info.name.as_str()).collect();
    Err(Error::NoAdapter(format!(
        "none has a name containing `{name}`; there {}",
        match names.len() {
            0 => "is none at all".to_string(),
            1 => format!("is {}", names[0]),
            _ => format!("are {}", names.join(", ")),
        }
    )))
}

fn rank(kind: DeviceType) -> u8 {
    match kind {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, kind: DeviceType) -> AdapterInfo {
        let mut info = AdapterInfo::new(kind, wgpu::Backend::Vulkan);
        info.name = name.into();
        info
    }

    #[test]
    fn hardware_comes_first_and_a_name_beats_it() {
        let infos = [
            info("llvmpipe", DeviceType::Cpu),
            info("Small", DeviceType::IntegratedGpu),
            info("Big One", DeviceType::DiscreteGpu),
            info("Big Two", DeviceType::DiscreteGpu),
        ];
        assert_eq!(pick(&infos, None).unwrap(), 2);
        assert_eq!(pick(&infos, Some("PIPE")).unwrap(), 0);
        assert_eq!(pick(&infos, Some("two")).unwrap(), 3);
        assert_eq!(pick(&infos[..1], None).unwrap(), 0);
    }

    #[test]
    fn a_missing_adapter_is_an_error_that_lists_the_others() {
        let infos = [info("Small", DeviceType::IntegratedGpu)];
        let message = pick(&infos, Some("big")).unwrap_err().to_string();
        assert!(
            message.contains("`big`") && message.contains("Small"),
            "{message}"
        );
        assert!(matches!(pick(&[], None), Err(Error::NoAdapter(_))));
    }
}
