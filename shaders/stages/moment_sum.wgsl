// Blocks of second moments → their sum, in the order of the blocks; it goes on from what is there
// unless they are the first.
#import job

#bind read blocks array<vec4<f32>>
#bind write moments array<vec4<f32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = group_index(group) * LANES + local;
    let size = job.dim4 * job.dim4 * 4u;
    if at >= size {
        return;
    }
    var sum = vec4<f32>(0.0);
    if !has(FIRST) {
        sum = moments[at];
    }
    for (var block = 0u; block < job.item_count; block += 1u) {
        sum += blocks[block * size + at];
    }
    moments[at] = sum;
}
