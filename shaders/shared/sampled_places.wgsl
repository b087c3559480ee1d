// Places of one candidate among the sampled ids, as far as they lie in the chunk.
//
// Places come in an order of their own: row group by row group, within it unit of slots by unit,
// within that row by row. Chunks are made of whole groups, or of whole units of one group, so their
// borders do not show in the bits.
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

fn row_group(place: u32) -> u32 {
    return place / job.per_row / (LANES * ROWS);
}

fn slot_unit(place: u32) -> u32 {
    return place % job.per_row / COLUMN_UNIT;
}

// Has the stage's `add` add the places of one row group, from its first one on; the next group's first place, or NONE.
fn add_group(first: u32, own: u32, to: u32) -> u32 {
    let group = row_group(first);
    var place = NONE;
    var unit = 0u;
    while unit != NONE {
        var following = NONE;
        for (place = first; place != NONE && row_group(place) == group; place = next(place)) {
            let its = slot_unit(place);
            if its == unit {
                add(place, own, to);
            }
            if its > unit {
                following = min(following, its);
            }
        }
        unit = following;
    }
    return place;
}
