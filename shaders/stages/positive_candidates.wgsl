// The positives' own term in the candidate gradients. The first pair of a candidate in the chunk
// adds up the candidate's pairs, so every element has one writer.
#import job
#import loss_types
#import pair_records
#import positive_term

#packed queries
#packed positives
#bind read pair_rows array<u32>
#bind read positive_ids array<u32>
#bind read positive_links array<vec2<u32>>
#bind read pair_scores array<PairScore>
#bind read pair_gradients array<f32>
#bind write grad array<f32>

// The next pair of the same candidate, or NONE.
fn following(pair: u32) -> u32 {
    if has(COMPACT) {
        return NONE;
    }
    return positive_links[pair].y;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let item = index / job.dim4;
    let k = index % job.dim4;
    if item >= job.pair_count {
        return;
    }
    let first = job.pair_begin + item;
    var id = positive_ids[first];
    if has(COMPACT) {
        // A row of its own, behind those of the columns.
        id = select(NONE, job.columns + first, id < job.table_rows);
    } else if positive_links[first].x != NONE && positive_links[first].x >= job.pair_begin {
        return;
    }
    if id < job.table_begin || id >= job.table_begin + job.table_count {
        return;
    }
    let own = positives_numbers(item * job.packed_stride + k);
    let inverse_norm = positives_record(item * job.packed_stride + job.dim4).x;
    let to = (id - job.table_begin) * job.table_stride + k * 4u;
    let count = min(4u, job.dim - min(job.dim, k * 4u));
    // Pair by pair, so that chunk borders between them do not show in the bits.
    var sum = vec4<f32>(0.0);
    for (var c = 0u; c < count; c += 1u) {
        sum[c] = grad[to + c];
    }
    for (var pair = first; pair < job.pair_begin + job.pair_count; pair = following(pair)) {
        let row = pair_rows[pair] - job.row_begin;
        if row < job.row_count {
            let score = pair_scores[pair];
            let other = queries_numbers(row * job.packed_stride + k);
            let inverse = inverse_length(queries_record(row * job.packed_stride + job.dim4).y);
            let step = other - along_candidate(score) * own;
            sum += positive_coefficient(score, pair_gradients[pair], inverse) * step * inverse_norm;
        }
    }
    for (var c = 0u; c < count; c += 1u) {
        grad[to + c] = sum[c];
    }
}
