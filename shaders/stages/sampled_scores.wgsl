// Scores of per-row sampled columns: one vec4 for four rows' slot of the same number. They are kept
// twice, for weights take the place of the one.
#import job

#bind read queries array<vec4<f32>>
#bind read candidates array<vec4<f32>>
#bind write scores array<vec4<f32>>
#bind write kept array<vec4<f32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let slot = index % job.weight_pad;
    let quad = index / job.weight_pad;
    if quad * 4u >= job.row_pad {
        return;
    }
    var out = vec4<f32>(0.0);
    for (var i = 0u; i < 4u; i += 1u) {
        let row = quad * 4u + i;
        if row < job.row_count && slot < job.column_count {
            let q = job.second_queries + row * job.packed_stride;
            let c = job.second_candidates + (row * job.column_pad + slot) * job.packed_stride;
            var sum = 0.0;
            for (var k = 0u; k < job.dim4; k += 1u) {
                sum += dot(queries[q + k], candidates[c + k]);
            }
            out[i] = sum;
        }
    }
    scores[index] = out;
    kept[index] = out;
}
