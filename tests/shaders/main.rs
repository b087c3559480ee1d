//! Every shader text that a plan can ask for, without a device: it validates, translates to what
//! every backend takes, and agrees with what the Rust side believes about it.

#[path = "../contract/losses.rs"]
mod contract;
mod layout;
mod shapes;
#[path = "../contract/state_losses.rs"]
mod state_losses;
mod translate;
mod work;

use naga::{AddressSpace, StorageAccess, front::wgsl};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};
use wgloss::{
    DynLoss, Shape, Want,
    gpu::{
        Estimate, Family, PlanOptions, Stage, Storage, TableLayouts, Tile, compose, estimate,
        schedule::Dispatch,
        shader_text,
        sizes::{Limits, Sizes},
    },
    loss::{Activation, ArcFace, Psl, Score, Sl, registry},
};

const LIMITS: Limits = Limits {
    max_binding: 128 << 20,
    max_buffer: 1 << 30,
    max_groups: 65_535,
};

const FAMILIES: [Family; 3] = [
    Family::Subgroup { lanes: 32 },
    Family::Plain { lanes: 8 },
    block(Tile::Tall),
];

/// The block family, with the subgroup family's other texts.
const fn block(tile: Tile) -> Family {
    Family::Block {
        tile,
        lanes: 32,
        subgroups: true,
    }
}

/// A composed text, and the dispatch that it is for.
struct Composed {
    label: String,
    dispatch: Dispatch,
    text: String,
}

/// Every different text, each once.
static TEXTS: LazyLock<Vec<Composed>> = LazyLock::new(|| {
    let mut all = Vec::new();
    // Configurations of a loss that differ in numbers alone have the same texts.
    let mut losses = BTreeSet::new();
    let registered = registry::variants();
    let registered = registered.iter().map(|loss| loss.as_dyn());
    let wide = contract::Wide::ALL.iter().map(|loss| loss as &dyn DynLoss);
    let [ranked, referenced] = [
        &state_losses::Ranked(Score::Dot) as &dyn DynLoss,
        &state_losses::Referenced(Score::Cosine),
    ];
    let squared = state_losses::Squared(1.0);
    let others: [&dyn DynLoss; 6] = [
        &squared,
        &contract::NormMargin,
        &contract::Anchored,
        &state_losses::Remembering,
        ranked,
        referenced,
    ];
    for loss in registered.chain(wide).chain(others) {
        if losses.insert(format!("{:?}{}", loss.spec(), loss.wgsl())) {
            for family in FAMILIES {
                compose_family(loss, family, Storage::F32, &mut all);
            }
        }
    }
    // What tiles differ in no loss sees.
    for tile in Tile::ALL {
        compose_family(&Sl::new(1.0), block(tile), Storage::F32, &mut all);
    }
    // Nor what type packed rows have.
    let halves: [&dyn DynLoss; 3] = [
        &Sl::new(1.0),
        &Psl::new(Activation::Relu, 1.0),
        &ArcFace::default(),
    ];
    for loss in halves {
        compose_family(loss, block(Tile::Tall), Storage::F16, &mut all);
    }
    for family in FAMILIES {
        compose_kth_largest(family, &mut all);
        compose_row_parts(family, &mut all);
    }
    let mut seen = BTreeSet::new();
    all.retain(|composed| seen.insert(composed.text.clone()));
    all
});

fn compose_family(loss: &dyn DynLoss, family: Family, storage: Storage, all: &mut Vec<Composed>) {
    // What a text follows from, beside loss and family: composing takes longer than comparing.
    let mut seen = BTreeSet::new();
    for (shape, half) in shapes::all(&loss.spec()) {
        let mut layouts = TableLayouts::dense(&shape);
        layouts.queries.half = half;
        layouts.candidates.half = half;
        layouts.grad_candidates.stride += usize::from(half);
        let options = PlanOptions {
            storage,
            ..PlanOptions::default()
        };
        let Ok(estimate) = estimate(loss, &shape, &layouts, &options, family, &LIMITS) else {
            continue;
        };
        let sizes = &estimate.sizes;
        for dispatch in &estimate.dispatches {
            if !seen.insert((
                dispatch.stage,
                dispatch.flags.clone(),
                dispatch.block,
                dispatch.job.dim4,
            )) {
                continue;
            }
            all.push(compose_dispatch(loss, dispatch, sizes, family));
        }
    }
}

fn compose_dispatch(
    loss: &dyn DynLoss,
    dispatch: &Dispatch,
    sizes: &Sizes,
    family: Family,
) -> Composed {
    let name = dispatch.stage.name();
    let label = format!("{name} {:?} {family:?} {loss:?}", dispatch.flags);
    let text = shader_text(loss, dispatch, sizes, family)
        .unwrap_or_else(|error| panic!("{label}: {error}"));
    Composed {
        label,
        dispatch: dispatch.clone(),
        text,
    }
}

/// The texts where bindings are too small for all rows at a time.
fn compose_row_parts(family: Family, all: &mut Vec<Composed>) {
    let (loss, shape) = (Sl::new(1.0), Shape::new(600, 300, 60));
    let layouts = TableLayouts::dense(&shape);
    let options = PlanOptions::default();
    let limits = Limits {
        max_binding: 256 << 10,
        ..LIMITS
    };
    let estimate = estimate(&loss, &shape, &layouts, &options, family, &limits).expect("it fits");
    for dispatch in &estimate.dispatches {
        all.push(compose_dispatch(&loss, dispatch, &estimate.sizes, family));
    }
}

/// The texts of the passes for K-th largest scores.
fn compose_kth_largest(family: Family, all: &mut Vec<Composed>) {
    let loss = Sl::new(1.0);
    for dim in [60, 128] {
        let shape = Shape {
            row_parameters: 1,
            parameters_by_query: true,
            ..Shape::new(40, 300, dim)
        };
        let options = PlanOptions {
            want: Want::NOTHING,
            ..PlanOptions::default()
        };
        let layouts = TableLayouts::dense(&shape);
        let device = (family, &LIMITS);
        let estimate = Estimate::kth_largest(&loss, &shape, &layouts, &options, device, [20, 0])
            .expect("it fits");
        for dispatch in &estimate.dispatches {
            all.push(compose_dispatch(&loss, dispatch, &estimate.sizes, family));
        }
    }
}

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
