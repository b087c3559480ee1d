//! That workgroups have work.

use crate::texts::{LIMITS, block};
use std::collections::BTreeSet;
use wgloss::{
    DynLoss, Shape,
    gpu::{Family, PlanOptions, Stage, TableLayouts, Tile, estimate},
    loss::{Activation, AdvInfoNce, Psl, Sl},
};

/// A large GPU has room for several times as many invocations: what takes long has these at least, in the
/// first chunk of a step.
#[test]
fn large_steps_fill_a_gpu() {
    for tile in Tile::ALL {
        let mut tried = BTreeSet::new();
        for (b, n, d) in [
            (1024, 16_384, 64),
            (4096, 65_536, 128),
            (256, 1_000_000, 128),
        ] {
            let shape = Shape::new(b, n, d);
            let (layouts, options) = (TableLayouts::dense(&shape), PlanOptions::default());
            let loss = Sl::default();
            let plan = estimate(&loss, &shape, &layouts, &options, block(tile), &LIMITS);
            let plan = plan.expect("a plan");
            for stage in [Stage::Weights, Stage::GradQueries, Stage::GradCandidates] {
                let jobs = plan.dispatches.iter().filter(|one| one.stage == stage);
                let first = jobs.clone().next().expect("the stage runs");
                let block = first.block.expect("it has tiles");
                let threads = first.job.groups * block.down * block.across;
                assert!(
                    threads >= 32_768,
                    "{b} × {n} × {d}, {tile:?}, {stage:?}: {threads}"
                );
                tried.insert(stage);
            }
        }
        assert_eq!(tried.len(), 3);
    }
}

/// The same of what stands in for tiles: users with their lists, second tables. (Sampled columns take so
/// much room that few rows come at a time.)
#[test]
fn large_steps_on_stored_scores_fill_a_gpu() {
    let psl = Psl::new(Activation::Relu, 0.1);
    let lists = Shape {
        pairs: 2048,
        many_positives: true,
        ..Shape::new(128, 16_384, 64)
    };
    let second = Shape {
        second_dim: Some(64),
        ..Shape::new(1024, 16_384, 64)
    };
    let steps: [(&dyn DynLoss, Shape); 2] = [(&psl, lists), (&AdvInfoNce::default(), second)];
    for (loss, shape) in steps {
        let (layouts, options) = (TableLayouts::dense(&shape), PlanOptions::default());
        let family = block(Tile::Tall);
        let plan = estimate(loss, &shape, &layouts, &options, family, &LIMITS).expect("a plan");
        for stage in [Stage::StoredReduce, Stage::StoredWeights] {
            let mut jobs = plan.dispatches.iter().filter(|one| one.stage == stage);
            let threads = jobs.next().expect("the stage runs").job.groups * family.lanes();
            assert!(threads >= 32_768, "{loss:?}, {stage:?}: {threads}");
        }
    }
}

/// Kept scores of two pairs of tables are within the scratch, with the sums of both.
#[test]
fn kept_scores_of_second_tables_fit_the_scratch() {
    let loss = AdvInfoNce::default();
    let mut kept = 0;
    for (b, n, d) in [
        (512, 16_384, 64),
        (384, 31_488, 256),
        (768, 15_872, 512),
        (1536, 7936, 1024),
    ] {
        let shape = Shape {
            second_dim: Some(d),
            ..Shape::new(b, n, d)
        };
        let (layouts, options) = (TableLayouts::dense(&shape), PlanOptions::default());
        let family = block(Tile::Tall);
        let plan = estimate(&loss, &shape, &layouts, &options, family, &LIMITS).expect("a plan");
        // What is beyond the scratch grows with B + N.
        let most = (256 << 20) + 256 * b as u64 + 8 * n as u64 + (1 << 20);
        assert!(plan.bytes <= most, "{b} × {n} × {d}: {} bytes", plan.bytes);
        kept += u32::from(plan.sizes.kept());
    }
    assert!(kept > 0, "no plan keeps its scores");
}

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
