// Slopes by column parameters, summed over the chunk's rows, into the caller's gradient: block of
// rows by block, so that parts of the rows, which are made of whole blocks, do not show in the bits.
// Columns that repeat an id are added up by the first of them in the chunk, one by one: so chunks of
// columns do not show either, unless there are parts of rows too.
#import job

#bind read column_slopes array<vec4<f32>>
#bind read column_ids array<u32>
#bind read column_links array<vec2<u32>>
#bind write grad array<f32>

fn add(column: u32, to: u32) {
    for (var begin = 0u; begin < job.row_pad / 4u; begin += LANES) {
        var sums = vec4<f32>(0.0);
        for (var quad = begin; quad < begin + LANES; quad += 1u) {
            sums += column_slopes[quad * job.weight_pad + column];
        }
        grad[to] += (sums.x + sums.y) + (sums.z + sums.w);
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let first = group_index(group) * LANES + local;
    if first >= job.weight_count {
        return;
    }
    let begin = job.column_begin + job.weight_begin;
    if has(IDENTITY) {
        add(first, begin + first);
        return;
    }
    let before = column_links[begin + first].x;
    let id = column_ids[begin + first];
    if (before != NONE && before >= begin) || id >= job.table_rows {
        return;
    }
    var place = begin + first;
    while place < begin + job.weight_count {
        add(place - begin, id);
        place = column_links[place].y;
    }
}
