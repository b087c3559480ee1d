// Takes out of G_c what second moments have too much: the rows, of this part, in which the column is
// masked.
#import job

#bind read queries array<vec4<f32>>
#bind read candidates array<vec4<f32>>
#bind read masks array<vec4<u32>>
#bind read row_weights array<f32>
#bind write candidate_sums array<vec4<f32>>
#import packed_dot

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let own = group_index(group) * LANES + local;
    if own >= job.weight_count {
        return;
    }
    let column = job.weight_begin + own;
    let words = job.column_pad / 32u;
    for (var row = 0u; row < job.row_count; row += 1u) {
        let bits = masks[(row / 4u) * words + column / 32u][row % 4u];
        if (bits >> (column % 32u)) % 2u == 0u {
            continue;
        }
        let q = row * job.packed_stride;
        let share = row_weights[job.row_begin + row] * packed_dot(q, column * job.packed_stride);
        for (var k = 0u; k < job.dim4; k += 1u) {
            candidate_sums[own * job.dim4 + k] -= share * queries[q + k];
        }
    }
}
