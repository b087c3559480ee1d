//! The texts: of every loss and family, on shapes that between them reach all that plans do.

use crate::{contract, shapes, state_losses};
use std::{collections::BTreeSet, sync::LazyLock};
use wgloss::{
    DynLoss, Shape, Want,
    gpu::{
        Estimate, Family, PlanOptions, Storage, TableLayouts, Tile, estimate,
        schedule::Dispatch,
        shader_text,
        sizes::{Limits, Sizes},
    },
    loss::{Activation, AdvInfoNce, ArcFace, Psl, Score, Sl, registry},
};

pub const LIMITS: Limits = Limits {
    max_binding: 128 << 20,
    max_buffer: 1 << 30,
    max_groups: 65_535,
    wide_loads: true,
};

const FAMILIES: [Family; 4] = [
    Family::Subgroup { lanes: 32 },
    Family::Subgroup { lanes: 8 },
    Family::Plain { lanes: 8 },
    block(Tile::Tall),
];

/// The block family, with the subgroup family's other texts.
pub const fn block(tile: Tile) -> Family {
    Family::Block {
        tile,
        lanes: 32,
        subgroups: true,
    }
}

/// A composed text, and the dispatch that it is for.
pub struct Composed {
    pub label: String,
    pub dispatch: Dispatch,
    pub text: String,
}

/// Every different text, each once.
pub static TEXTS: LazyLock<Vec<Composed>> = LazyLock::new(|| {
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
    let halves: [&dyn DynLoss; 5] = [
        &Sl::new(1.0),
        &Psl::new(Activation::Relu, 1.0),
        &ArcFace::default(),
        &AdvInfoNce::default(),
        referenced,
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
        let (sizes, lanes) = (&estimate.sizes, family.lanes());
        for dispatch in &estimate.dispatches {
            if !seen.insert((
                dispatch.stage,
                dispatch.flags.clone(),
                dispatch.block,
                dispatch.job.dim4,
                format!(
                    "{:?}",
                    Sizes::product_tile(dispatch.stage, &dispatch.job, lanes)
                ),
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
