// Number of columns that are not masked, per batch row, added up over the column chunks.
#import job

#bind read masks array<u32>
#bind write row_counts array<u32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group_index(group) * LANES + local;
    if row >= job.row_count {
        return;
    }
    let words = job.column_pad / 32u;
    var count = 0u;
    for (var word = 0u; word < words; word += 1u) {
        count += 32u - countOneBits(masks[((row / 4u) * words + word) * 4u + row % 4u]);
    }
    if !has(FIRST) {
        count += row_counts[job.row_begin + row];
    }
    row_counts[job.row_begin + row] = count;
}
