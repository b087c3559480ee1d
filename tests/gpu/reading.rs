//! Results come back without blocking, and what goes wrong on the way is an error.

use crate::{
    case::Case,
    device::{Prepared, bits, context, context_with, open, submit},
};
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as Task, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};
use wgloss::{
    Error, Want,
    gpu::{self, Context, ContextOptions, PlanOptions, Slice, read_back_async},
    loss::{Score, Sl},
    wgpu,
};

fn prepared(context: &Context, case: &Case) -> Prepared {
    let options = PlanOptions::default();
    Prepared::new(context, &Sl::new(0.2), &case.batch(), &options, f32::NAN)
}

/// Submits an evaluation; on a lost device nothing is said against it.
fn start(prepared: &Prepared) {
    start_all(prepared, 1);
}

/// The same evaluation several times, in one submission.
fn start_all(prepared: &Prepared, count: usize) {
    submit(prepared.plan.context(), |encoder| {
        for _ in 0..count {
            let recorded = prepared.plan.encode(encoder, &prepared.buffers);
            recorded.expect("it records");
        }
    });
}

/// An executor that only ever polls when it is woken, and counts.
struct Counting(Thread, AtomicUsize);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::Release);
        self.0.unpark();
    }
}

/// The outcome, and how often it was asked for.
fn drive<F: Future>(future: F) -> (F::Output, usize) {
    let counting = Arc::new(Counting(thread::current(), AtomicUsize::new(1)));
    let waker = Waker::from(Arc::clone(&counting));
    let (mut future, mut asked) = (pin!(future), 0);
    loop {
        while counting.1.swap(0, Ordering::Acquire) == 0 {
            thread::park();
        }
        asked += 1;
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut Task::from_waker(&waker)) {
            return (outcome, asked);
        }
    }
}

/// What is submitted while a reading waits does not show in it, and nobody polls in a loop.
pub fn awaited_results_are_those_of_their_time() {
    let prepared = prepared(context(), &Case::new([37, 101, 17]));
    let gradients = prepared.buffers.grad_queries.clone().expect("wanted");
    start(&prepared);
    let expected = prepared
        .plan
        .read(std::slice::from_ref(&gradients))
        .expect("it reads");
    start(&prepared);
    let reading = prepared.plan.read_async(std::slice::from_ref(&gradients));
    prepared.plan.set_loss(&Sl::new(0.5));
    start(&prepared);
    let (read, asked) = drive(reading);
    let (results, words) = read.expect("it reads");
    assert_eq!(words, expected.1);
    assert_eq!(results.value.to_bits(), expected.0.value.to_bits());
    assert_eq!(results.row_losses, expected.0.row_losses);
    assert!(asked <= 3, "asked {asked} times");
    let later = prepared.plan.read(&[gradients]).expect("it reads");
    assert_ne!(later.1, expected.1);
}

/// Several at once, awaited out of order, one not at all.
pub fn evaluations_overlap() {
    let (sl, case) = (Sl::new(0.2), Case::new([37, 101, 17]));
    let batch = case.batch();
    let expected = gpu::evaluate(context(), &sl, &batch, Want::BOTH).expect("it evaluates");
    let run = || gpu::evaluate_async(context(), &sl, &batch, Want::BOTH);
    let (first, second, third) = (run(), run(), run());
    drop(first);
    for reading in [third, second] {
        let output = pollster::block_on(reading).expect("it evaluates");
        assert_eq!(bits(&output), bits(&expected));
        assert_eq!(output.statistics, expected.statistics);
    }
    let value = gpu::evaluate_async(context(), &sl, &batch, Want::NOTHING);
    let value = pollster::block_on(value).expect("it evaluates");
    assert_eq!(value.value.to_bits(), expected.value.to_bits());
    assert_eq!((value.grad_queries, value.grad_candidates), (None, None));
}

/// A range that is none is an error, and the device goes on.
pub fn a_bad_range_is_an_error() {
    let prepared = prepared(context(), &Case::new([37, 101, 17]));
    let beyond = prepared.buffers.queries.clone().map(|slice| Slice {
        offset: slice.buffer.size(),
        ..slice
    });
    let ranges = [beyond.expect("it is there")];
    let read = read_back_async(context(), &ranges).map(|reading| reading.wait());
    assert!(matches!(read, Err(Error::Gpu(_))), "{read:?}");
    start(&prepared);
    prepared.plan.read(&[]).expect("it reads");
}

/// A software adapter may have computed before the submission returned; it is never late. On a large GPU
/// one evaluation may be done as soon.
pub fn a_late_answer_is_an_error() {
    let software = context().device().adapter_info().device_type == wgpu::DeviceType::Cpu;
    let hasty = context_with(&ContextOptions {
        timeout: Some(Duration::ZERO),
        ..ContextOptions::default()
    });
    let prepared = prepared(&hasty, &Case::new([600, 9000, 17]));
    for wait in [true, false] {
        start_all(&prepared, if software { 1 } else { 300 });
        let read = if wait {
            prepared.plan.read(&[]).map(drop)
        } else {
            drive(prepared.plan.read_async(&[])).0.map(drop)
        };
        let late = matches!(read, Err(Error::Timeout { .. }));
        assert!(late || software && read.is_ok(), "{read:?}");
        // The device is none the worse for it.
        let whole = [prepared.buffers.queries.clone().expect("it is there")];
        let patient = read_back_async(context(), &whole).expect("it starts");
        patient.wait().expect("it reads");
    }
}

/// Every context on a device notices that it is lost, and so does what waits for it.
pub fn a_lost_device_is_noticed_by_all() {
    let first = open(&ContextOptions::default());
    let (device, queue) = (first.device().clone(), first.queue().clone());
    let with = |keep_lost_callback: bool| {
        let options = ContextOptions {
            keep_lost_callback,
            ..ContextOptions::default()
        };
        Context::new(&device, &queue, &options).expect("a good device")
    };
    let (second, apart) = (with(false), with(true));
    drop(with(false));
    let third = with(false);
    let elsewhere = open(&ContextOptions::default());
    let prepared = prepared(&second, &Case::new([37, 101, 17]));
    start(&prepared);
    prepared.plan.read(&[]).expect("it reads");
    start(&prepared);
    let pending = prepared.plan.read_async(&[]);
    device.destroy();
    // What was under way may end well, but it ends.
    if let Err(error) = drive(pending).0 {
        assert!(matches!(error, Error::DeviceLost(_)), "{error}");
    }
    for context in [&first, &second, &third, &apart] {
        let queries = prepared.buffers.queries.clone().expect("it is there");
        let read = read_back_async(context, &[queries]).map(|reading| drive(reading).0);
        assert!(!matches!(read, Ok(Ok(_))), "{read:?}");
    }
    for context in [&first, &second, &third] {
        let lost = context.check_lost();
        assert!(matches!(lost, Err(Error::DeviceLost(_))), "{lost:?}");
    }
    let evaluated = gpu::evaluate(
        &first,
        &Sl::new(0.2),
        &Case::new([3, 5, 4]).batch(),
        Want::BOTH,
    );
    assert!(
        matches!(evaluated, Err(Error::DeviceLost(_))),
        "{evaluated:?}"
    );
    assert!(apart.check_lost().is_ok());
    apart.report_lost("as the caller's callback says");
    let error = apart.check_lost().expect_err("it was reported").to_string();
    assert!(error.contains("the caller's callback"), "{error}");
    assert!(elsewhere.check_lost().is_ok());
}

/// Overflow on the way is named, not returned.
pub fn numbers_that_overflow_are_an_error() {
    let mut case = Case::new([37, 101, 17]);
    for x in &mut case.queries.numbers {
        *x *= 1e30;
    }
    for x in &mut case.candidates.numbers {
        *x *= 1e30;
    }
    let loss = Sl {
        score: Score::Dot,
        ..Sl::new(0.2)
    };
    let output = gpu::evaluate(context(), &loss, &case.batch(), Want::BOTH);
    assert!(matches!(output, Err(Error::NotFinite { .. })), "{output:?}");
}
