// Sums over blocks of pairs, in order: weighted losses, divisor, log-sum-exp, columns.
#import job
#import math
#import pair_records

const FLOOR: f32 = -1e25;

struct Block {
    loss: f32,
    divisor: f32,
    max: f32,
    sum: f32,
    columns: f32,
}

#bind read pair_scores array<PairScore>
#bind read pair_results array<PairResult>
#bind write blocks array<Block>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let block = group_index(group) * LANES + local;
    let begin = block * SUM_BLOCK;
    if begin >= job.pairs {
        return;
    }
    let end = min(begin + SUM_BLOCK, job.pairs);
    var sums = Block(0.0, 0.0, FLOOR, 0.0, 0.0);
    for (var pair = begin; pair < end; pair += 1u) {
        let score = pair_scores[pair];
        let result = pair_results[pair];
        sums.loss += score.weight * result.loss;
        sums.divisor += select(score.live, score.weight, has(PER_GROUP));
        sums.columns += score.live * result.count;
        if score.live != 0.0 && result.dead == 0.0 {
            sums.max = max(sums.max, result.loss);
        }
    }
    if has(LOG_MEAN) {
        for (var pair = begin; pair < end; pair += 1u) {
            let result = pair_results[pair];
            if pair_scores[pair].live != 0.0 && result.dead == 0.0 {
                sums.sum += exact_exp(result.loss - sums.max);
            }
        }
    }
    blocks[block] = sums;
}
