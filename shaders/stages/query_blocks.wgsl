// Blocks of W · Ĉ → G_q, in ascending order, on top of the blocks before them.
#import job

#bind read blocks array<vec4<f32>>
#bind write query_sums array<vec4<f32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = group_index(group) * LANES + local;
    let size = job.row_pad * job.dim4;
    if at >= size {
        return;
    }
    var sum = blocks[at];
    if !has(FIRST) {
        sum += query_sums[at];
    }
    for (var block = 1u; block < job.item_count; block += 1u) {
        sum += blocks[block * size + at];
    }
    query_sums[at] = sum;
}
