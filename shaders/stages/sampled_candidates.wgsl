// Σ weight · q̂ for every candidate that is listed in the chunk: the candidate's first place in the
// chunk takes its places one by one, removes the part along the vector (cosine), divides by the norm
// and adds to the caller's table.
#import job
#import sampled_places

#bind read weights array<vec4<f32>>
#bind read queries array<vec4<f32>>
#bind read candidates array<vec4<f32>>
#bind read sampled_ids array<u32>
#bind read column_links array<vec2<u32>>
#bind write grad array<f32>

fn add(place: u32, own: u32, to: u32) {
    let row = place / job.per_row - job.row_begin;
    let slot = place % job.per_row - job.column_begin;
    let weight = weights[(row / 4u) * job.weight_pad + slot][row % 4u];
    let query = job.second_queries + row * job.packed_stride;
    let inverse_norm = candidates[own + job.dim4].x;
    var along = 0.0;
    for (var k = 0u; k < job.dim4; k += 1u) {
        along += dot(weight * queries[query + k], candidates[own + k]);
    }
    for (var k = 0u; k < job.dim4; k += 1u) {
        var sum = weight * queries[query + k];
        if has(COSINE) {
            sum = (sum - along * candidates[own + k]) * inverse_norm;
        }
        for (var c = 0u; c < 4u; c += 1u) {
            let d = k * 4u + c;
            if d < job.dim {
                grad[to + d] += sum[c];
            }
        }
    }
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
    if id < job.table_begin || id >= job.table_begin + job.table_count || !is_first(first) {
        return;
    }
    let own = job.second_candidates + (row * job.column_pad + slot) * job.packed_stride;
    let to = (id - job.table_begin) * job.table_stride;
    for (var place = first; place != NONE; place = add_group(place, own, to)) {}
}
