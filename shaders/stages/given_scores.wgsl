// Scores that the caller brings → the scratch, four rows per vec4; those of a reference subtracted.
#import job
#import status

#bind read given array<f32>
#bind read reference array<f32>
#bind write scores array<vec4<f32>>
#bind write status array<atomic<u32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let slot = index % job.weight_pad;
    let quad = index / job.weight_pad;
    if quad * 4u >= job.row_pad {
        return;
    }
    var out = vec4<f32>(0.0);
    for (var i = 0u; i < 4u; i += 1u) {
        let row = quad * 4u + i;
        if row < job.row_count && slot < job.column_count {
            let at = (job.row_begin + row) * job.per_row + job.column_begin + slot;
            out[i] = given[at];
            if has(REFERENCE) {
                out[i] -= reference[at];
            }
            if (bitcast<u32>(out[i]) & 0x7f800000u) == 0x7f800000u && has(COUNT) {
                atomicAdd(&status[NOT_FINITE], 1u);
            }
        }
    }
    scores[index] = out;
}
