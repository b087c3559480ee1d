//! The numbers of one dispatch; twin of `shaders/shared/job.wgsl`.

use bytemuck::{Pod, Zeroable};

macro_rules! job {
    ($($field:ident),* $(,)?) => {
        /// Sizes and ranges of one dispatch. The meaning of each field stands in the WGSL twin.
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
        #[allow(missing_docs, reason = "documented in the WGSL twin")]
        pub struct Job { $(pub $field: u32),* }

        /// The fields in order.
        pub const FIELDS: &[&str] = &[$(stringify!($field)),*];
    };
}

job!(
    grid_x,
    groups,
    rows,
    row_begin,
    row_count,
    row_pad,
    pairs,
    pair_begin,
    pair_count,
    columns,
    column_begin,
    column_count,
    column_pad,
    weight_begin,
    weight_count,
    weight_pad,
    span_width,
    spans,
    dim,
    dim4,
    packed_stride,
    table_rows,
    table_begin,
    table_count,
    table_stride,
    packed_at,
    item_begin,
    item_count,
    item_pad,
    flags,
    second_queries,
    second_candidates,
    second_dim4,
    second_stride,
    sort_count,
    sort_shift,
    sort_segments,
    per_row,
    row_total,
    thetas,
    row_parameters,
    per_class,
    query_rows,
    kth,
    parameter,
);

/// Bytes between two jobs in their buffer: the largest alignment an adapter may ask for.
pub const JOB_STRIDE: usize = 256;

macro_rules! flags {
    ($($name:ident = $value:literal),* $(,)?) => {
        $(#[allow(missing_docs, reason = "documented in the WGSL twin")] pub const $name: u32 = $value;)*
        /// The flags by name.
        pub const FLAGS: &[(&str, u32)] = &[$((stringify!($name), $value)),*];
    };
}

flags!(
    IDENTITY = 1,
    COSINE = 2,
    COUNT = 4,
    COUNT_ZERO = 512,
    LOG_Q = 8,
    WEIGHTS = 16,
    UPSTREAM = 32,
    EXCLUDE_BY_QUERY = 64,
    FIRST = 128,
    EXCLUDE = 256,
    CANDIDATES = 1024,
    MEAN = 2048,
    LOG_MEAN = 4096,
    PER_GROUP = 8192,
    TANGENT = 16384,
    IGNORABLE = 32768,
    COLUMN_PARAMETERS = 65536,
    ENTRY_CONSTANTS = 131072,
    EXCLUDE_SELF = 262144,
    KEEP_POSITIVES = 524288,
    PROJECTION = 1048576,
    LAST = 2097152,
    REFERENCE = 4194304,
    CONTINUED = 8388608,
    SECOND_TABLES = 16777216,
    COMPACT = 33554432,
    ABSENT_ROWS = 67108864,
    BY_QUERY = 134217728,
    POOL_SUM = 268435456,
    EMPTY_ROWS = 536870912,
);

/// `flag` if `on`.
#[must_use]
pub fn flag(flag: u32, on: bool) -> u32 {
    if on { flag } else { 0 }
}
