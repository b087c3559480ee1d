// Packed rows times second moments: one vec4 of one row's product per invocation.
#import job

#bind read rows array<vec4<f32>>
#bind read moments array<vec4<f32>>
#bind write images array<vec4<f32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let k = index % job.dim4;
    let item = index / job.dim4;
    if item >= job.item_count {
        return;
    }
    let at = (job.item_begin + item) * job.packed_stride;
    var sum = vec4<f32>(0.0);
    for (var i = 0u; i < job.dim4; i += 1u) {
        let x = rows[at + i];
        let m = i * 4u * job.dim4 + k;
        sum = fma(vec4<f32>(x.x), moments[m], sum);
        sum = fma(vec4<f32>(x.y), moments[m + job.dim4], sum);
        sum = fma(vec4<f32>(x.z), moments[m + 2u * job.dim4], sum);
        sum = fma(vec4<f32>(x.w), moments[m + 3u * job.dim4], sum);
    }
    images[item * job.dim4 + k] = sum;
}
