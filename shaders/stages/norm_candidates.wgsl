// G_c → ∂value/∂candidates for the columns of the weight chunk: as for the queries. Columns that
// repeat an id are added up by the first of them in the chunk.
#import job
#import teams

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

// Σ of G_c along the vector, over every TEAMth of its numbers.
fn along_share(column: u32, own: u32, begin: u32) -> f32 {
    var share = 0.0;
    for (var k = begin; k < job.dim4; k += TEAM) {
        share += dot(candidate_sums[column * job.dim4 + k], candidates_numbers(own + k));
    }
    return share;
}

fn add(column: u32, own: u32, to: u32, begin: u32, along: f32) {
    let inverse_norm = candidates_record(own + job.dim4).x;
    for (var k = begin; k < job.dim4; k += TEAM) {
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

#if TEAMS
// Columns that are the candidates: none repeats an id.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let column = item_of_team(group, local);
    let id = job.column_begin + job.weight_begin + column;
    let here = column < job.weight_count && id >= job.table_begin && id < job.table_begin + job.table_count;
    let own = job.second_candidates + (job.weight_begin + column) * job.packed_stride;
    let begin = local % TEAM;
    var share = 0.0;
    if here && has(COSINE) {
        share = along_share(column, own, begin);
    }
    let along = sum_of_team(local, share);
    if here {
        add(column, own, (id - job.table_begin) * job.table_stride, begin, along);
    }
}
#else
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
        add(column, own, (id - job.table_begin) * job.table_stride, 0u, along_share(column, own, 0u));
    }
}
#end
