// Statistics over blocks of pairs, in order, of what the loss asks for.
#import job
#import math
#import batch_block

#bind read pair_inputs array<vec4<f32>>
#bind read batch_values array<f32>
#bind read batch_negatives array<f32>
#bind write blocks array<BatchBlock>

const FLOOR: f32 = -1e25;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let block = group_index(group) * LANES + local;
    let begin = block * SUM_BLOCK;
    if begin >= job.pairs {
        return;
    }
    let end = min(begin + SUM_BLOCK, job.pairs);
    var own = BatchBlock(0.0, 0.0, 0.0, FLOOR, 0.0, 0.0);
    for (var pair = begin; pair < end; pair += 1u) {
        if pair_inputs[pair].y > 0.0 {
            own.count += 1.0;
            own.mean += batch_values[pair];
            own.max = max(own.max, batch_values[pair]);
#if NEGATIVE_MEAN
            own.negative_mean += batch_negatives[pair];
#end
        }
    }
    own.mean /= max(own.count, 1.0);
    own.negative_mean /= max(own.count, 1.0);
    for (var pair = begin; pair < end; pair += 1u) {
        if pair_inputs[pair].y > 0.0 {
            let deviation = batch_values[pair] - own.mean;
            own.squares = fma(deviation, deviation, own.squares);
            own.sum += exact_exp(batch_values[pair] - own.max);
        }
    }
    blocks[block] = own;
}
