// From the classes of the pairs to candidates: of a class's sub-centres the one that scores best
// with the pair's query, the lowest on ties. One dispatch per bound piece of the table; the best so
// far is kept between them, and the last one writes the ids.
#import job
#import status
#import table_rows

#if ALIGNED
#bind read table array<vec4<u32>>
#else
#bind read table array<u32>
#end
#bind read queries array<vec4<f32>>
#bind read pair_rows array<u32>
#bind write positive_ids array<u32>
#bind write best array<vec2<f32>>
#bind write status array<atomic<u32>>

// Largest magnitude and the length in its units: neither overflows nor underflows.
fn measure(base: u32) -> vec2<f32> {
    let largest = magnitude(base, 0u, 1u);
    if largest == 0.0 {
        return vec2<f32>(0.0);
    }
    return vec2<f32>(largest, sqrt(squares(base, largest, 0u, 1u)));
}

// The score of a candidate of the piece, up to a factor that all of the row's have in common.
fn score_of(id: u32, query: u32) -> f32 {
    let base = (id - job.table_begin) * job.table_stride;
    var sum = 0.0;
    for (var k = 0u; k < (job.dim + 3u) / 4u; k += 1u) {
        sum += dot(queries[query + k], four(base, k));
    }
    if has(COSINE) {
        let length = measure(base);
        let norm = length.x * length.y;
        sum *= select(1.0 / norm, 0.0, norm == 0.0);
    }
    return sum;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let pair = group_index(group) * LANES + local;
    if pair >= job.pairs {
        return;
    }
    let row = pair_rows[pair] - job.row_begin;
    let own_class = positive_ids[pair];
    if row >= job.row_count || own_class >= job.table_rows / job.per_class {
        // An id that is no class stays none: with several candidates a class it might be one.
        if row < job.row_count && has(FIRST) && own_class != NONE && !(own_class == ABSENT && has(ABSENT_ROWS)) {
            positive_ids[pair] = ABSENT - 1u;
        }
        return;
    }
    let first = own_class * job.per_class;
    // The best score, and its place within the class.
    var own = vec2<f32>(0.0, -1.0);
    if !has(FIRST) {
        own = best[pair];
    }
    for (var k = 0u; k < job.per_class; k += 1u) {
        let id = first + k;
        if id >= job.table_begin && id < job.table_begin + job.table_count {
            let score = score_of(id, row * job.packed_stride);
            if own.y < 0.0 || score > own.x {
                own = vec2<f32>(score, f32(k));
            }
        }
    }
    best[pair] = own;
    if has(LAST) {
        positive_ids[pair] = first + u32(max(own.y, 0.0));
    }
}
