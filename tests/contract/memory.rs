//! Plans of the widened contract hold what they say, and that does not grow with B × N.

use super::{
    device::full,
    losses::{Form, Wide},
};
use wgloss::{
    ColumnKind, Device, DynLoss, Engine, EngineOptions, Shape,
    gpu::{Context, Plan, PlanOptions, TableLayouts, estimate},
    loss::{AdvInfoNce, Sl},
};

/// Shapes of every new kind, with the losses that take them.
fn shapes(rows: usize, candidates: usize) -> Vec<(&'static str, Box<dyn DynLoss>, Shape)> {
    let plain = Shape::new(rows, candidates, 64);
    let wide = |form: Form, columns: ColumnKind| {
        let loss = Wide(form);
        let shape = Shape {
            columns,
            row_parameters: 2,
            column_parameters: true,
            entry_constants: form == Form::Entries,
            thetas: loss.spec().thetas,
            ..plain.clone()
        };
        (Box::new(loss) as Box<dyn DynLoss>, shape)
    };
    let sl = || Box::new(Sl::new(0.2));
    let (thresholds, over_all) = wide(Form::Thresholds, ColumnKind::All);
    let (log_sum, over_shared) = wide(Form::LogSum, ColumnKind::Shared(5000));
    let (entries, over_sampled) = wide(Form::Entries, ColumnKind::Sampled(48));
    let second = |columns| Shape {
        columns,
        second_dim: Some(96),
        ..plain.clone()
    };
    let adv = || Box::new(AdvInfoNce::default());
    vec![
        ("column parameters", thresholds, over_all),
        ("of shared columns", log_sum, over_shared),
        ("entry constants", entries, over_sampled),
        (
            "sub-centres",
            sl(),
            Shape {
                columns_per_class: 4,
                ..plain.clone()
            },
        ),
        (
            "given scores",
            sl(),
            Shape {
                columns: ColumnKind::Sampled(48),
                given: Some(true),
                ..Shape::new(rows, 1, 1)
            },
        ),
        ("second tables", adv(), second(ColumnKind::All)),
        (
            "sampled second tables",
            adv(),
            second(ColumnKind::Sampled(48)),
        ),
        (
            "own rows",
            sl(),
            Shape {
                exclude_self: true,
                positives_in_columns: true,
                ..Shape::new(rows, rows, 64)
            },
        ),
    ]
}

#[test]
fn memory_does_not_grow_with_rows_times_columns() {
    let options = PlanOptions::default();
    let (family, limits) = (full().family(), full().limits());
    for rows in [64usize, 1024, 16_384] {
        for candidates in [1_000usize, 30_000, 3_000_000] {
            for (what, loss, shape) in shapes(rows, candidates) {
                let layouts = TableLayouts::dense(&shape);
                let estimate = estimate(&*loss, &shape, &layouts, &options, family, limits)
                    .unwrap_or_else(|error| panic!("{what}, {shape:?}: {error}"));
                let listed = match (shape.columns, shape.given) {
                    (ColumnKind::All, _) | (_, Some(_)) => 0,
                    (ColumnKind::Shared(n), _) => n,
                    (ColumnKind::Sampled(n), _) => n * rows,
                };
                let linear = 256 * rows + 8 * candidates + 24 * listed + (1 << 20);
                let jobs = 256 * estimate.dispatches.len() as u64;
                let most = options.scratch(family) + linear as u64 + jobs;
                let bytes = estimate.bytes;
                assert!(bytes <= most, "{what}, {shape:?}: {bytes} of {most}");
            }
        }
    }
}

#[test]
fn plans_allocate_what_they_say() {
    // A device of its own: other tests allocate at the same time.
    let engine = Engine::with_options(&EngineOptions::default().device(Device::Gpu));
    let engine = engine.expect("an adapter");
    let context = engine.context().expect("it runs on a GPU");
    for (what, loss, shape) in shapes(70, 400) {
        let shape = match shape.columns {
            ColumnKind::Shared(_) => Shape {
                columns: ColumnKind::Shared(150),
                ..shape
            },
            _ => shape,
        };
        let (layouts, options) = (TableLayouts::dense(&shape), PlanOptions::default());
        let family = context.family();
        let told = estimate(&*loss, &shape, &layouts, &options, family, context.limits());
        let told = told.expect("it fits");
        let before = allocated(context);
        let plan = Plan::new(context, &*loss, &shape, &layouts, &options).expect("it fits");
        assert_eq!(plan.bytes(), told.bytes, "{what}");
        assert_eq!(plan.parts(), told.dispatches.len(), "{what}");
        if let (Some(before), Some(after)) = (before, allocated(context)) {
            let held = after - before;
            // Drivers round each of about forty-five buffers up.
            let most = plan.bytes() + 64 * 512;
            let range = plan.bytes()..=most;
            assert!(range.contains(&held), "{what}: {held} of {}", plan.bytes());
        }
        drop(plan);
        let device = context.device();
        (device.poll(wgloss::wgpu::PollType::wait_indefinitely())).expect("it answers");
    }
}

/// Wide second tables are cut to a binding as the first ones are.
#[test]
fn wide_second_tables_fit_what_the_first_ones_do() {
    let limits = wgloss::gpu::sizes::Limits {
        max_binding: 1 << 20,
        ..*full().limits()
    };
    let (family, options) = (full().family(), PlanOptions::default());
    for (dim, second_dim) in [(4, 900), (900, 4)] {
        let shape = Shape {
            second_dim: Some(second_dim),
            ..Shape::new(30, 20_000, dim)
        };
        let layouts = TableLayouts::dense(&shape);
        let loss = AdvInfoNce::default();
        estimate(&loss, &shape, &layouts, &options, family, &limits)
            .unwrap_or_else(|error| panic!("{dim} and {second_dim}: {error}"));
    }
}

/// Bytes of buffers that the driver reports, without wgpu's own.
fn allocated(context: &Context) -> Option<u64> {
    let report = context.device().generate_allocator_report()?;
    let buffers = report.allocations.iter();
    let own = buffers.filter(|allocation| !allocation.name.contains("wgpu internal"));
    Some(own.map(|allocation| allocation.size).sum())
}
