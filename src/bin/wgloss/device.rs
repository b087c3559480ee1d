//! `--device` and `--adapter`, the same for every command that computes.

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use wgloss::{Device, Engine, EngineOptions, Result};

/// What to compute on.
#[derive(Args)]
pub struct DeviceArguments {
    /// What to compute on; auto takes a hardware GPU, or else the CPU
    #[arg(
        long,
        default_value_t = Device::Auto,
        value_parser = PossibleValuesParser::new(Device::NAMES).try_map(|name| name.parse::<Device>())
    )]
    device: Device,
    /// Take the adapter whose name contains NAME (see `wgloss info`)
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Run this kernel family instead of the fastest: its name, or the ID of a plan it was in (see
    /// `wgloss info`)
    #[arg(long, value_name = "ID")]
    family: Option<String>,
}

impl DeviceArguments {
    /// The engine that was asked for.
    pub fn engine(&self) -> Result<Engine> {
        let mut options = EngineOptions::default().device(self.device);
        if let Some(name) = &self.adapter {
            options = options.adapter(name);
        }
        if let Some(id) = &self.family {
            options = options.family(id);
        }
        Engine::with_options(&options)
    }
}
