// The positives' own term in the query gradients: G_q += coefficient · (ĉ − cos·q̂), pair by pair.
#import job
#import loss_types
#import pair_records
#import positive_term

#packed queries
#packed positives
#bind read pair_offsets array<u32>
#bind read pair_scores array<PairScore>
#bind read pair_gradients array<f32>
#bind write query_sums array<vec4<f32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let row = index / job.dim4;
    let k = index % job.dim4;
    if row >= job.row_count {
        return;
    }
    let own = queries_numbers(row * job.packed_stride + k);
    let inverse = inverse_length(queries_record(row * job.packed_stride + job.dim4).y);
    var sum = query_sums[index];
    let batch_row = job.row_begin + row;
    let begin = max(pair_offsets[batch_row], job.pair_begin);
    let end = min(pair_offsets[batch_row + 1u], job.pair_begin + job.pair_count);
    for (var pair = begin; pair < end; pair += 1u) {
        let score = pair_scores[pair];
        let other = positives_numbers((pair - job.pair_begin) * job.packed_stride + k);
        let step = other - along_query(score, inverse) * own;
        sum += positive_coefficient(score, pair_gradients[pair], inverse) * step;
    }
    query_sums[index] = sum;
}
