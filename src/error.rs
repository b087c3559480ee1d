//! The one error type. Every variant names the argument, what was expected and what came.

/// What can go wrong; printed, each is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument has the wrong length or shape.
    #[error("{argument}: expected {expected}, got {actual}")]
    Shape {
        /// The argument's name.
        argument: &'static str,
        /// What was expected.
        expected: String,
        /// What came.
        actual: String,
    },
    /// An id points outside its table.
    #[error("{argument}[{at}]: id {id} is out of range, the table has {count} rows")]
    Id {
        /// The argument's name.
        argument: &'static str,
        /// Position within the argument.
        at: usize,
        /// The offending id.
        id: u64,
        /// Number of rows of the table.
        count: usize,
    },
    /// A number is NaN or infinite.
    #[error("{argument}[{at}]: expected a finite number, got {value}")]
    NotFinite {
        /// The argument's name.
        argument: &'static str,
        /// Position within the argument.
        at: usize,
        /// The offending value.
        value: f64,
    },
    /// A parameter of a loss, or of the batch together with the loss, is outside its domain.
    #[error("{loss}: {parameter} = {value}: {domain}")]
    Domain {
        /// The loss's name.
        loss: &'static str,
        /// The parameter's name.
        parameter: &'static str,
        /// Its value.
        value: String,
        /// The domain, in words.
        domain: String,
    },
    /// A loss or a parameter of a loss is not known.
    #[error("{what}: unknown {kind} `{name}`, expected one of: {valid}")]
    Unknown {
        /// Where the name stood.
        what: String,
        /// "loss", "parameter", "device", …
        kind: &'static str,
        /// The name as given.
        name: String,
        /// The valid names, comma-separated.
        valid: String,
    },
    /// The loss and the batch (or an option) cannot be combined.
    #[error("{0}")]
    Unsupported(String),
    /// Device-side data held bad ids, unsorted lists or non-finite numbers; seen by the shaders.
    #[error("device buffers held bad input: {0}")]
    DeviceInput(String),
    /// A plan needs more memory, or a larger binding, than the device offers.
    #[error("{what}: needs {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// What does not fit.
        what: String,
        /// Bytes needed.
        bytes: u64,
        /// Bytes available.
        limit: u64,
    },
    /// No adapter answers the request.
    #[error("no adapter: {0}")]
    NoAdapter(String),
    /// The device was lost; every buffer on it is gone.
    #[error("device lost: {0}")]
    DeviceLost(String),
    /// The device took longer than it may. What was submitted may still come to its end.
    #[error("no answer from the device within {limit:?}")]
    Timeout {
        /// The longest wait: [`ContextOptions::timeout`](crate::gpu::ContextOptions::timeout).
        limit: std::time::Duration,
    },
    /// The driver ran out of memory.
    #[error("device out of memory: {0}")]
    OutOfMemory(String),
    /// Any other error that the GPU API reported.
    #[error("gpu: {0}")]
    Gpu(String),
    /// Training left the finite numbers.
    #[error("training diverged in epoch {epoch}: {what} ({settings})")]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// What is no longer finite.
        what: String,
        /// Loss, optimiser and batches.
        settings: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The path.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A field of a file is missing or is not what was expected.
    #[error("{path}: {field}: {message}")]
    Field {
        /// The path.
        path: String,
        /// The field's name.
        field: String,
        /// What was expected and what came.
        message: String,
    },
    /// What a file describes cannot be evaluated.
    #[error("{path}: {source}")]
    File {
        /// The path.
        path: String,
        /// The cause.
        #[source]
        source: Box<Error>,
    },
    /// A file's content is not what was expected.
    #[error("{path}{}: {message}", place(*line))]
    Parse {
        /// The path.
        path: String,
        /// Line number from 1; 0 when it is not about one line.
        line: usize,
        /// What was expected and what came.
        message: String,
    },
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What follows a path to name a line of the file.
fn place(line: usize) -> String {
    match line {
        0 => String::new(),
        line => format!(":{line}"),
    }
}
