// The targets' gradients → the gradient of the positives' scores that the caller brought.
#import job
#import loss_types
#import pair_records

#bind read pair_scores array<PairScore>
#bind read pair_gradients array<f32>
#bind write grad array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let pair = group_index(group) * LANES + local;
    if pair >= job.pairs {
        return;
    }
    grad[pair] += pair_gradients[pair] * pair_scores[pair].slope * parameters.scales.x;
}
