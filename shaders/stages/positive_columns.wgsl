// The positives' own term in the gradient of the column parameters: a candidate's first pair adds up
// its pairs.
#import job
#import pair_records

#bind read positive_ids array<u32>
#bind read positive_links array<vec2<u32>>
#bind read pair_scores array<PairScore>
#bind read pair_gradients array<f32>
#bind write grad array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let first = group_index(group) * LANES + local;
    if first >= job.pairs {
        return;
    }
    let id = positive_ids[first];
    if id >= job.table_rows || positive_links[first].x != NONE {
        return;
    }
    var sum = grad[id];
    for (var pair = first; pair != NONE; pair = positive_links[pair].y) {
        sum += pair_gradients[pair] * pair_scores[pair].column_slope;
    }
    grad[id] = sum;
}
