// R of every row from second moments: α·xᵀKx, less what the masked columns of the chunk have in it.
// In place of a tile, for losses with z = α·s².
#import job
#import loss_types
#import math
#import loss

#bind read queries array<vec4<f32>>
#bind read candidates array<vec4<f32>>
#bind read images array<vec4<f32>>
#bind read masks array<vec4<u32>>
#bind write partials array<f32>
#import packed_dot

const STATISTIC: u32 = STATISTIC_SIZE;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group_index(group) * LANES + local;
    if row >= job.row_count {
        return;
    }
    let at = (job.row_begin + row) * STATISTIC;
    let alpha = loss_pair(Entry(1.0, 0.0, 0.0, 0.0, 0.0, 0.0)).value;
    let factor = alpha * parameters.scales.x * parameters.scales.x;
    var sum = 0.0;
    if has(FIRST) {
        for (var k = 0u; k < job.dim4; k += 1u) {
            sum += dot(queries[row * job.packed_stride + k], images[row * job.dim4 + k]);
        }
        sum *= factor;
    } else {
        sum = partials[at + 1u];
    }
    let words = job.column_pad / 32u;
    for (var word = 0u; word < words; word += 1u) {
        var bits = masks[(row / 4u) * words + word][row % 4u];
        while bits != 0u {
            let column = word * 32u + firstTrailingBit(bits);
            bits &= bits - 1u;
            // Padding is masked too, and packed as zeros.
            let s = packed_dot(row * job.packed_stride, column * job.packed_stride);
            sum -= factor * s * s;
        }
    }
    partials[at] = FLOOR;
    partials[at + 1u] = sum;
    partials[at + 2u] = 0.0;
}
