//! Every shader text that a plan can ask for, without a device: it validates, translates to what
//! every backend takes, and agrees with what the Rust side believes about it.

#[path = "../contract/losses.rs"]
mod contract;
mod layout;
mod shapes;
#[path = "../contract/state_losses.rs"]
mod state_losses;
mod texts;
mod translate;
mod work;

use naga::{AddressSpace, StorageAccess, front::wgsl};
use std::collections::{BTreeMap, BTreeSet};
use texts::{Composed, TEXTS};
use wgloss::{
    gpu::{Stage, compose},
    loss::registry,
};

/// The bindings that naga sees, by number: name and whether it is written.
fn reflected(label: &str, text: &str) -> BTreeMap<u32, (String, bool)> {
    let module = wgsl::parse_str(text).unwrap_or_else(|e| panic!("{label}: {e}"));
    module
        .global_variables
        .iter()
        .filter_map(|(_, variable)| {
            let AddressSpace::Storage { access } = variable.space else {
                return None;
            };
            let place = variable.binding.expect("a storage buffer has a binding");
            assert_eq!(place.group, 0, "{label}");
            let name = variable.name.clone().expect("it has a name");
            Some((place.binding, (name, access.contains(StorageAccess::STORE))))
        })
        .collect()
}

#[test]
fn every_text_validates_and_translates() {
    let texts = &*TEXTS;
    assert!(texts.len() > 150, "only {} texts", texts.len());
    let stages: BTreeSet<Stage> = texts.iter().map(|text| text.dispatch.stage).collect();
    let all: BTreeSet<Stage> = Stage::ALL
        .iter()
        .copied()
        .filter(|stage| OPTIMISERS.iter().all(|(of_trainer, _)| stage != of_trainer))
        .collect();
    assert_eq!(stages, all, "the shapes reach every stage of a plan");
    for text in texts {
        translate::check(&text.label, &text.text);
    }
    println!("{} texts", texts.len());
}

/// Stages of the trainer that no plan has, and their flags.
const OPTIMISERS: [(Stage, &[&str]); 6] = [
    (Stage::Adam, &[]),
    (Stage::Sgd, &[]),
    (Stage::Sgd, &["MOMENTUM"]),
    (Stage::ThetaStep, &["THETA_STEP", "ADAM"]),
    (Stage::ThetaStep, &["THETA_STEP"]),
    (Stage::ThetaStep, &["THETA_STEP", "MOMENTUM"]),
];

#[test]
fn optimisers_validate_and_translate() {
    for (stage, flags) in OPTIMISERS {
        // The loss's scalars are moved by a stage that knows the loss's bounds.
        let mut losses = vec![(String::new(), "", 0)];
        if stage.has_loss() {
            let learning = (registry::variants().into_iter())
                .map(|loss| {
                    (
                        format!("{loss:?}"),
                        loss.as_dyn().wgsl(),
                        loss.as_dyn().spec().thetas,
                    )
                })
                .filter(|(_, _, thetas)| *thetas > 0);
            losses = learning.collect();
            assert!(!losses.is_empty());
        }
        for (label, loss, thetas) in losses {
            let variant = compose::Variant {
                flags: flags.to_vec(),
                counts: vec![("PER_LANE", 16), ("LANES", 64), ("THETAS", thetas as u32)],
            };
            let label = format!("{} {flags:?} {label}", stage.name());
            let text = compose::compose(stage.name(), stage.source(), loss, &variant)
                .unwrap_or_else(|error| panic!("{label}: {error}"));
            translate::check(&label, &text);
        }
    }
}

#[test]
fn the_shapes_reach_every_flag() {
    let flags: BTreeSet<&str> = TEXTS
        .iter()
        .flat_map(|text| text.dispatch.flags.clone())
        .collect();
    // Flags beside those that follow from the loss and the family.
    let mut asked = BTreeSet::new();
    let sources = Stage::ALL.iter().map(|stage| stage.source());
    let blocks = Stage::ALL.iter().filter_map(|stage| stage.block_source());
    let fragments = compose::FRAGMENTS.iter().map(|(_, text)| *text);
    for line in sources.chain(blocks).chain(fragments).flat_map(str::lines) {
        if let Some(flag) = line.strip_prefix("#if ") {
            asked.insert(flag.trim());
        }
    }
    for known in [
        "ROW_UNITS",
        "ONE_PAIR",
        "SUM",
        "SECOND",
        "SUBGROUPS",
        "BLOCK",
        compose::HALF,
        "RESIDENT",
        "TALL",
        "ONE_COLUMN",
        "WIDE",
    ] {
        assert!(asked.remove(known), "no text asks for {known}");
    }
    // No text asks for it: it brings a function that a loss may leave out.
    asked.insert("STATE");
    // Those of the optimisers come from no shape.
    let of_optimisers = OPTIMISERS.iter().flat_map(|(_, flags)| *flags);
    for flag in of_optimisers.collect::<BTreeSet<_>>() {
        assert!(asked.remove(flag), "no text asks for {flag}");
    }
    assert_eq!(flags, asked);
}

#[test]
fn narrow_subgroups_have_wide_loads_in_every_large_stage() {
    for name in ["row_reduce", "weights", "grad_queries", "grad_candidates"] {
        let wide = |composed: &&Composed| {
            composed.dispatch.stage.name() == name && composed.text.contains("vec4<u64>>")
        };
        assert!(TEXTS.iter().any(|text| wide(&text)), "{name}");
    }
}

#[test]
fn bindings_are_what_plans_believe_and_no_more_than_eight() {
    for Composed {
        label,
        dispatch,
        text,
    } in &*TEXTS
    {
        let believed = compose::bindings(text);
        let numbered = (compose::FIRST_STORAGE..).zip(believed.iter().cloned());
        assert_eq!(reflected(label, text), numbered.collect(), "{label}");
        assert_eq!(dispatch.binds.len(), believed.len(), "{label}");
        assert!(believed.len() <= 8, "{label}: {} buffers", believed.len());
    }
}

/// Two bindings of one buffer must not differ in access: everything that a stage writes must be a
/// buffer that it reads under no other name, apart from the ranges of a caller's one buffer.
#[test]
fn no_stage_binds_a_slot_twice_with_a_write() {
    for Composed {
        label,
        dispatch,
        text,
    } in &*TEXTS
    {
        let bound: Vec<_> = dispatch.binds.iter().zip(compose::bindings(text)).collect();
        for (at, (bind, (name, writes))) in bound.iter().enumerate() {
            for (other, (again, _)) in bound.iter().enumerate() {
                let clash = *writes && at != other && bind.slot == again.slot;
                assert!(!clash, "{label}: {name} is bound twice and written");
            }
        }
    }
}

#[test]
fn every_text_has_one_entry_point_of_at_most_256_invocations() {
    for Composed { label, text, .. } in &*TEXTS {
        let module = wgsl::parse_str(text).unwrap_or_else(|e| panic!("{label}: {e}"));
        let [entry] = module.entry_points.as_slice() else {
            panic!("{label}: {} entry points", module.entry_points.len());
        };
        assert_eq!(entry.name, "main", "{label}");
        let [x, y, z] = entry.workgroup_size;
        assert!(x <= 256 && y == 1 && z == 1, "{label}: {x} × {y} × {z}");
    }
}
