//! Calls of the device whose failures come back as errors: waiting for it, and what it may refuse.

use super::Context;
use crate::{Error, Result};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

/// How often, a millisecond apart, a failed call looks for a lost device behind it.
const LOOKS_FOR_LOSS: usize = 20;

impl Context {
    /// Takes note that the device is lost: for a lost callback of the caller's own.
    pub fn report_lost(&self, reason: impl Into<String>) {
        let _ = self.lost.set(reason.into());
    }

    /// Polls the device.
    pub(crate) fn poll(&self, poll: wgpu::PollType) -> Result<()> {
        // wgpu panics where polling finds the device lost. It has called the callback by then, and
        // leaves nothing behind that a later call could trip over.
        let polled = catch_unwind(AssertUnwindSafe(|| self.device.poll(poll)));
        let message = match polled {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(wgpu::PollError::Timeout)) => return Err(self.timed_out()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the driver failed while it was polled".into(),
        };
        Err(self.check_lost().err().unwrap_or(Error::Gpu(message)))
    }

    fn timed_out(&self) -> Error {
        let limit = self.timeout.unwrap_or(Duration::MAX);
        self.check_lost().err().unwrap_or(Error::Timeout { limit })
    }

    /// Blocks until a submission, by default the last one, is through.
    pub(crate) fn wait(&self, submission_index: Option<wgpu::SubmissionIndex>) -> Result<()> {
        self.check_lost()?;
        self.poll(wgpu::PollType::Wait {
            submission_index,
            timeout: self.timeout,
        })
    }

    /// The error behind a failed call: a lost device, if it is that.
    pub(crate) fn failure(&self, message: String) -> Error {
        for _ in 0..LOOKS_FOR_LOSS {
            // A device that was destroyed says so when it is polled, maybe by another thread.
            let polled = self.poll(wgpu::PollType::Poll);
            if let Err(lost) = polled.and_then(|()| self.check_lost()) {
                return lost;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Error::Gpu(message)
    }

    /// Runs what calls the device; what the device says against it is the error.
    pub(crate) fn guarded<T>(&self, what: &str, calls: impl FnOnce() -> T) -> Result<T> {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let valid = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let result = calls();
        // Scopes end where they are popped, not where the answers come.
        let (valid, memory) = (valid.pop(), memory.pop());
        if let Some(error) = pollster::block_on(memory) {
            return Err(Error::OutOfMemory(format!("{what}: {error}")));
        }
        match pollster::block_on(valid) {
            Some(error) => Err(self.failure(format!("{what}: {error}"))),
            None => Ok(result),
        }
    }
}
