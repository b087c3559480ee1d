//! Shapes that no batch has: one error, which names the argument, what was expected and what came.

use wgloss::{
    ColumnKind, DynLoss, Error, Result, Shape,
    gpu::{Family, PlanOptions, TableLayouts, estimate, sizes::Limits},
    loss::Sl,
};

/// The bytes of a plan, on a device like many.
pub fn estimated(loss: &dyn DynLoss, shape: &Shape) -> Result<u64> {
    let limits = Limits {
        max_binding: 128 << 20,
        max_buffer: 1 << 30,
        max_groups: 65_535,
        wide_loads: true,
    };
    let (layouts, options) = (TableLayouts::dense(shape), PlanOptions::default());
    let family = Family::Subgroup { lanes: 32 };
    Ok(estimate(loss, shape, &layouts, &options, family, &limits)?.bytes)
}

/// Shapes that no batch has: the plan's caller wrote them.
#[test]
fn shapes_whose_fields_do_not_go_together() {
    let plain = Shape::new(6, 6, 2);
    let sampled = Shape {
        columns: ColumnKind::Sampled(3),
        ..plain.clone()
    };
    let given = Shape {
        columns: ColumnKind::Sampled(3),
        given: Some(true),
        ..Shape::new(6, 1, 1)
    };
    estimated(&Sl::new(0.5), &plain).expect("it fits");
    estimated(&Sl::new(0.5), &given).expect("it fits");
    let of = |from: &Shape, change: fn(&mut Shape)| {
        let mut shape = from.clone();
        change(&mut shape);
        shape
    };
    for (argument, shape) in [
        ("columns_per_class", of(&plain, |s| s.columns_per_class = 0)),
        ("columns_per_class", of(&plain, |s| s.columns_per_class = 4)),
        (
            "columns_per_class",
            of(&sampled, |s| s.columns_per_class = 2),
        ),
        (
            "columns_per_class",
            of(&plain, |s| {
                (s.columns_per_class, s.exclude_self) = (2, true);
            }),
        ),
        ("exclude_self", of(&sampled, |s| s.exclude_self = true)),
        (
            "exclude_self",
            of(&plain, |s| (s.candidates, s.exclude_self) = (7, true)),
        ),
        (
            "positives_in_columns",
            of(&sampled, |s| s.positives_in_columns = true),
        ),
        ("entry_constants", of(&plain, |s| s.entry_constants = true)),
        ("row_parameters", of(&plain, |s| s.row_parameters = 3)),
        ("scores", of(&plain, |s| s.given = Some(false))),
        ("scores", of(&given, |s| s.columns = ColumnKind::Shared(3))),
        ("scores", of(&given, |s| s.pairs = 7)),
        ("scores", of(&given, |s| s.candidates = 6)),
        ("scores", of(&given, |s| s.log_q = true)),
    ] {
        match estimated(&Sl::new(0.5), &shape) {
            Err(Error::Shape {
                argument: named, ..
            }) => assert_eq!(named, argument),
            other => panic!("{argument}: {other:?}"),
        }
    }
}
