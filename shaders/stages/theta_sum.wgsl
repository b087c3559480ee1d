// Blocks → ∂value/∂θ.
#import job

#bind read theta_blocks array<f32>
#bind write grad_theta array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let k = group_index(group) * LANES + local;
    if k >= job.thetas {
        return;
    }
    let count = (job.pairs + SUM_BLOCK - 1u) / SUM_BLOCK;
    var sum = 0.0;
    for (var block = 0u; block < count; block += 1u) {
        sum += theta_blocks[block * job.thetas + k];
    }
    grad_theta[k] = sum;
}
