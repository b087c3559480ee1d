// Weights → the gradient of the scores that the caller brought.
#import job

#bind read weights array<vec4<f32>>
#bind write grad array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let row = index / job.column_count;
    let slot = index % job.column_count;
    if row >= job.row_count {
        return;
    }
    let at = (job.row_begin + row) * job.per_row + job.column_begin + slot;
    grad[at] += weights[(row / 4u) * job.weight_pad + slot][row % 4u];
}
