// Sums over blocks of pairs, in order: weighted losses, divisor, log-sum-exp, columns.
#import job
#import math
#import pair_records
#import teams

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
    let block = item_of_team(group, local);
    let begin = block * SUM_BLOCK + local % TEAM;
    let end = min((block + 1u) * SUM_BLOCK, job.pairs);
    var own = Block(0.0, 0.0, FLOOR, 0.0, 0.0);
    for (var pair = begin; pair < end; pair += TEAM) {
        let score = pair_scores[pair];
        let result = pair_results[pair];
        own.loss += score.weight * result.loss;
        own.divisor += select(score.live, score.weight, has(PER_GROUP));
        own.columns += score.live * result.count;
        if score.live != 0.0 && result.dead == 0.0 {
            own.max = max(own.max, result.loss);
        }
    }
    let top = largest_of_team(local, own.max);
    if has(LOG_MEAN) {
        for (var pair = begin; pair < end; pair += TEAM) {
            let result = pair_results[pair];
            if pair_scores[pair].live != 0.0 && result.dead == 0.0 {
                own.sum += exact_exp(result.loss - top);
            }
        }
    }
    let loss = sum_of_team(local, own.loss);
    let divisor = sum_of_team(local, own.divisor);
    let sum = sum_of_team(local, own.sum);
    let columns = sum_of_team(local, own.columns);
    if local % TEAM == 0u && begin < end {
        blocks[block] = Block(loss, divisor, top, sum, columns);
    }
}
