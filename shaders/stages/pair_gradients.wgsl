// ∂value/∂R and ∂value/∂t of every pair, from the batch's scalars.
#import job
#import math
#import pair_records
#import batch_scalars

#bind read batch_scalars array<BatchScalars>
#bind write pair_scores array<PairScore>
#bind read pair_results array<PairResult>
#bind write pair_terms array<vec4<f32>>
#bind write pair_gradients array<f32>
#bind write theta_terms array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let pair = group_index(group) * LANES + local;
    if pair >= job.pairs {
        return;
    }
    let score = pair_scores[pair];
    let result = pair_results[pair];
    let batch = batch_scalars[0];
    var share = score.weight * batch.share;
    if has(LOG_MEAN) {
        let alive = score.live != 0.0 && result.dead == 0.0;
        share = batch.share * select(0.0, exact_exp(min(result.loss - batch.log_sum, 0.0)), alive);
    }
    pair_terms[pair * TERMS].w = share * result.sum_slope;
    if TERMS > 1u {
        pair_terms[pair * TERMS + 1u].y *= share;
    }
    pair_gradients[pair] = share * result.target_slope;
    let counts = select(0.0, share, score.live != 0.0 && result.dead == 0.0);
    pair_scores[pair].own_norm_slope = counts * score.own_norm_slope;
    for (var k = 0u; k < job.thetas; k += 1u) {
        theta_terms[pair * job.thetas + k] *= share;
    }
}
