// Blocks of summed candidates → their sum, in the order of the blocks; it goes on from what is there
// unless they are the first.
#import job

#bind read blocks array<vec4<f32>>
#bind write table_sum array<vec4<f32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let k = group_index(group) * LANES + local;
    if k >= job.dim4 {
        return;
    }
    var sum = vec4<f32>(0.0);
    if !has(FIRST) {
        sum = table_sum[k];
    }
    for (var block = 0u; block < job.item_count; block += 1u) {
        sum += blocks[block * job.dim4 + k];
    }
    table_sum[k] = sum;
}
