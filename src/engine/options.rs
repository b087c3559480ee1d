//! What an engine is to be made of.

use crate::{Error, Result, gpu::ContextOptions};
use std::{fmt, str::FromStr};

/// What an engine computes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Device {
    /// A hardware GPU if there is one, or else the CPU.
    #[default]
    Auto,
    /// The best adapter, a software one where there is no other; an error where there is none.
    Gpu,
    /// The CPU, all cores, in f32.
    Cpu,
    /// The CPU in f64: slow and accurate, what the others are compared with.
    Reference,
}

impl Device {
    /// The names, as [`FromStr`] takes them.
    pub const NAMES: [&str; 4] = ["auto", "gpu", "cpu", "reference"];
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "auto" => Ok(Device::Auto),
            "gpu" => Ok(Device::Gpu),
            "cpu" => Ok(Device::Cpu),
            "reference" => Ok(Device::Reference),
            _ => Err(Error::Unknown {
                what: "device".into(),
                kind: "device",
                name: name.into(),
                valid: Device::NAMES.join(", "),
            }),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Device::Auto => "auto",
            Device::Gpu => "gpu",
            Device::Cpu => "cpu",
            Device::Reference => "reference",
        })
    }
}

/// How to make an [`Engine`](super::Engine).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EngineOptions {
    /// What to compute on.
    pub device: Device,
    /// Part of the name of the adapter to take, whatever the case; also a software one.
    pub adapter: Option<String>,
    /// How a GPU is used.
    pub context: ContextOptions,
    /// The kernel family of every plan, by its name or by the ID of a plan
    /// ([`Context::pinned`](crate::gpu::Context::pinned)); by default that in the environment variable
    /// `WGLOSS_FAMILY`, or else the fastest ([`Context::tuned`](crate::gpu::Context::tuned)).
    pub family: Option<String>,
}

impl EngineOptions {
    /// Chooses the device.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// Chooses the adapter by a part of its name.
    #[must_use]
    pub fn adapter(mut self, name: impl Into<String>) -> Self {
        self.adapter = Some(name.into());
        self
    }

    /// Chooses the kernel family by its name or by the ID of a plan.
    #[must_use]
    pub fn family(mut self, id: impl Into<String>) -> Self {
        self.family = Some(id.into());
        self
    }
}
