// The mask of per-row sampled columns: a slot is masked if its id is excluded from the row. Slots
// are taken literally otherwise: they may equal a positive, which no list excludes.
#import job

#bind read row_ids array<u32>
#bind read exclude_offsets array<u32>
#bind read exclude_ids array<u32>
#bind read sampled_ids array<u32>
#bind read pair_offsets array<u32>
#bind read positive_ids array<u32>
#bind write masks array<u32>

fn is_positive(row: u32, id: u32) -> bool {
    let end = min(pair_offsets[row + 1u], job.pairs);
    for (var pair = pair_offsets[row]; pair < end; pair += 1u) {
        if positive_ids[pair] == id {
            return true;
        }
    }
    return false;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let words = job.column_pad / 32u;
    let index = group_index(group) * LANES + local;
    let row = index / words;
    let word = index % words;
    if row >= job.row_pad {
        return;
    }
    let batch_row = job.row_begin + row;
    var begin = 0u;
    var end = 0u;
    if has(EXCLUDE) && row < job.row_count {
        var list = batch_row;
        if has(EXCLUDE_BY_QUERY) && !has(IDENTITY) {
            list = row_ids[batch_row];
        }
        list = min(list, arrayLength(&exclude_offsets) - 2u);
        begin = exclude_offsets[list];
        end = min(exclude_offsets[list + 1u], arrayLength(&exclude_ids));
    }
    var bits = 0u;
    for (var bit = 0u; bit < 32u; bit += 1u) {
        let slot = word * 32u + bit;
        var masked = row >= job.row_count || slot >= job.column_count;
        if !masked {
            let id = sampled_ids[batch_row * job.per_row + job.column_begin + slot];
            masked = id >= job.table_rows;
            var excluded = false;
            for (var at = begin; at < end; at += 1u) {
                excluded = excluded || exclude_ids[at] == id;
            }
            if excluded && !is_positive(batch_row, id) {
                masked = true;
            }
        }
        bits |= select(0u, 1u << bit, masked);
    }
    masks[((row / 4u) * words + word) * 4u + row % 4u] = bits;
}
