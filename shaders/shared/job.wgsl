// What one dispatch does: sizes and the part of the work that is its own. Twin of `Job` in
// src/gpu/job.rs; a test compares the fields.
struct Job {
    // Workgroups per row of the folded grid, and how many are wanted in all.
    grid_x: u32,
    groups: u32,
    // Batch rows: all; first and number of this row chunk.
    rows: u32,
    row_begin: u32,
    row_count: u32,
    row_pad: u32,
    // Pairs: all; first and number of this pair chunk.
    pairs: u32,
    pair_begin: u32,
    pair_count: u32,
    // Columns: all; first and number of this column chunk, padded to whole mask words.
    columns: u32,
    column_begin: u32,
    column_count: u32,
    column_pad: u32,
    // Columns whose weights are in the scratch, relative to the column chunk.
    weight_begin: u32,
    weight_count: u32,
    weight_pad: u32,
    // Columns per span of the row reduction or of the weights, and number of spans.
    span_width: u32,
    spans: u32,
    // D, and packed rows in vec4: the numbers, then one more for the record.
    dim: u32,
    dim4: u32,
    packed_stride: u32,
    // A table: all rows; first and number that are bound; elements between rows.
    table_rows: u32,
    table_begin: u32,
    table_count: u32,
    table_stride: u32,
    // Where packed rows go (vec4), the first entry and how many entries to pack (and padding).
    packed_at: u32,
    item_begin: u32,
    item_count: u32,
    item_pad: u32,
    // Bits: see the constants.
    flags: u32,
    // Where the second tables begin within the packed buffers; for stages that work on one pair of
    // tables, where theirs begin.
    second_queries: u32,
    second_candidates: u32,
    second_dim4: u32,
    second_stride: u32,
    // Radix sort: entries, shift of the digit, number of segments.
    sort_count: u32,
    sort_shift: u32,
    sort_segments: u32,
    // Slots per row of sampled columns.
    per_row: u32,
    // Rows of all chunks, padded.
    row_total: u32,
    // Learnable scalars.
    thetas: u32,
    // Numbers per batch row.
    row_parameters: u32,
    // Candidates of a class.
    per_class: u32,
    // Rows of the query table.
    query_rows: u32,
    // K of K-th largest scores, and the row parameter that they become.
    kth: u32,
    parameter: u32,
}

// Entries are their own ids.
const IDENTITY: u32 = 1u;
// Normalise to unit length.
const COSINE: u32 = 2u;
// Count bad ids and non-finite numbers of this pass.
const COUNT: u32 = 4u;
// Count zero norms, each id once.
const COUNT_ZERO: u32 = 512u;
// log q is given.
const LOG_Q: u32 = 8u;
// Pair weights are given.
const WEIGHTS: u32 = 16u;
// Upstream gradients are given.
const UPSTREAM: u32 = 32u;
// The exclusion lists belong to queries.
const EXCLUDE_BY_QUERY: u32 = 64u;
// The first column chunk of a row chunk: start sums and counts from zero.
const FIRST: u32 = 128u;
// Exclusion lists are given.
const EXCLUDE: u32 = 256u;
// Zero norms count as candidates', not queries'.
const CANDIDATES: u32 = 1024u;
// The value is a mean over live pairs.
const MEAN: u32 = 2048u;
// The value is the log-mean-exp of the row losses.
const LOG_MEAN: u32 = 4096u;
// A group of pooled pairs counts once in the mean.
const PER_GROUP: u32 = 8192u;
// Contributions of positives run along unit tangents.
const TANGENT: u32 = 16384u;
// An id of NONE is an ignored pair, not a bad id.
const IGNORABLE: u32 = 32768u;
// A number per candidate is given.
const COLUMN_PARAMETERS: u32 = 65536u;
// A number per (row, slot) of sampled columns is given.
const ENTRY_CONSTANTS: u32 = 131072u;
// Rows are no negatives of themselves.
const EXCLUDE_SELF: u32 = 262144u;
// Positives are columns of their rows.
const KEEP_POSITIVES: u32 = 524288u;
// Scores are ‖q‖·cos θ: candidates are of unit length, queries are not.
const PROJECTION: u32 = 1048576u;
// The last piece of a table.
const LAST: u32 = 2097152u;
// Given scores come with those of a reference.
const REFERENCE: u32 = 4194304u;
// The rows go on from the sums of those before them.
const CONTINUED: u32 = 8388608u;
// Columns and pairs have rows of their own in the candidates' gradients.
const COMPACT: u32 = 33554432u;
// Rows may be without a positive.
const ABSENT_ROWS: u32 = 67108864u;
// Row parameters belong to queries.
const BY_QUERY: u32 = 134217728u;
// Pooled targets are log-sums, not log-means.
const POOL_SUM: u32 = 268435456u;
// A row without a live column counts.
const EMPTY_ROWS: u32 = 536870912u;
// The second tables are at work: positives have no part in them.
const SECOND_TABLES: u32 = 16777216u;

@group(0) @binding(0) var<uniform> job: Job;

const NONE: u32 = 0xffffffffu;
// The id of a pair without a positive.
const ABSENT: u32 = NONE - 1u;

// The workgroup's number in the folded grid.
fn group_index(group: vec3<u32>) -> u32 {
    return group.x + group.y * job.grid_x;
}

fn has(flag: u32) -> bool {
    return (job.flags & flag) != 0u;
}
