// Number of columns that are not masked, per batch row, added up over the column chunks. Whole
// numbers: the order of additions does not show.
#import job

#bind read masks array<vec4<u32>>
#bind write row_counts array<atomic<u32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let words = job.column_pad / 32u;
    let parts = (words + COUNT_WORDS - 1u) / COUNT_WORDS;
    let row = index / parts * 4u;
    if row >= job.row_count {
        return;
    }
    var count = vec4<u32>(0u);
    // Neighbouring invocations read neighbouring words.
    for (var word = index % parts; word < words; word += parts) {
        count += vec4<u32>(32u) - countOneBits(masks[row / 4u * words + word]);
    }
    for (var i = 0u; i < min(4u, job.row_count - row); i += 1u) {
        atomicAdd(&row_counts[job.row_begin + row + i], count[i]);
    }
}
