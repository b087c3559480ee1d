// Blocks of W · Ĉ → G_q, in ascending order, on top of the blocks before them. An invocation owns
// TOGETHER neighbouring vec4.
#import job

#if WIDE
#import wide_loads
#bind read blocks array<vec4<u64>>
#else
#bind read blocks array<vec4<f32>>
#end
#bind write query_sums array<vec4<f32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let own = group_index(group) * LANES + local;
    let at = own * TOGETHER;
    let size = job.row_pad * job.dim4;
    if at >= size {
        return;
    }
#for h TOGETHER
    var sum$h = vec4<f32>(0.0);
#end
    if !has(FIRST) {
#for h TOGETHER
        sum$h = query_sums[at + $hu];
#end
    }
    for (var block = 0u; block < job.item_count; block += 1u) {
#if WIDE
        let both = halves(blocks[block * size / 2u + own]);
        sum0 += both[0];
        sum1 += both[1];
#else
        sum0 += blocks[block * size + at];
#end
    }
#for h TOGETHER
    query_sums[at + $hu] = sum$h;
#end
}
