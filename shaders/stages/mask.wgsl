// One bit per (row, column) of the chunk: set where the column is no negative of the row. Words come
// from `clear_masks`, which masks the padding.
#import job

#bind read row_ids array<u32>
#bind read exclude_offsets array<u32>
#bind read exclude_ids array<u32>
#bind read pair_offsets array<u32>
#bind read positive_ids array<u32>
#if SHARED
// One more than the first place of an id in the shared list (0: none), and the chain of its places.
#bind read heads array<u32>
#bind read links array<vec2<u32>>
#end
#bind write masks array<u32>

fn set_bit(row: u32, column: u32) {
    if column < job.column_begin || column >= job.column_begin + job.column_count {
        return;
    }
    let at = column - job.column_begin;
    let word = ((row / 4u) * (job.column_pad / 32u) + at / 32u) * 4u + row % 4u;
    masks[word] = masks[word] | (1u << (at % 32u));
}

// All candidates of a class, or the one candidate that it is.
fn mask_class(row: u32, own_class: u32) {
    if own_class >= job.table_rows / job.per_class {
        return;
    }
#if SHARED
    let id = own_class;
    var place = heads[id] - 1u;
    while place < job.columns {
        set_bit(row, place);
        place = links[place].y;
    }
#else
    for (var k = 0u; k < job.per_class; k += 1u) {
        set_bit(row, own_class * job.per_class + k);
    }
#end
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group_index(group) * LANES + local;
    if row >= job.row_count {
        return;
    }
    let batch_row = job.row_begin + row;
    if !has(KEEP_POSITIVES) {
        let pair_end = min(pair_offsets[batch_row + 1u], job.pairs);
        for (var pair = pair_offsets[batch_row]; pair < pair_end; pair += 1u) {
            // Behind `positive_centres` ids are those of candidates.
            mask_class(row, positive_ids[pair] / job.per_class);
        }
    }
    var query = batch_row;
    if !has(IDENTITY) {
        query = row_ids[batch_row];
    }
    if has(EXCLUDE_SELF) {
        mask_class(row, query);
    }
    if has(EXCLUDE) {
        var list = select(batch_row, query, has(EXCLUDE_BY_QUERY));
        list = min(list, arrayLength(&exclude_offsets) - 2u);
        let end = min(exclude_offsets[list + 1u], arrayLength(&exclude_ids));
        for (var at = exclude_offsets[list]; at < end; at += 1u) {
            mask_class(row, exclude_ids[at]);
        }
    }
}
