//! How kernels are written for a device: [`Family`].

use super::{Tile, sizes::TILE};

/// Most lanes for which tiles are eight rows high.
pub(super) const NARROW: u32 = 8;

/// How kernels are written for a device. A plan's ID names it; it may change the bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Lanes own rows; candidates are broadcast from lane to lane.
    Subgroup {
        /// Invocations per workgroup, a multiple of 8.
        lanes: u32,
    },
    /// The same without subgroup operations.
    Plain {
        /// Invocations per workgroup.
        lanes: u32,
    },
    /// Tiles of scores and products in workgroup memory and registers, for GPUs. Losses that need more
    /// of a score than registers hold beside a tile read scores that tiles have stored. Other stages
    /// run as in one of the other families.
    Block {
        /// The tile.
        tile: Tile,
        /// Invocations per workgroup of the other texts.
        lanes: u32,
        /// Whether those use subgroup operations.
        subgroups: bool,
    },
}

impl Family {
    /// Invocations per workgroup.
    #[must_use]
    pub fn lanes(self) -> u32 {
        match self {
            Family::Subgroup { lanes } | Family::Plain { lanes } | Family::Block { lanes, .. } => {
                lanes
            }
        }
    }

    /// Packed rows are a multiple of this many: what a workgroup owns. Columns of each row's own
    /// have no tile, and packed rows for every slot: few rows at a time.
    #[must_use]
    pub fn row_unit(self, sampled: bool) -> u64 {
        let quads = u64::from(self.lanes()) * TILE;
        match self {
            _ if sampled => quads,
            Family::Block { tile, .. } => quads.max(u64::from(tile.rows())),
            _ if self.lanes() <= NARROW => 2 * quads,
            _ => quads,
        }
    }

    /// Whether texts that have no tile in workgroup memory use subgroup operations.
    #[must_use]
    pub fn subgroups(self) -> bool {
        match self {
            Family::Subgroup { .. } => true,
            Family::Plain { .. } => false,
            Family::Block { subgroups, .. } => subgroups,
        }
    }

    /// The name, with which plans' IDs begin.
    #[must_use]
    pub fn id(self) -> String {
        format!("{self:?}").replace([' ', '{', '}'], "")
    }
}

/// The family that is asked for, or the adapter's own.
pub(super) fn family(device: &wgpu::Device, asked: Option<Family>) -> Family {
    match asked {
        Some(Family::Block { tile, .. }) if !tile.fits(&device.limits()) => default_family(device),
        Some(family) => family,
        None => default_family(device),
    }
}

/// Tiles in workgroup memory on GPUs. On processors, for whom barriers are dear, and where tiles do
/// not fit, subgroups of at least eight lanes are broadcast among; otherwise the plain kernels.
pub(super) fn default_family(device: &wgpu::Device) -> Family {
    let info = device.adapter_info();
    let software = info.device_type == wgpu::DeviceType::Cpu;
    let has = device.features().contains(wgpu::Features::SUBGROUP);
    let subgroups = has && info.subgroup_min_size >= 8;
    let tile = match info.device_type {
        wgpu::DeviceType::IntegratedGpu => Tile::Square64,
        _ => Tile::Tall,
    };
    let lanes = info.subgroup_max_size.clamp(8, 64);
    if !software && tile.fits(&device.limits()) {
        return Family::Block {
            tile,
            lanes: if subgroups { lanes } else { 32 },
            subgroups,
        };
    }
    match subgroups {
        true => Family::Subgroup { lanes },
        false => Family::Plain {
            lanes: if software { 8 } else { 32 },
        },
    }
}

/// The families that a device can run and that are worth a try, its default first.
pub(super) fn families(device: &wgpu::Device) -> Vec<Family> {
    let mut families = vec![default_family(device)];
    let lanes = families[0].lanes();
    let subgroups = families[0].subgroups();
    if device.adapter_info().device_type != wgpu::DeviceType::Cpu {
        let tiles = (Tile::ALL.into_iter()).filter(|tile| tile.fits(&device.limits()));
        families.extend(tiles.map(|tile| Family::Block {
            tile,
            lanes,
            subgroups,
        }));
    }
    if subgroups {
        families.push(Family::Subgroup { lanes });
    }
    let mut distinct: Vec<Family> = Vec::new();
    for family in families {
        if !distinct.contains(&family) {
            distinct.push(family);
        }
    }
    // Something to compare with: slower as a rule where the others run.
    if distinct.len() == 1 && !distinct.contains(&Family::Plain { lanes }) {
        distinct.push(Family::Plain { lanes });
    }
    distinct
}
