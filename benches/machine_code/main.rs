//! What machine code real GPUs get: the block family's stages, compiled by Mesa's AMD compiler for a
//! chip that need not be there. Nothing runs.
//!
//! ```text
//! cargo bench --bench machine_code                      # NAVI21 (RDNA2) and GFX1100 (RDNA3)
//! cargo bench --bench machine_code -- NAVI21
//! ```
//!
//! Prints a line per text and tile, and fails where a stage spills, uses scratch memory, leaves room
//! for fewer than eight waves per SIMD, or has less than 85 % multiply-adds in its hot block.

mod assembly;
mod driver;
mod texts;

use driver::{Driver, MachineCode};
use std::{path::PathBuf, process::Command, process::ExitCode};
use texts::Kernel;

/// Chips that are asked for by default.
const CHIPS: [&str; 2] = ["NAVI21", "GFX1100"];
/// Names the chip to Mesa's driver, which reads it when it is loaded.
const CHIP: &str = "RADV_FORCE_FAMILY";
/// Where loaders look for drivers.
const DRIVERS: [&str; 3] = [
    "/usr/share/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
    "/etc/vulkan/icd.d",
];

fn main() -> ExitCode {
    let result = match std::env::var(CHIP) {
        Ok(chip) => table(&chip),
        Err(_) => every_chip(),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("machine_code: {message}");
            ExitCode::FAILURE
        }
    }
}

/// A process of its own per chip.
fn every_chip() -> Result<bool, String> {
    // Cargo's own arguments begin with dashes.
    let mut chips: Vec<String> = std::env::args().skip(1).collect();
    chips.retain(|argument| !argument.starts_with('-'));
    if chips.is_empty() {
        chips = CHIPS.map(String::from).to_vec();
    }
    let driver =
        manifest().ok_or("Mesa's AMD driver is not installed (Debian: mesa-vulkan-drivers)")?;
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut good = true;
    for chip in chips {
        let status = Command::new(&own)
            .env(CHIP, &chip)
            .env("VK_DRIVER_FILES", &driver)
            .env("VK_ICD_FILENAMES", &driver)
            .env("MESA_SHADER_CACHE_DISABLE", "true")
            .status()
            .map_err(|error| error.to_string())?;
        good &= status.success();
    }
    Ok(good)
}

/// The file that tells the loader of Mesa's AMD driver.
fn manifest() -> Option<PathBuf> {
    let files = DRIVERS
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok());
    let mut files = files.flatten().flatten().map(|entry| entry.path());
    files.find(|file| {
        let name = file.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("radeon_icd") && name.ends_with(".json"))
    })
}

/// The table of one chip, and whether every stage is as it should be.
fn table(chip: &str) -> Result<bool, String> {
    let driver = Driver::open(chip)?;
    println!(
        "\n{chip}\n| tile | rows as | stage | of | VGPRs | spills | scratch | LDS | waves per SIMD | hot block | FMA |\n\
         |---|---|---|---|---|---|---|---|---|---|---|"
    );
    let mut good = true;
    for kernel in texts::kernels()? {
        let code = driver.compile(&kernel.text)?;
        println!("{}", line(&kernel, &code));
        let complaints = code.complaints();
        if !complaints.is_empty() {
            println!("  fails: {}", complaints.join(", "));
            good = false;
        }
    }
    Ok(good)
}

fn line(kernel: &Kernel, code: &MachineCode) -> String {
    format!(
        "| {} × {} | {:?} | `{}` | {} | {} | {} | {} B | {} B | {} | {} instructions | {:.1} % |",
        kernel.tile.rows(),
        kernel.tile.columns(),
        kernel.storage,
        kernel.stage.name(),
        kernel.serves(),
        code.registers,
        code.spills,
        code.scratch,
        code.workgroup_memory,
        code.waves,
        code.hot.instructions,
        100.0 * code.hot.share(),
    )
}
