// G_q from second moments: w·Kx, less what the masked columns of the chunk have in it.
#import job

#bind read queries array<vec4<f32>>
#bind read candidates array<vec4<f32>>
#bind read images array<vec4<f32>>
#bind read masks array<vec4<u32>>
#bind read row_weights array<f32>
#bind write query_sums array<vec4<f32>>
#import packed_dot

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group_index(group) * LANES + local;
    if row >= job.row_pad {
        return;
    }
    let to = row * job.dim4;
    let weight = select(0.0, row_weights[min(job.row_begin + row, job.rows - 1u)], row < job.row_count);
    if job.column_begin == 0u {
        for (var k = 0u; k < job.dim4; k += 1u) {
            query_sums[to + k] = weight * images[min(row, job.row_count - 1u) * job.dim4 + k];
        }
    }
    if row >= job.row_count {
        return;
    }
    let words = job.column_pad / 32u;
    for (var word = 0u; word < words; word += 1u) {
        var bits = masks[(row / 4u) * words + word][row % 4u];
        while bits != 0u {
            let c = (word * 32u + firstTrailingBit(bits)) * job.packed_stride;
            bits &= bits - 1u;
            let share = weight * packed_dot(row * job.packed_stride, c);
            for (var k = 0u; k < job.dim4; k += 1u) {
                query_sums[to + k] -= share * candidates[c + k];
            }
        }
    }
}
