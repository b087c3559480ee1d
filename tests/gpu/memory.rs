//! Plans hold what they say, and that does not grow with rows × columns.

use crate::{
    case::Case,
    device::{context, open},
};
use wgloss::{
    ColumnKind, DynLoss, Error, ReductionKind, Shape,
    gpu::{ContextOptions, Family, Plan, PlanOptions, TableLayouts, Tile, estimate, sizes::Limits},
    loss::{Activation, Psl, Sl},
};

/// Bytes of buffers that the driver reports, without wgpu's own.
pub fn allocated(device: &wgloss::wgpu::Device) -> Option<u64> {
    let report = device.generate_allocator_report()?;
    let buffers = report.allocations.iter();
    Some(
        buffers
            .filter(|allocation| !allocation.name.contains("wgpu internal"))
            .map(|allocation| allocation.size)
            .sum(),
    )
}

/// Losses in the adapter's own family of kernels, and in the one that GPUs take.
fn in_families(losses: [&dyn DynLoss; 2]) -> impl Iterator<Item = (&dyn DynLoss, Family)> {
    let block = Family::Block {
        tile: Tile::Tall,
        lanes: 32,
        subgroups: true,
    };
    let families = [context().family(), block];
    losses
        .into_iter()
        .flat_map(move |loss| families.map(|family| (loss, family)))
}

pub fn a_plan_allocates_what_it_says() {
    // A device of its own: other tests allocate at the same time.
    let context = open(&ContextOptions::default());
    let shape = Case::new([37, 101, 17])
        .batch()
        .shape()
        .expect("it has one");
    let (layouts, options) = (TableLayouts::dense(&shape), PlanOptions::default());
    let loss = Sl::new(0.2);
    let told = estimate(
        &loss,
        &shape,
        &layouts,
        &options,
        context.family(),
        context.limits(),
    )
    .expect("it fits");
    let before = allocated(context.device());
    let plan = Plan::new(&context, &loss, &shape, &layouts, &options).expect("it fits");
    assert_eq!(plan.bytes(), told.bytes);
    assert_eq!(plan.parts(), told.dispatches.len());
    if let (Some(before), Some(after)) = (before, allocated(context.device())) {
        let held = after - before;
        // Drivers round each of about forty buffers up.
        let most = plan.bytes() + 64 * 512;
        assert!(
            (plan.bytes()..=most).contains(&held),
            "{held} of {}",
            plan.bytes()
        );
    }
}

fn shape(rows: usize, candidates: usize, dim: usize, columns: ColumnKind) -> Shape {
    Shape {
        indexed_rows: true,
        columns,
        excluded: Some(candidates),
        exclude_by_query: true,
        log_q: true,
        weights: true,
        reduction: ReductionKind::None,
        ..Shape::new(rows, candidates, dim)
    }
}

pub fn memory_does_not_grow_with_rows_times_columns() {
    let options = PlanOptions::default();
    let (sl, psl) = (Sl::new(0.2), Psl::new(Activation::Relu, 0.1));
    for (loss, family) in in_families([&sl, &psl]) {
        for rows in [64usize, 1024, 16_384] {
            for candidates in [1_000usize, 30_000, 1_000_000, 3_000_000] {
                for columns in [
                    ColumnKind::All,
                    ColumnKind::Shared(5_000),
                    ColumnKind::Sampled(64),
                ] {
                    let shape = shape(rows, candidates, 64, columns);
                    let layouts = TableLayouts::dense(&shape);
                    let limits = context().limits();
                    let estimate = estimate(loss, &shape, &layouts, &options, family, limits)
                        .unwrap_or_else(|error| panic!("{loss:?}, {shape:?}: {error}"));
                    let listed = match columns {
                        ColumnKind::All => 0,
                        ColumnKind::Shared(n) => n,
                        ColumnKind::Sampled(n) => n * rows,
                    };
                    let linear = 256 * rows + 8 * candidates + 24 * listed + (1 << 20);
                    let jobs = 256 * estimate.dispatches.len() as u64;
                    let most = options.scratch(family) + linear as u64 + jobs;
                    let bytes = estimate.bytes;
                    assert!(bytes <= most, "{loss:?}, {shape:?}: {bytes} of {most}");
                }
            }
        }
    }
}

pub fn a_plan_beyond_the_limits_is_refused() {
    let narrow = context().with_options(&ContextOptions {
        max_binding: Some(64 << 10),
        ..ContextOptions::default()
    });
    let shape = shape(100_000, 10, 1024, ColumnKind::All);
    let layouts = TableLayouts::dense(&shape);
    let refused = Plan::new(
        &narrow,
        &Sl::new(0.2),
        &shape,
        &layouts,
        &PlanOptions::default(),
    );
    assert!(
        matches!(refused, Err(Error::TooLarge { .. })),
        "{refused:?}"
    );
}

/// Where a row group's or a few columns' share of each buffer fits a binding, a plan does, and cuts
/// what the bits depend on as it would without a limit.
pub fn any_sensible_limit_will_do() {
    let options = PlanOptions::default();
    let unlimited = Limits {
        max_binding: 1 << 30,
        max_buffer: 1 << 30,
        max_groups: 65_535,
        wide_loads: true,
    };
    let (sl, psl) = (Sl::new(0.2), Psl::new(Activation::Relu, 0.1));
    for (loss, family) in in_families([&sl, &psl]) {
        for (dim, mib) in [(1, 1), (64, 1), (64, 3), (300, 1), (1024, 2), (1024, 5)] {
            for rows in [1usize, 300, 9000] {
                for columns in [
                    ColumnKind::All,
                    ColumnKind::Shared(7_000),
                    ColumnKind::Sampled(5),
                ] {
                    let shape = shape(rows, 20_000, dim, columns);
                    let layouts = TableLayouts::dense(&shape);
                    let cut = |limits: &Limits| {
                        estimate(loss, &shape, &layouts, &options, family, limits)
                            .unwrap_or_else(|error| panic!("{mib} MiB, {shape:?}: {error}"))
                            .sizes
                    };
                    // Sampled columns are packed per row: a group of rows has 64 slots at least.
                    let packed = dim.next_multiple_of(16) as u64 * 4 + 16;
                    let least = match columns {
                        ColumnKind::Sampled(_) => family.row_unit(true) * 64 * packed,
                        _ => 0,
                    };
                    // Partial statistics take up to 3 MiB on GPUs, whose bindings hold 128 at least.
                    let mib = match family {
                        Family::Block { .. } => mib + 3,
                        Family::Subgroup { .. } | Family::Plain { .. } => mib,
                    };
                    let narrow = Limits {
                        max_binding: least.max(mib << 20),
                        ..unlimited
                    };
                    let (narrow, free) = (cut(&narrow), cut(&unlimited));
                    assert_eq!(narrow.row_chunk, free.row_chunk, "{shape:?}");
                    assert_eq!(narrow.span_width, free.span_width, "{shape:?}");
                }
            }
        }
    }
}
