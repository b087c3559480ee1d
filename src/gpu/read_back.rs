//! Reading buffers back: [`ReadBack`].

use super::{Context, Slice};
use crate::{Error, Result};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    thread,
    time::Duration,
};

/// How often, and how long apart, a mapping is looked for that another thread's poll has taken on.
const LOOKS: u32 = 10_000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// Numbers on their way to the host: one list of words per range.
///
/// The copies were submitted when this was made: what is submitted later does not show in them. It
/// is a future for any executor, and asks for nothing of it. Native devices have to be polled for
/// anything to arrive. Awaiting does that itself: it polls without blocking, and if the numbers are
/// not there yet, one thread that lives as long as the copy waits for the device. Where the caller
/// polls the device anyway, from an event loop say, the numbers arrive by that as well.
/// [`ReadBack::wait`] blocks the calling thread and needs no other.
#[derive(Debug)]
#[must_use = "nothing is read before this is awaited or waited for"]
pub struct ReadBack {
    context: Context,
    staging: wgpu::Buffer,
    sizes: Vec<u64>,
    submission: wgpu::SubmissionIndex,
    mapping: Arc<Mapping>,
    watched: bool,
}

/// What becomes of the mapping, and who wants to know.
#[derive(Debug, Default)]
struct Mapping(Mutex<(Option<Result<()>>, Option<Waker>)>);

impl Mapping {
    fn lock(&self) -> MutexGuard<'_, (Option<Result<()>>, Option<Waker>)> {
        // Nothing that holds the lock can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first outcome counts.
    fn finish(&self, outcome: Result<()>) {
        let waker = {
            let mut state = self.lock();
            state.0.get_or_insert(outcome);
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn is_finished(&self) -> bool {
        self.lock().0.is_some()
    }
}

/// Starts copying ranges to the host, in one submission. Ranges are multiples of 4 bytes, in
/// buffers with usage `COPY_SRC`.
///
/// # Errors
/// The device is lost or out of memory, or a range is none of its buffer.
pub fn read_back_async(context: &Context, ranges: &[Slice]) -> Result<ReadBack> {
    context.check_lost()?;
    let sizes: Vec<u64> = ranges.iter().map(|range| range.size).collect();
    let total = sizes.iter().sum();
    let mapping = Arc::new(Mapping::default());
    let (staging, submission) = context.guarded("reading back", || {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let staging = context.buffer("read back", total, usage);
        let mut encoder = context.device().create_command_encoder(&Default::default());
        let mut at = 0;
        for range in ranges.iter().filter(|range| range.size > 0) {
            encoder.copy_buffer_to_buffer(&range.buffer, range.offset, &staging, at, range.size);
            at += range.size;
        }
        let submission = context.queue().submit([encoder.finish()]);
        let mapped = Arc::clone(&mapping);
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            mapped.finish(result.map_err(|error| Error::Gpu(format!("reading back: {error}"))));
        });
        (staging, submission)
    })?;
    Ok(ReadBack {
        context: context.clone(),
        staging,
        sizes,
        submission,
        mapping,
        watched: false,
    })
}

/// Copies ranges to the host and waits for them: [`read_back_async`] for callers who may block.
///
/// # Errors
/// As there, and as [`ReadBack::wait`].
pub fn read_back(context: &Context, ranges: &[Slice]) -> Result<Vec<Vec<u32>>> {
    read_back_async(context, ranges)?.wait()
}

impl ReadBack {
    /// Blocks until the numbers are there.
    ///
    /// # Errors
    /// The device is lost, or takes longer than
    /// [`ContextOptions::timeout`](super::ContextOptions::timeout).
    pub fn wait(self) -> Result<Vec<Vec<u32>>> {
        wait(&self.context, self.submission.clone(), &self.mapping);
        pollster::block_on(self)
    }

    /// Waits on a thread of its own.
    fn watch(&mut self) -> Result<()> {
        let (context, mapping) = (self.context.clone(), Arc::clone(&self.mapping));
        let submission = self.submission.clone();
        thread::Builder::new()
            .name("wgloss read back".into())
            .spawn(move || wait(&context, submission, &mapping))
            .map_err(|error| Error::Gpu(format!("a thread that waits for the device: {error}")))?;
        self.watched = true;
        Ok(())
    }

    fn words(&self) -> Result<Vec<Vec<u32>>> {
        let view = (self.staging.get_mapped_range(..))
            .map_err(|error| self.context.failure(error.to_string()))?;
        let words: &[u32] = bytemuck::cast_slice(&view);
        let mut rest = words;
        let lists = self.sizes.iter().map(|size| {
            let count = usize::try_from(size / 4).unwrap_or(usize::MAX);
            let (list, behind) = rest.split_at(count.min(rest.len()));
            rest = behind;
            list.to_vec()
        });
        Ok(lists.collect())
    }
}

/// Blocks until the mapping has an outcome, whatever happens.
fn wait(context: &Context, submission: wgpu::SubmissionIndex, mapping: &Mapping) {
    if let Err(error) = context.wait(Some(submission)) {
        return mapping.finish(Err(error));
    }
    // Another thread may have polled first and be about to tell.
    for _ in 0..LOOKS {
        if mapping.is_finished() {
            return;
        }
        thread::sleep(BETWEEN_LOOKS);
        if let Err(error) = context.poll(wgpu::PollType::Poll) {
            return mapping.finish(Err(error));
        }
    }
    mapping.finish(Err(context.failure("a buffer was never mapped".into())));
}

impl Future for ReadBack {
    type Output = Result<Vec<Vec<u32>>>;

    fn poll(mut self: Pin<&mut Self>, task: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        if !self.mapping.is_finished()
            && let Err(error) = self.context.poll(wgpu::PollType::Poll)
        {
            return Poll::Ready(Err(error));
        }
        let outcome = {
            let mut state = self.mapping.lock();
            if state.0.is_none() {
                state.1 = Some(task.waker().clone());
            }
            state.0.take()
        };
        match outcome {
            Some(Ok(())) => Poll::Ready(self.words()),
            Some(Err(error)) => Poll::Ready(Err(self.context.check_lost().err().unwrap_or(error))),
            None if self.watched => Poll::Pending,
            None => match self.watch() {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }
}
