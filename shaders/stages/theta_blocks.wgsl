// θ contributions of the pairs, summed over blocks in order.
#import job

#bind read theta_terms array<f32>
#bind write theta_blocks array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let begin = (index / job.thetas) * SUM_BLOCK;
    if begin >= job.pairs {
        return;
    }
    var sum = 0.0;
    for (var pair = begin; pair < min(begin + SUM_BLOCK, job.pairs); pair += 1u) {
        sum += theta_terms[pair * job.thetas + index % job.thetas];
    }
    theta_blocks[index] = sum;
}
