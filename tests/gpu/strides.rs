//! Gradients in rows that lie apart, in ranges of a larger buffer.

use crate::{
    case::{Case, OwnedLists, Random, layouts},
    device::{Prepared, context_with, eight, of_eight, run, run_with, submit},
};
use wgloss::{
    DynLoss, Error,
    gpu::{
        Buffers, Context, ContextOptions, Plan, PlanOptions, Slice, TableLayout, TableLayouts,
        read_back, upload,
    },
    loss::Sl,
    wgpu,
};

/// What lies where no gradient goes.
const SENTINEL: f32 = -77.25;
const GAP: usize = 7;
/// Before the first gradient, in words.
const OFFSET: usize = 64;

/// A buffer for both gradients, filled with sentinels, and their ranges.
fn room(context: &Context, case: &Case) -> (wgpu::Buffer, [Slice; 2]) {
    let dim = case.queries.dim;
    let rows = [&case.queries, &case.candidates].map(|table| table.numbers.len() / dim);
    // The last row ends early; the second range begins where alignment lets it.
    let words = rows.map(|rows| (rows - 1) * (dim + GAP) + dim);
    let second = (OFFSET + words[0]).next_multiple_of(64);
    let all = vec![SENTINEL; second + words[1] + GAP];
    let buffer = context.device().create_buffer(&wgpu::BufferDescriptor {
        label: Some("gradients"),
        size: all.len() as u64 * 4,
        usage: wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let bytes: Vec<u8> = all.iter().flat_map(|x| x.to_le_bytes()).collect();
    context.queue().write_buffer(&buffer, 0, &bytes);
    let range = |offset: usize, words: usize| Slice {
        buffer: buffer.clone(),
        offset: offset as u64 * 4,
        size: words as u64 * 4,
    };
    let ranges = [range(OFFSET, words[0]), range(second, words[1])];
    (buffer, ranges)
}

fn strided(layouts: TableLayouts, dim: usize) -> TableLayouts {
    let mut layouts = layouts;
    let apart = TableLayout {
        stride: dim + GAP,
        half: false,
    };
    (layouts.grad_queries, layouts.grad_candidates) = (apart, apart);
    layouts
}

/// The buffer after an evaluation.
fn after(
    context: &Context,
    loss: &dyn DynLoss,
    case: &Case,
    accumulate: bool,
) -> (Vec<f32>, [Slice; 2]) {
    let batch = case.batch();
    let options = PlanOptions {
        accumulate,
        ..PlanOptions::default()
    };
    let shape = batch.shape().expect("it has a shape");
    let layouts = strided(layouts(&batch), shape.dim);
    let plan = Plan::new(context, loss, &shape, &layouts, &options).expect("a plan");
    let (buffer, [queries, candidates]) = room(context, case);
    let buffers = Buffers {
        grad_queries: Some(queries.clone()),
        grad_candidates: Some(candidates.clone()),
        ..upload(context, &batch, options.want).expect("it uploads")
    };
    submit(context, |encoder| {
        plan.encode(encoder, &buffers).expect("it records");
    });
    let words = read_back(context, &[Slice::whole(&buffer)]).expect("it reads");
    let numbers = words[0].iter().map(|word| f32::from_bits(*word)).collect();
    (numbers, [queries, candidates])
}

fn cases() -> [Case; 3] {
    let mut random = Random(31);
    let plain = Case {
        rows: Some(random.ids(60, 40)),
        positives: random.ids(60, 900),
        ..Case::new([40, 900, 18])
    };
    let listed = Case {
        shared: Some(random.ids(300, 900)),
        many: Some(OwnedLists::random(&mut random, &[2; 60], 900)),
        ..plain.clone()
    };
    let sampled = Case {
        sampled: Some((random.ids(60 * 70, 900), 70)),
        ..plain.clone()
    };
    [plain, listed, sampled]
}

/// The numbers of the dense gradients, bit for bit, and everything around them as it was.
pub fn gradients_between_other_things() {
    let loss = Sl::new(0.2);
    // Gradients in pieces.
    let narrow = context_with(&ContextOptions {
        max_binding: Some(640 << 10),
        ..of_eight()
    });
    let pieces = context_with(&ContextOptions {
        max_binding: Some(64 << 10),
        ..of_eight()
    });
    let [plain, listed, sampled] = cases();
    for (context, case) in [
        (eight(), &plain),
        (eight(), &listed),
        (eight(), &sampled),
        (&pieces, &plain),
        (&narrow, &sampled),
    ] {
        let batch = case.batch();
        let dim = case.queries.dim;
        for accumulate in [false, true] {
            let dense = if accumulate {
                let options = PlanOptions {
                    accumulate,
                    ..PlanOptions::default()
                };
                let start = Prepared::new(context, &loss, &batch, &options, SENTINEL);
                start.run()
            } else {
                run(context, &loss, &batch)
            };
            let (mut found, ranges) = after(context, &loss, case, accumulate);
            let dense = [dense.grad_queries, dense.grad_candidates];
            for (range, dense) in ranges.iter().zip(dense) {
                let begin = range.offset as usize / 4;
                for (row, dense) in dense.expect("wanted").chunks_exact(dim).enumerate() {
                    let own = &mut found[begin + row * (dim + GAP)..][..dim];
                    assert_eq!(own, dense, "row {row}, accumulate {accumulate}");
                    own.fill(SENTINEL);
                }
            }
            assert!(
                found.iter().all(|x| *x == SENTINEL),
                "something else was written"
            );
        }
    }
}

/// A range may be larger than its gradient: what is behind is not cleared.
pub fn dense_gradients_end_where_they_end() {
    let loss = Sl::new(0.2);
    let case = Case::new([37, 101, 17]);
    let batch = case.batch();
    let options = PlanOptions::default();
    let expected = run_with(eight(), &loss, &batch, &options);
    let shape = batch.shape().expect("it has a shape");
    let plan = Plan::new(eight(), &loss, &shape, &layouts(&batch), &options).expect("a plan");
    let (buffer, _) = room(eight(), &case);
    let whole = Slice::whole(&buffer);
    let buffers = Buffers {
        grad_candidates: Some(whole.clone()),
        ..upload(eight(), &batch, options.want).expect("it uploads")
    };
    submit(eight(), |encoder| {
        plan.encode(encoder, &buffers).expect("it records");
    });
    let words = read_back(eight(), &[whole]).expect("it reads");
    let numbers: Vec<f32> = words[0].iter().map(|word| f32::from_bits(*word)).collect();
    let (own, behind) = numbers.split_at(101 * 17);
    assert_eq!(own, expected.grad_candidates.expect("wanted"));
    assert!(behind.iter().all(|x| *x == SENTINEL));
}

/// Layouts in which rows would overlap, and gradients in f16.
pub fn bad_layouts_are_refused() {
    let case = Case::new([37, 101, 17]);
    let batch = case.batch();
    let shape = batch.shape().expect("it has a shape");
    let refusal = |change: fn(&mut TableLayouts)| {
        let mut layouts = TableLayouts::dense(&shape);
        change(&mut layouts);
        Plan::new(
            eight(),
            &Sl::new(0.2),
            &shape,
            &layouts,
            &PlanOptions::default(),
        )
        .expect_err("a refusal")
    };
    for (name, change) in [
        (
            "queries",
            (|l| l.queries.stride = 16) as fn(&mut TableLayouts),
        ),
        ("candidates", |l| l.candidates.stride = 0),
        ("grad_queries", |l| l.grad_queries.stride = 16),
        ("grad_candidates", |l| l.grad_candidates.stride = 3),
    ] {
        let error = refusal(change);
        assert!(
            matches!(error, Error::Shape { argument, .. } if argument == name),
            "{name}: {error}"
        );
    }
    let error = refusal(|l| l.grad_queries.half = true);
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
}
