// Second moments Σ x xᵀ of blocks of packed rows, each row times its weight if there are weights.
// An invocation owns four by four numbers of a block.
#import job

const MOMENT_BLOCK: u32 = 128u;

#bind read rows array<vec4<f32>>
#if WEIGHTED
#bind read row_weights array<f32>
#end
#bind write blocks array<vec4<f32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let right = index % job.dim4;
    let left = (index / job.dim4) % job.dim4;
    let block = index / (job.dim4 * job.dim4);
    let begin = block * MOMENT_BLOCK;
    if begin >= job.item_count {
        return;
    }
    var sum0 = vec4<f32>(0.0);
    var sum1 = vec4<f32>(0.0);
    var sum2 = vec4<f32>(0.0);
    var sum3 = vec4<f32>(0.0);
    for (var item = begin; item < min(begin + MOMENT_BLOCK, job.item_count); item += 1u) {
        let at = (job.item_begin + item) * job.packed_stride;
#if WEIGHTED
        let x = row_weights[job.row_begin + job.item_begin + item] * rows[at + left];
#else
        let x = rows[at + left];
#end
        let y = rows[at + right];
        sum0 = fma(vec4<f32>(x.x), y, sum0);
        sum1 = fma(vec4<f32>(x.y), y, sum1);
        sum2 = fma(vec4<f32>(x.z), y, sum2);
        sum3 = fma(vec4<f32>(x.w), y, sum3);
    }
    let to = (block * job.dim4 * 4u + left * 4u) * job.dim4 + right;
    blocks[to] = sum0;
    blocks[to + job.dim4] = sum1;
    blocks[to + 2u * job.dim4] = sum2;
    blocks[to + 3u * job.dim4] = sum3;
}
