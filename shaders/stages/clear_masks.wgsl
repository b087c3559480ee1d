// Mask words before any column is masked: full where there is no row, or beyond the last column, so
// that the kernels behind need no bounds. Bit by bit as in `mask`, one word of four rows at a time.
#import job

#bind write masks array<vec4<u32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = group_index(group) * LANES + local;
    let words = job.column_pad / 32u;
    if at >= job.row_pad / 4u * words {
        return;
    }
    let first = at % words * 32u;
    var bits = 0u;
    if first >= job.column_count {
        bits = NONE;
    } else if first + 32u > job.column_count {
        bits = NONE << (job.column_count - first);
    }
    let rows = vec4<u32>(at / words * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    masks[at] = select(vec4<u32>(bits), vec4<u32>(NONE), rows >= vec4<u32>(job.row_count));
}
