// log mean e^{κt}, or log Σ e^{κt}, over the pairs of equal query, and each pair's share of the pool: the first pair
// of a group walks the chain.
#import job
#import loss_types
#import math
#import loss
#import pair_records

#bind write pair_scores array<PairScore>
#bind read group_links array<vec2<u32>>
#bind write pair_results array<PairResult>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let first = group_index(group) * LANES + local;
    if first >= job.pairs || group_links[first].x != NONE {
        return;
    }
    let scale = loss_pool_scale();
    var top = FLOOR;
    var members = 0.0;
    for (var pair = first; pair < job.pairs; pair = group_links[pair].y) {
        let score = pair_scores[pair];
        if score.live != 0.0 {
            top = max(top, scale * score.target_value);
            members += 1.0;
        }
    }
    var sum = 0.0;
    for (var pair = first; pair < job.pairs; pair = group_links[pair].y) {
        let score = pair_scores[pair];
        sum += score.live * exact_exp(select(DEAD, scale * score.target_value, score.live != 0.0) - top);
    }
    let divisor = select(max(members, 1.0), 1.0, has(POOL_SUM));
    for (var pair = first; pair < job.pairs; pair = group_links[pair].y) {
        let score = pair_scores[pair];
        let z = select(DEAD, scale * score.target_value, score.live != 0.0);
        pair_results[pair].target_value = top + exact_log(max(sum, 1e-37) / divisor);
        pair_results[pair].pool_share = score.live * exact_exp(z - top) / max(sum, 1e-37);
        if has(PER_GROUP) {
            pair_scores[pair].weight = score.live / max(members, 1.0);
        }
    }
}
