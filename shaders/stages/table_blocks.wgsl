// Sums over blocks of packed candidates. An invocation owns four numbers of a block.
#import job

const TABLE_BLOCK: u32 = 256u;

#bind read candidates array<vec4<f32>>
#bind write blocks array<vec4<f32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let begin = index / job.dim4 * TABLE_BLOCK;
    if begin >= job.column_count {
        return;
    }
    let end = min(begin + TABLE_BLOCK, job.column_count);
    var sum = vec4<f32>(0.0);
    for (var item = begin; item < end; item += 1u) {
        sum += candidates[item * job.packed_stride + index % job.dim4];
    }
    blocks[index] = sum;
}
