// Slopes by the column parameters of sampled candidates: the candidate's first place in the chunk
// adds up its places.
#import job
#import sampled_places

#bind read column_slopes array<vec4<f32>>
#bind read sampled_ids array<u32>
#bind read column_links array<vec2<u32>>
#bind write grad array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let item = group_index(group) * LANES + local;
    let item_row = item / job.column_count;
    if item_row >= job.row_count {
        return;
    }
    let first = (job.row_begin + item_row) * job.per_row + job.column_begin
        + item - item_row * job.column_count;
    let id = sampled_ids[first];
    if id >= job.table_rows || !is_first(first) {
        return;
    }
    var sum = grad[id];
    for (var place = first; place != NONE; place = next(place)) {
        let batch_row = place / job.per_row;
        let slot = place - batch_row * job.per_row - job.column_begin;
        let row = batch_row - job.row_begin;
        sum += column_slopes[(row / 4u) * job.weight_pad + slot][row % 4u];
    }
    grad[id] = sum;
}
