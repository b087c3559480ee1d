// G_q += Σ over a row's slots of weight · ĉ, per-row sampled columns.
#import job

#bind read weights array<vec4<f32>>
#bind read candidates array<vec4<f32>>
#bind write query_sums array<vec4<f32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let row = index / job.dim4;
    let k = index % job.dim4;
    if row >= job.row_count {
        return;
    }
    var sum = vec4<f32>(0.0);
    if !has(FIRST) {
        sum = query_sums[index];
    }
    for (var slot = 0u; slot < job.column_count; slot += 1u) {
        let weight = weights[(row / 4u) * job.weight_pad + slot][row % 4u];
        sum += weight * candidates[job.second_candidates + (row * job.column_pad + slot) * job.packed_stride + k];
    }
    query_sums[index] = sum;
}
