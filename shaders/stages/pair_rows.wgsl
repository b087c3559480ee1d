// The row of every pair, and what the caller says of the pair: weight times upstream, 0 and not
// live for an ignored one.
#import job
#import status

#bind read pair_offsets array<u32>
#bind read positive_ids array<u32>
#bind read weights array<f32>
#bind read upstream array<f32>
#bind write pair_rows array<u32>
#bind write pair_inputs array<vec2<f32>>
#bind write status array<atomic<u32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group_index(group) * LANES + local;
    if row >= job.rows {
        return;
    }
    let end = min(pair_offsets[row + 1u], job.pairs);
    for (var pair = pair_offsets[row]; pair < end; pair += 1u) {
        pair_rows[pair] = row;
        var weight = 1.0;
        if has(WEIGHTS) {
            weight *= weights[pair];
        }
        if has(UPSTREAM) {
            weight *= upstream[pair];
        }
        if (bitcast<u32>(weight) & 0x7f800000u) == 0x7f800000u {
            atomicAdd(&status[NOT_FINITE], 1u);
        }
        let ignored = positive_ids[pair] >= job.table_rows;
        if positive_ids[pair] == NONE {
            atomicAdd(&status[IGNORED_PAIRS], 1u);
        }
        pair_inputs[pair] = vec2<f32>(select(weight, 0.0, ignored), select(1.0, 0.0, ignored));
    }
}
