// Slopes by column parameters, summed over the chunk's rows, into the caller's gradient. Columns
// that repeat an id are added up by the first of them in the chunk.
#import job

#bind read column_slopes array<vec4<f32>>
#bind read column_ids array<u32>
#bind read column_links array<vec2<u32>>
#bind write grad array<f32>

fn total(column: u32) -> f32 {
    var sums = vec4<f32>(0.0);
    for (var quad = 0u; quad < job.row_pad / 4u; quad += 1u) {
        sums += column_slopes[quad * job.weight_pad + column];
    }
    return (sums.x + sums.y) + (sums.z + sums.w);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let first = group_index(group) * LANES + local;
    if first >= job.weight_count {
        return;
    }
    let begin = job.column_begin + job.weight_begin;
    if has(IDENTITY) {
        grad[begin + first] += total(first);
        return;
    }
    let before = column_links[begin + first].x;
    let id = column_ids[begin + first];
    if (before != NONE && before >= begin) || id >= job.table_rows {
        return;
    }
    var place = begin + first;
    while place < begin + job.weight_count {
        grad[id] += total(place - begin);
        place = column_links[place].y;
    }
}
