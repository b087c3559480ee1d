// Σ weight · q̂ for every candidate that is listed in the chunk, four numbers of its vector per
// invocation: the candidate's first place in the chunk takes its places one by one, removes the part
// along the vector (cosine), divides by the norm and adds to the caller's table. Sums go on from
// what is there, so chunk borders do not show in the bits.
#import job
#import sampled_places

#bind read weights array<vec4<f32>>
#bind read scores array<vec4<f32>>
#bind read queries array<vec4<f32>>
#bind read candidates array<vec4<f32>>
#bind read sampled_ids array<u32>
#bind read column_links array<vec2<u32>>
#bind write grad array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let item = index / job.dim4;
    let k = index - item * job.dim4;
    let item_row = item / job.column_count;
    if item_row >= job.row_count {
        return;
    }
    let item_slot = item - item_row * job.column_count;
    let first = (job.row_begin + item_row) * job.per_row + job.column_begin + item_slot;
    let id = sampled_ids[first];
    if id < job.table_begin || id >= job.table_begin + job.table_count || !is_first(first) {
        return;
    }
    let to = (id - job.table_begin) * job.table_stride + k * 4u;
    // Vectors are padded with zeros.
    let count = min(4u, max(job.dim, k * 4u) - k * 4u);
    var sum = vec4<f32>(0.0);
#for c 4
    if $cu < count {
        sum[$c] = grad[to + $cu];
    }
#end
    // All its places hold the same vector.
    let vector = job.second_candidates
        + (item_row * job.column_pad + item_slot) * job.packed_stride;
    let own = candidates[vector + k];
    let inverse_norm = candidates[vector + job.dim4].x;
    var place = first;
    while place != NONE {
        let batch_row = place / job.per_row;
        let slot = place - batch_row * job.per_row - job.column_begin;
        let row = batch_row - job.row_begin;
        let at = (row / 4u) * job.weight_pad + slot;
        let weight = weights[at][row % 4u];
        var part = weight * queries[job.second_queries + row * job.packed_stride + k];
        if has(COSINE) {
            part = (part - weight * scores[at][row % 4u] * own) * inverse_norm;
        }
        sum += part;
        place = next(place);
    }
#for c 4
    if $cu < count {
        grad[to + $cu] = sum[$c];
    }
#end
}
