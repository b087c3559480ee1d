// Scores whose ranks are wanted, those of positives (PAIRS) or of sampled columns, with their counts
// set to zero. The sum runs in the order of the score tile: equal rows of the table get equal bits
// in both.
#import job

#bind read queries array<vec4<f32>>
#bind read others array<vec4<f32>>
#if PAIRS
#bind read pair_rows array<u32>
#end
#bind write keys array<f32>
#bind write counts array<u32>

fn score(q: u32, c: u32) -> f32 {
    var sum = 0.0;
    for (var k = 0u; k < job.dim4; k += 1u) {
        let x = queries[q + k];
        let y = others[c + k];
        sum = fma(x.x, y.x, sum);
        sum = fma(x.y, y.y, sum);
        sum = fma(x.z, y.z, sum);
        sum = fma(x.w, y.w, sum);
    }
    return sum;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let item = group_index(group) * LANES + local;
#if PAIRS
    if item >= job.pair_count {
        return;
    }
    let at = job.pair_begin + item;
    let row = pair_rows[at] - job.row_begin;
    let c = item * job.packed_stride;
    if row >= job.row_count {
        return;
    }
#else
    let row = item / job.column_count;
    let slot = item % job.column_count;
    let c = (row * job.column_pad + slot) * job.packed_stride;
    if row >= job.row_count {
        return;
    }
    let at = (job.row_begin + row) * job.per_row + job.column_begin + slot;
#end
    keys[at] = score(row * job.packed_stride, c);
    counts[at] = 0u;
}
