// The row of every pair, and what the caller says of the pair: weight times upstream, 0 and not
// live for an ignored one; live but negative where there is no positive.
#import job
#import status

#bind read pair_offsets array<u32>
#bind read positive_ids array<u32>
#bind read weights array<f32>
#bind read upstream array<f32>
#bind read row_parameters array<f32>
#bind write pair_rows array<u32>
#bind write pair_inputs array<vec4<f32>>
#bind write status array<atomic<u32>>

fn is_infinite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group_index(group) * LANES + local;
    if row >= job.rows {
        return;
    }
    let end = min(pair_offsets[row + 1u], job.pairs);
    var own = vec2<f32>(0.0);
    for (var k = 0u; k < job.row_parameters; k += 1u) {
        own[k] = row_parameters[row * job.row_parameters + k];
        if is_infinite(own[k]) {
            atomicAdd(&status[NOT_FINITE], 1u);
        }
    }
    for (var pair = pair_offsets[row]; pair < end; pair += 1u) {
        pair_rows[pair] = row;
        var weight = 1.0;
        if has(WEIGHTS) {
            weight *= weights[pair];
        }
        if has(UPSTREAM) {
            weight *= upstream[pair];
        }
        if is_infinite(weight) {
            atomicAdd(&status[NOT_FINITE], 1u);
        }
        let absent = positive_ids[pair] == ABSENT && has(WITHOUT_POSITIVES);
        let ignored = positive_ids[pair] >= job.table_rows && !absent;
        if positive_ids[pair] == NONE {
            atomicAdd(&status[IGNORED_PAIRS], 1u);
        }
        pair_inputs[pair] = vec4<f32>(select(weight, 0.0, ignored), select(select(1.0, 0.0, ignored), -1.0, absent), own);
    }
}
