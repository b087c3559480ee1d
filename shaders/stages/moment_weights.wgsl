// 2α·∂value/∂R of every row: what second moments and masked columns weigh in its gradient.
#import job
#import loss_types
#import math
#import loss

#bind read pair_offsets array<u32>
#bind read pair_terms array<vec4<f32>>
#bind write row_weights array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group_index(group) * LANES + local;
    if row >= job.rows {
        return;
    }
    var weight = 0.0;
    for (var pair = pair_offsets[row]; pair < min(pair_offsets[row + 1u], job.pairs); pair += 1u) {
        weight += pair_terms[pair * TERMS].w;
    }
    let alpha = loss_pair(Entry(1.0, 0.0, 0.0, 0.0, 0.0, 0.0)).value;
    row_weights[row] = 2.0 * alpha * parameters.scales.x * parameters.scales.x * weight;
}
