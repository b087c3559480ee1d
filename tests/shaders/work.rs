//! That workgroups have work.

use crate::{LIMITS, block};
use std::collections::BTreeSet;
use wgloss::{
    Shape,
    gpu::{Family, PlanOptions, Stage, TableLayouts, Tile, estimate},
    loss::Sl,
};

/// Processors give each core a range of a dispatch's workgroups: if those of one range find nothing
/// to do, a core waits.
#[test]
fn reductions_of_a_chunk_have_workgroups_for_its_own_spans_alone() {
    let shape = Shape::new(2048, 65_536, 128);
    let layouts = TableLayouts::dense(&shape);
    let options = PlanOptions {
        scratch_bytes: Some(64 << 20),
        ..PlanOptions::default()
    };
    for family in [Family::Subgroup { lanes: 8 }, block(Tile::Tall)] {
        let plan = estimate(&Sl::default(), &shape, &layouts, &options, family, &LIMITS);
        let plan = plan.expect("a plan");
        let reductions = plan.dispatches.iter();
        let reductions = reductions.filter(|one| one.stage == Stage::RowReduce);
        let mut seen = BTreeSet::new();
        let mut per_span = BTreeSet::new();
        let mut chunks = 0;
        for job in reductions.map(|one| one.job) {
            let columns = job.column_begin..job.column_begin + job.column_count;
            let spans: BTreeSet<u32> = columns.map(|column| column / job.span_width).collect();
            assert_eq!(job.groups as usize % spans.len(), 0, "{family:?}");
            per_span.insert(job.groups as usize / spans.len());
            seen.extend(spans);
            chunks += 1;
        }
        assert!(chunks > 1, "the columns are to come in chunks");
        assert_eq!(per_span.len(), 1, "{family:?}: {per_span:?}");
        assert_eq!(seen.len() as u64, plan.sizes.spans, "{family:?}");
    }
}
