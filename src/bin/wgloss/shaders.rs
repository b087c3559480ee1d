//! `wgloss shaders`: the final text of every shader.

use crate::{Outcome, losses::label, screen::Screen};
use clap::ValueEnum;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use wgloss::{
    AnyLoss, ColumnKind, DynLoss, Error, Result, Shape,
    gpu::{Family, PlanOptions, Stage, TableLayouts, Tile, estimate, shader_texts, sizes::Limits},
    loss::registry,
};

/// Write the final WGSL of every stage of a plan, a file LOSS-D-STAGE.wgsl for each different text.
///
/// Plans are for 1,024 rows and 10,000 candidates with both gradients; no adapter is needed.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder for the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Loss; by default all of them
    #[arg(long, value_name = "LOSS")]
    loss: Option<String>,
    /// Width D of the embeddings
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    dim: u16,
    /// How kernels are written
    #[arg(long, value_enum, default_value_t = Kernels::Block)]
    family: Kernels,
    /// Tile of the block family, rows x columns
    #[arg(long, value_enum, default_value_t = TileName::Tall)]
    tile: TileName,
}

/// The families, for devices with subgroups of 32.
#[derive(Clone, Copy, ValueEnum)]
enum Kernels {
    /// Tiles in workgroup memory, for GPUs
    Block,
    /// Lanes own rows, candidates are broadcast
    Subgroup,
    /// The same without subgroup operations
    Plain,
}

#[derive(Clone, Copy, ValueEnum)]
enum TileName {
    #[value(name = "64x64")]
    Square64,
    #[value(name = "128x64")]
    Tall,
    #[value(name = "128x128")]
    Square128,
}

impl Arguments {
    fn family(&self) -> Family {
        let lanes = 32;
        match self.family {
            Kernels::Block => Family::Block {
                tile: match self.tile {
                    TileName::Square64 => Tile::Square64,
                    TileName::Tall => Tile::Tall,
                    TileName::Square128 => Tile::Square128,
                },
                lanes,
                subgroups: true,
            },
            Kernels::Subgroup => Family::Subgroup { lanes },
            Kernels::Plain => Family::Plain { lanes },
        }
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments, screen: &mut Screen) -> Outcome {
    let losses = chosen(arguments.loss.as_deref())?;
    fs::create_dir_all(&arguments.out).map_err(|source| io_error(&arguments.out, source))?;
    let mut written = 0;
    for loss in &losses {
        let name = label(loss)?.replace([' ', '='], "-");
        let texts = texts(loss.as_dyn(), arguments.dim.into(), arguments.family())?;
        let mut seen = BTreeMap::<Stage, usize>::new();
        for (stage, text) in texts {
            // Texts of one stage that differ, as of several tables, are numbered.
            let nth = seen.entry(stage).and_modify(|nth| *nth += 1).or_insert(1);
            let nth = match *nth {
                1 => String::new(),
                nth => format!("-{nth}"),
            };
            let file = format!("{name}-{}-{}{nth}.wgsl", arguments.dim, stage.name());
            let path = arguments.out.join(file);
            fs::write(&path, text).map_err(|source| io_error(&path, source))?;
            written += 1;
        }
    }
    let out = arguments.out.display();
    screen.line(format_args!(
        "{written} texts of {} losses in {out}",
        losses.len()
    ))?;
    Ok(true)
}

/// The losses of a name, in every form that has a text of its own.
fn chosen(name: Option<&str>) -> Result<Vec<AnyLoss>> {
    let mut losses = registry::variants();
    let Some(name) = name else {
        return Ok(losses);
    };
    losses.retain(|loss| loss.as_dyn().spec().name == name);
    match losses.is_empty() {
        false => Ok(losses),
        true => Err(Error::Unknown {
            what: "--loss".into(),
            kind: "loss",
            name: name.into(),
            valid: registry::NAMES.join(", "),
        }),
    }
}

fn texts(loss: &dyn DynLoss, dim: usize, family: Family) -> Result<Vec<(Stage, String)>> {
    let spec = loss.spec();
    // Ranks are counted for sampled columns.
    let columns = match spec.ranks {
        true => ColumnKind::Sampled(4),
        false => ColumnKind::All,
    };
    let shape = Shape {
        columns,
        indexed_rows: true,
        second_dim: spec.second.map(|_| dim),
        thetas: spec.thetas,
        row_parameters: spec.row_parameters,
        column_parameters: spec.column_parameters,
        ..Shape::new(1024, 10_000, dim)
    };
    let limits = Limits {
        max_binding: 128 << 20,
        max_buffer: 256 << 20,
        max_groups: 65_535,
        wide_loads: true,
    };
    let (layouts, options) = (TableLayouts::dense(&shape), PlanOptions::default());
    let plan = estimate(loss, &shape, &layouts, &options, family, &limits)?;
    shader_texts(loss, &plan, family)
}

fn io_error(path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        path: path.display().to_string(),
        source,
    }
}
