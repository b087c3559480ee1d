// Places of one candidate among the sampled ids, as far as they lie in the chunk. Their chain is in
// the order of `sampled_order`, in which a chunk's places follow each other.
// NONE is in no chunk.
fn in_chunk(place: u32) -> bool {
    let begin = job.row_begin * job.per_row;
    var inside = place >= begin && place < begin + job.row_count * job.per_row;
    // Divisions are slow.
    if job.column_count != job.per_row {
        let slot = place % job.per_row;
        inside = inside && slot >= job.column_begin && slot < job.column_begin + job.column_count;
    }
    return inside;
}

fn next(place: u32) -> u32 {
    let following = column_links[place].y;
    return select(NONE, following, in_chunk(following));
}

fn is_first(place: u32) -> bool {
    return !in_chunk(column_links[place].x);
}
