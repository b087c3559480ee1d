//! What the CPU path holds beyond inputs and gradients: O(B + N + P + listed ids), and its budgets.
//! An allocator that counts says so. One test, so that nothing else allocates.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};
use wgloss::{
    Batch, Columns, Matrix, Positives,
    cpu::{self, Gradient, Gradients, Options},
    loss::Sl,
};

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[expect(unsafe_code, reason = "an allocator is unsafe")]
// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(held, Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROWS: usize = 300;
const CANDIDATES: usize = 20_000;
const DIM: usize = 256;
const PER_ROW: usize = 40;
const OPTIONS: Options = Options {
    scratch_bytes: 1 << 20,
    copy_bytes: 1 << 20,
};

fn numbers(count: usize) -> Vec<f32> {
    let number = |i: usize| (i * 7919 % 1009) as f32 / 1009.0 - 0.5;
    (0..count).map(number).collect()
}

fn ids(count: usize) -> Vec<u32> {
    (0..count).map(|i| (i * 7919 % CANDIDATES) as u32).collect()
}

#[test]
fn gradients_take_no_second_table() {
    let (queries, candidates) = (numbers(ROWS * DIM), numbers(CANDIDATES * DIM));
    let positives = ids(ROWS);
    let (shared, sampled) = (ids(CANDIDATES), ids(ROWS * PER_ROW));
    let mut gradients = [vec![0.0; ROWS * DIM], vec![0.0; CANDIDATES * DIM]];
    let sampled = Columns::Sampled {
        ids: &sampled,
        per_row: PER_ROW,
    };
    // The pool's threads and each thread's buffers of products are there before anything is counted.
    for counted in [false, true] {
        for columns in [Columns::All, Columns::Shared(&shared), sampled] {
            for add in [false, true] {
                let [grad_queries, grad_candidates] = &mut gradients;
                let table = |name, numbers| Matrix::new(name, numbers, DIM).expect("a table");
                let batch = Batch::new(
                    table("queries", &queries),
                    table("candidates", &candidates),
                    Positives::One(&positives),
                );
                let batch = batch.and_then(|batch| batch.columns(columns));
                let batch = batch.expect("a good batch");
                let gradients = Gradients {
                    queries: Some(Gradient {
                        out: grad_queries,
                        add,
                    }),
                    candidates: Some(Gradient {
                        out: grad_candidates,
                        add,
                    }),
                    ..Gradients::default()
                };
                let before = HELD.load(Relaxed);
                MOST.store(before, Relaxed);
                let output = cpu::evaluate_into::<f32>(&Sl::new(0.2), &batch, gradients, &OPTIONS);
                let taken = MOST.load(Relaxed) - before;
                output.expect("an evaluation");
                let linear = 64 * (ROWS + CANDIDATES + ROWS * PER_ROW);
                let budgets = OPTIONS.scratch_bytes * 5 / 4 + OPTIONS.copy_bytes;
                let most = linear + budgets + (3 << 20);
                assert!(
                    !counted || taken < most,
                    "add {add}: {taken} bytes, {most} allowed, the table has {}",
                    CANDIDATES * DIM * 4
                );
            }
        }
    }
}
