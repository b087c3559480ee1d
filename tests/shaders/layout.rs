//! The twins: `Job` and its flags in Rust and WGSL; the files and the lists of their names.

use naga::{Expression, Literal, TypeInner, front::wgsl};
use std::{collections::BTreeSet, fs, path::Path};
use wgloss::{
    gpu::{
        Stage,
        compose::{FRAGMENTS, Variant, compose},
        job::{FIELDS, FLAGS, JOB_STRIDE, Job},
    },
    loss::registry,
};

/// The fragment `job` alone.
fn job_module() -> naga::Module {
    let text = compose("job", "#import job\n", "", &Variant::default()).expect("it composes");
    wgsl::parse_str(&text).unwrap_or_else(|error| panic!("{}", error.emit_to_string(&text)))
}

#[test]
fn the_fields_of_a_job_have_the_same_order_and_offsets() {
    let module = job_module();
    let (_, job) = module
        .types
        .iter()
        .find(|(_, ty)| ty.name.as_deref() == Some("Job"))
        .expect("there is a Job");
    let TypeInner::Struct { members, span } = &job.inner else {
        panic!("Job is a struct");
    };
    let names: Vec<&str> = members
        .iter()
        .map(|member| member.name.as_deref().expect("it has a name"))
        .collect();
    assert_eq!(names, FIELDS);
    for (at, member) in members.iter().enumerate() {
        assert_eq!(member.offset as usize, at * 4, "{:?}", member.name);
        assert!(
            matches!(module.types[member.ty].inner, TypeInner::Scalar(scalar)
                if scalar == naga::Scalar::U32),
            "{:?}",
            member.name
        );
    }
    assert_eq!(*span as usize, size_of::<Job>());
    assert!(size_of::<Job>() <= JOB_STRIDE);
}

#[test]
fn the_flags_of_a_job_have_the_same_values() {
    let module = job_module();
    let constants: BTreeSet<(String, u32)> = module
        .constants
        .iter()
        .filter_map(|(_, constant)| {
            let Expression::Literal(Literal::U32(value)) = module.global_expressions[constant.init]
            else {
                return None;
            };
            Some((constant.name.clone()?, value))
        })
        .filter(|(name, _)| name != "NONE" && name != "ABSENT")
        .collect();
    let flags: BTreeSet<(String, u32)> = FLAGS
        .iter()
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect();
    assert_eq!(constants, flags);
    let union = FLAGS.iter().fold(0, |bits, (name, value)| {
        assert!(value.is_power_of_two(), "{name}");
        assert_eq!(bits & value, 0, "{name}");
        bits | value
    });
    assert_eq!(union.count_ones() as usize, FLAGS.len());
}

fn names_in(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| {
            let path = entry.expect("it can be listed").path();
            assert_eq!(path.extension().expect("it has an extension"), "wgsl");
            let name = path.file_stem().expect("it has a name");
            name.to_str().expect("it is UTF-8").to_owned()
        })
        .collect()
}

#[test]
fn every_file_is_a_stage_or_a_fragment_that_something_uses() {
    let stages: BTreeSet<String> = Stage::ALL.iter().map(|s| s.name().to_owned()).collect();
    assert_eq!(names_in("shaders/stages"), stages);
    let blocks = Stage::ALL.iter().filter(|s| s.block_source().is_some());
    let blocks: BTreeSet<String> = blocks.map(|s| s.name().to_owned()).collect();
    assert_eq!(names_in("shaders/block"), blocks);
    let fragments: BTreeSet<String> = FRAGMENTS.iter().map(|(n, _)| (*n).to_owned()).collect();
    assert_eq!(names_in("shaders/shared"), fragments);
    let losses = registry::variants();
    let texts: Vec<&str> = Stage::ALL
        .iter()
        .flat_map(|stage| [Some(stage.source()), stage.block_source()])
        .flatten()
        .chain(FRAGMENTS.iter().map(|(_, text)| *text))
        .chain(losses.iter().map(|loss| loss.as_dyn().wgsl()))
        .collect();
    for (name, _) in FRAGMENTS {
        let used = |text: &&str| {
            text.lines().any(|line| {
                let mut words = line.split_whitespace();
                match words.next() {
                    Some("#import" | "#insert") => words.next() == Some(name),
                    Some("#packed") => *name == "packed_reads",
                    _ => false,
                }
            })
        };
        // The composer itself brings functions that a loss leaves out.
        let default = name.starts_with("loss_") && *name != "loss_types";
        assert!(default || texts.iter().any(used), "{name}");
    }
}

#[test]
fn stages_are_short() {
    // Every form of a row statistic.
    let longer = [("row_reduce", 190)];
    for stage in Stage::ALL {
        let texts = [Some(stage.source()), stage.block_source()];
        let lines = texts.iter().flatten().map(|text| text.lines().count());
        let lines = lines.max().unwrap_or(0);
        let allowed = longer
            .iter()
            .find(|(name, _)| *name == stage.name())
            .map_or(120, |(_, lines)| *lines);
        assert!(lines <= allowed, "{}: {lines} lines", stage.name());
    }
}
