// What tiles of weights need of a row that has one statistic: z's two numbers where z depends on the
// row's only pair, the row's log-sum, and the factors of all its pairs added up.
#import job

#bind read pair_offsets array<u32>
#bind read pair_terms array<vec4<f32>>
#bind write row_factors array<vec4<f32>>

// Of a row without pairs no exponential may overflow: its factor 0 would make no number of it.
const NO_PAIR: f32 = 1e30;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group_index(group) * LANES + local;
    if row >= job.row_total {
        return;
    }
    var own = vec4<f32>(0.0, 0.0, NO_PAIR, 0.0);
    if row < job.rows {
        let end = min(pair_offsets[row + 1u], job.pairs);
        for (var pair = pair_offsets[row]; pair < end; pair += 1u) {
            let terms = pair_terms[pair * TERMS];
            own = vec4<f32>(terms.xyz, own.w + terms.w);
        }
    }
    row_factors[row] = own;
}
