//! What is wrong in the caller's buffers is counted; what is wrong with their ranges is named.

use crate::{
    case::{Case, OwnedLists, Random},
    device::{Prepared, context, submit},
};
use wgloss::{
    Error,
    gpu::{Buffers, PlanOptions, Slice},
    loss::Sl,
    wgpu,
};

/// Rows, lists, shared columns: every kind of id.
fn case() -> Case {
    let mut random = Random(21);
    Case {
        rows: Some(random.ids(20, 9)),
        many: Some(OwnedLists::random(&mut random, &[2; 20], 50)),
        shared: Some(random.ids(30, 50)),
        weights: Some(random.numbers(40)),
        ..Case::new([9, 50, 6])
    }
}

fn prepared(case: &Case) -> Prepared {
    let options = PlanOptions::default();
    Prepared::new(context(), &Sl::new(0.2), &case.batch(), &options, f32::NAN)
}

/// What reading says after `words` were written at word `at` of the buffer.
fn after_writing(pick: impl Fn(&Buffers) -> Slice, at: u64, words: &[u32]) -> String {
    let prepared = prepared(&case());
    let slice = pick(&prepared.buffers);
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    context()
        .queue()
        .write_buffer(&slice.buffer, slice.offset + at * 4, &bytes);
    submit(context(), |encoder| {
        prepared
            .plan
            .encode(encoder, &prepared.buffers)
            .expect("it records");
    });
    match prepared.plan.read(&[]) {
        Err(error @ Error::DeviceInput(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

pub fn ids_and_numbers_are_counted() {
    let slice = |slice: &Option<Slice>| slice.clone().expect("it is there");
    let expect = |message: String, expected: &str| {
        assert!(message.contains(expected), "{message}: no `{expected}`");
    };
    let beyond = [50, 1 << 31, u32::MAX - 1];
    expect(
        after_writing(|b| slice(&b.positives), 4, &beyond),
        "3 ids out of range, 0 numbers",
    );
    expect(
        after_writing(|b| slice(&b.rows), 0, &[9, u32::MAX]),
        "2 ids out of range, 0 numbers",
    );
    expect(
        after_writing(|b| slice(&b.columns), 29, &[50]),
        "1 ids out of range, 0 numbers",
    );
    let nan = f32::NAN.to_bits();
    let infinite = f32::INFINITY.to_bits();
    for pick in [
        |b: &Buffers| b.queries.clone(),
        |b: &Buffers| b.candidates.clone(),
    ] {
        // The first rows may be used several times, or, listed, not at all: write all of them.
        let words: Vec<u32> = [nan, infinite].repeat(27);
        let message = after_writing(|b| slice(&pick(b)), 0, &words);
        expect(message.clone(), " 0 ids out of range");
        assert!(!message.contains(" 0 numbers"), "{message}");
    }
    let message = after_writing(|b| slice(&b.weights), 7, &[nan]);
    expect(message, "0 ids out of range, 1 numbers");
}

fn argument(prepared: &Prepared, buffers: &Buffers) -> &'static str {
    let mut encoder = context()
        .device()
        .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    match prepared.plan.encode(&mut encoder, buffers) {
        Err(Error::Shape { argument, .. }) => argument,
        other => panic!("{other:?}"),
    }
}

type Pick = fn(&mut Buffers) -> &mut Option<Slice>;

const RANGES: [(&str, Pick); 8] = [
    ("queries", |b| &mut b.queries),
    ("candidates", |b| &mut b.candidates),
    ("rows", |b| &mut b.rows),
    ("positives", |b| &mut b.positives),
    ("positive offsets", |b| &mut b.positive_offsets),
    ("columns", |b| &mut b.columns),
    ("grad_queries", |b| &mut b.grad_queries),
    ("grad_candidates", |b| &mut b.grad_candidates),
];

pub fn ranges_are_checked_by_name() {
    let prepared = prepared(&case());
    for (name, pick) in RANGES {
        let mut short = prepared.buffers.clone();
        pick(&mut short).as_mut().expect("it is there").size -= 4;
        assert_eq!(argument(&prepared, &short), name);
        let mut beyond = prepared.buffers.clone();
        pick(&mut beyond).as_mut().expect("it is there").offset = 1 << 20;
        assert_eq!(argument(&prepared, &beyond), name);
        let mut odd = prepared.buffers.clone();
        let slice = pick(&mut odd).as_mut().expect("it is there");
        // A larger buffer, so that only the alignment is wrong.
        slice.buffer = context().device().create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 1 << 20,
            usage: wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        slice.offset = 2;
        assert_eq!(argument(&prepared, &odd), name);
    }
    let mut value = prepared.buffers.clone();
    value.value = value
        .positives
        .clone()
        .map(|slice| Slice { size: 2, ..slice });
    assert_eq!(argument(&prepared, &value), "value");
}

pub fn missing_ranges_are_named() {
    let prepared = prepared(&case());
    for (name, pick) in RANGES {
        let mut buffers = prepared.buffers.clone();
        *pick(&mut buffers) = None;
        assert_eq!(argument(&prepared, &buffers), name);
    }
}
