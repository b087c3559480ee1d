//! Shapes that between them reach every stage and every flag.

use wgloss::{ColumnKind, ReductionKind, Shape, loss::Spec};

/// A plain batch for a loss of this specification.
fn plain(spec: &Spec) -> Shape {
    Shape {
        second_dim: spec.second.map(|_| 20),
        thetas: spec.thetas,
        row_parameters: spec.row_parameters,
        column_parameters: spec.column_parameters,
        ..Shape::new(40, 300, 60)
    }
}

/// The shapes, each with whether its tables are f16.
pub fn all(spec: &Spec) -> Vec<(Shape, bool)> {
    let plain = plain(spec);
    let shape = |columns: ColumnKind, log_q: bool, dim: usize| Shape {
        entry_constants: spec.entry_constants && matches!(columns, ColumnKind::Sampled(_)),
        columns,
        log_q,
        dim,
        ..plain.clone()
    };
    let listed = Shape {
        rows: 90,
        pairs: 200,
        many_positives: true,
        indexed_rows: true,
        excluded: Some(77),
        exclude_by_query: true,
        parameters_by_query: spec.row_parameters > 0,
        ..plain.clone()
    };
    let weighted = Shape {
        weights: true,
        reduction: ReductionKind::None,
        ..plain.clone()
    };
    let mut all = vec![(plain.clone(), false), (plain.clone(), true)];
    for log_q in [false, true] {
        for dim in [1, 60, 128] {
            all.push((shape(ColumnKind::All, log_q, dim), false));
            all.push((shape(ColumnKind::Shared(50), log_q, dim), false));
            all.push((shape(ColumnKind::Sampled(7), log_q, dim), true));
        }
    }
    let centres = Shape {
        columns_per_class: 3,
        ..plain.clone()
    };
    all.extend([(centres.clone(), false), (centres, true)]);
    for reference in [false, true] {
        let given = Shape {
            given: Some(reference),
            columns: ColumnKind::Sampled(6),
            row_parameters: spec.row_parameters,
            thetas: spec.thetas,
            ..Shape::new(40, 1, 1)
        };
        all.push((given, false));
    }
    // More rows than a block of the candidates' product has, and columns enough for large tiles.
    let many = Shape {
        queries: 600,
        rows: 600,
        pairs: 600,
        candidates: 600,
        ..plain.clone()
    };
    all.extend([(listed, false), (weighted, false), (many, false)]);
    all
}
