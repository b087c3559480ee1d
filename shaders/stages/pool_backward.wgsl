// Gradient of a pooled target → the targets of the group, by their shares.
#import job
#import loss_types
#import math
#import loss
#import pair_records

#bind read pair_results array<PairResult>
#bind read group_links array<vec2<u32>>
#bind write pair_gradients array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let first = group_index(group) * LANES + local;
    if first >= job.pairs || group_links[first].x != NONE {
        return;
    }
    var total = 0.0;
    for (var pair = first; pair < job.pairs; pair = group_links[pair].y) {
        total += pair_gradients[pair];
    }
    for (var pair = first; pair < job.pairs; pair = group_links[pair].y) {
        pair_gradients[pair] = loss_pool_scale() * pair_results[pair].pool_share * total;
    }
}
