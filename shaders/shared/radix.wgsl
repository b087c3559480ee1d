// A stable counting sort of places by id, four bits at a time. Every digit of every segment has an
// invocation of its own that reads the segment in order: no atomics, the same order every time.
const DIGITS: u32 = 16u;

// Ids beyond the table (ignored ones) sort behind all others.
fn digit(id: u32) -> u32 {
    return (min(id, job.table_rows) >> job.sort_shift) % DIGITS;
}

fn segment_length() -> u32 {
    return (job.sort_count + job.sort_segments - 1u) / job.sort_segments;
}
