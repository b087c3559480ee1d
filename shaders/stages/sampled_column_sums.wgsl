// Slopes by the column parameters of sampled candidates: the candidate's first place in the chunk
// adds up its places.
#import job
#import sampled_places

#bind read column_slopes array<vec4<f32>>
#bind read sampled_ids array<u32>
#bind read column_links array<vec2<u32>>
#bind write grad array<f32>

fn add(place: u32, own: u32, to: u32) {
    let row = place / job.per_row - job.row_begin;
    let slot = place % job.per_row - job.column_begin;
    grad[to] += column_slopes[(row / 4u) * job.weight_pad + slot][row % 4u];
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let item = group_index(group) * LANES + local;
    let row = item / job.column_count;
    let slot = item % job.column_count;
    if row >= job.row_count {
        return;
    }
    let first = (job.row_begin + row) * job.per_row + job.column_begin + slot;
    let id = sampled_ids[first];
    if id >= job.table_rows || !is_first(first) {
        return;
    }
    for (var place = first; place != NONE; place = add_group(place, 0u, id)) {}
}
