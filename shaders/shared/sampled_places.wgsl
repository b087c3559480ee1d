// Places of one candidate among the sampled ids, as far as they lie in the chunk.
fn in_chunk(place: u32) -> bool {
    let row = place / job.per_row;
    let slot = place % job.per_row;
    return row >= job.row_begin && row < job.row_begin + job.row_count
        && slot >= job.column_begin && slot < job.column_begin + job.column_count;
}

fn next(place: u32) -> u32 {
    let end = (job.row_begin + job.row_count) * job.per_row;
    var following = column_links[place].y;
    while following < end && !in_chunk(following) {
        following = column_links[following].y;
    }
    return select(NONE, following, following < end);
}

fn is_first(place: u32) -> bool {
    var before = column_links[place].x;
    while before != NONE && !in_chunk(before) && before >= job.row_begin * job.per_row {
        before = column_links[before].x;
    }
    return before == NONE || !in_chunk(before);
}
