// G_c → ∂value/∂candidates for the columns of the weight chunk: as for the queries. Columns that
// repeat an id are added up by the first of them in the chunk.
#import job

#bind read candidate_sums array<vec4<f32>>
#packed candidates
#bind read column_ids array<u32>
#bind read column_links array<vec2<u32>>
#bind write grad array<f32>

fn next(column: u32, begin: u32) -> u32 {
    if has(IDENTITY) {
        return NONE;
    }
    let following = column_links[begin + column].y;
    return select(NONE, following - begin, following != NONE && following < begin + job.weight_count);
}

fn add(column: u32, own: u32, to: u32) {
    let inverse_norm = candidates_record(own + job.dim4).x;
    var along = 0.0;
    for (var k = 0u; k < job.dim4; k += 1u) {
        along += dot(candidate_sums[column * job.dim4 + k], candidates_numbers(own + k));
    }
    for (var k = 0u; k < job.dim4; k += 1u) {
        var sum = candidate_sums[column * job.dim4 + k];
        if has(COSINE) {
            sum = (sum - along * candidates_numbers(own + k)) * inverse_norm;
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
    let first = group_index(group) * LANES + local;
    if first >= job.weight_count {
        return;
    }
    let begin = job.column_begin + job.weight_begin;
    var id = begin + first;
    if !has(IDENTITY) {
        id = column_ids[begin + first];
        let before = column_links[begin + first].x;
        if before != NONE && before >= begin {
            return;
        }
    }
    if id < job.table_begin || id >= job.table_begin + job.table_count {
        return;
    }
    let own = job.second_candidates + (job.weight_begin + first) * job.packed_stride;
    // Column by column, so that chunk borders between repeats do not show in the bits.
    for (var column = first; column != NONE; column = next(column, begin)) {
        add(column, own, (id - job.table_begin) * job.table_stride);
    }
}
