// Zeros in the rows of a gradient; what lies between them is not ours.
#import job

#bind write grad array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let item = group_index(group) * LANES + local;
    let row = item / job.dim;
    if row >= job.table_count {
        return;
    }
    grad[row * job.table_stride + item % job.dim] = 0.0;
}
