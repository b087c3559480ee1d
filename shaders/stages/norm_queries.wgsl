// G_q → ∂value/∂queries: the part along the vector removed (cosine), divided by the norm, the norm's
// own term added, summed into the caller's table. Rows of one query are added by the first of them.
#import job
#import pair_records

#bind read query_sums array<vec4<f32>>
#packed queries
#bind read row_ids array<u32>
#bind read row_links array<vec2<u32>>
#bind read pair_offsets array<u32>
#bind read pair_scores array<PairScore>
#bind read pair_gradients array<f32>
#bind write grad array<f32>

// The next row of the same query within the chunk, or NONE.
fn next(row: u32) -> u32 {
    if has(IDENTITY) {
        return NONE;
    }
    let following = row_links[job.row_begin + row].y;
    return select(NONE, following - job.row_begin, following != NONE && following < job.row_begin + job.row_count);
}

fn norm_slope(row: u32) -> f32 {
    let batch_row = job.row_begin + row;
    let end = min(pair_offsets[batch_row + 1u], job.pairs);
    var sum = 0.0;
    if has(SECOND_TABLES) {
        return sum;
    }
    for (var pair = pair_offsets[batch_row]; pair < end; pair += 1u) {
        let score = pair_scores[pair];
        sum += pair_gradients[pair] * score.norm_slope + score.own_norm_slope;
    }
    return sum;
}

fn add(row: u32, own: u32, to: u32) {
    let inverse_norm = queries_record(own + job.dim4).x;
    let norm = queries_record(own + job.dim4).y;
    let radial = norm_slope(row) * select(select(1.0 / norm, 0.0, norm == 0.0), 1.0, has(COSINE));
    var along = 0.0;
    for (var k = 0u; k < job.dim4; k += 1u) {
        along += dot(query_sums[row * job.dim4 + k], queries_numbers(own + k));
    }
    for (var k = 0u; k < job.dim4; k += 1u) {
        var sum = query_sums[row * job.dim4 + k];
        if has(COSINE) {
            sum = (sum - along * queries_numbers(own + k)) * inverse_norm;
        }
        sum += radial * queries_numbers(own + k);
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
    if first >= job.row_count {
        return;
    }
    var id = job.row_begin + first;
    if !has(IDENTITY) {
        id = row_ids[job.row_begin + first];
        let before = row_links[job.row_begin + first].x;
        if before != NONE && before >= job.row_begin {
            return;
        }
    }
    if id < job.table_begin || id >= job.table_begin + job.table_count {
        return;
    }
    // Row by row, so that chunk borders between repeats do not show in the bits.
    for (var row = first; row != NONE; row = next(row)) {
        add(row, job.second_queries + first * job.packed_stride, (id - job.table_begin) * job.table_stride);
    }
}
