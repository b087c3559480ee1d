//! Prints the final WGSL of a stage for a loss, as a device with subgroups of 32 would get it.
//!
//! `cargo run --example print_shader -- row_reduce psl`

use std::process::ExitCode;
use wgloss::{
    ColumnKind, Error, Result, Shape,
    gpu::{Family, PlanOptions, Stage, TableLayouts, estimate, shader_text, sizes::Limits},
    loss::registry,
};

/// The text of the stage's first dispatch in a plan for 1,024 rows and 10,000 candidates.
fn text(stage: &str, loss: &str) -> Result<String> {
    let unknown = |kind: &'static str, name: &str, valid: Vec<&str>| Error::Unknown {
        what: "print_shader".into(),
        kind,
        name: name.into(),
        valid: valid.join(", "),
    };
    let place = registry::NAMES.iter().position(|name| *name == loss);
    let losses = registry::all();
    let found = place.and_then(|place| losses.get(place));
    let loss = found.ok_or_else(|| unknown("loss", loss, registry::NAMES.to_vec()))?;
    let (loss, spec) = (loss.as_dyn(), loss.as_dyn().spec());
    // Ranks are counted for sampled columns.
    let columns = match spec.ranks {
        true => ColumnKind::Sampled(4),
        false => ColumnKind::All,
    };
    let shape = Shape {
        columns,
        indexed_rows: true,
        second_dim: spec.second.map(|_| 64),
        thetas: spec.thetas,
        row_parameters: spec.row_parameters,
        column_parameters: spec.column_parameters,
        ..Shape::new(1024, 10_000, 64)
    };
    let family = Family::Subgroup { lanes: 32 };
    let limits = Limits {
        max_binding: 128 << 20,
        max_buffer: 256 << 20,
        max_groups: 65_535,
    };
    let (layouts, options) = (TableLayouts::dense(&shape), PlanOptions::default());
    let plan = estimate(loss, &shape, &layouts, &options, family, &limits)?;
    let mut dispatches = plan.dispatches.iter();
    let dispatch = dispatches.find(|dispatch| dispatch.stage.name() == stage);
    let here = || {
        let all = Stage::ALL.iter().filter(|stage| {
            let mut dispatches = plan.dispatches.iter();
            dispatches.any(|dispatch| dispatch.stage == **stage)
        });
        all.map(|stage| stage.name()).collect()
    };
    let dispatch = dispatch.ok_or_else(|| unknown("stage", stage, here()))?;
    shader_text(loss, dispatch, &plan.sizes, family)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [stage, loss] = arguments.as_slice() else {
        eprintln!("usage: print_shader STAGE LOSS");
        return ExitCode::from(2);
    };
    match text(stage, loss) {
        Ok(text) => print!("{text}"),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
