// Blocks → mean, variance, log-sum-exp and count over the batch, in the order of the blocks; then the
// mean score with other candidates.
#import job
#import math
#import batch_block

#bind read blocks array<BatchBlock>
#bind write batch_statistics array<vec4<f32>>

const FLOOR: f32 = -1e25;

@compute @workgroup_size(1)
fn main() {
    let count = (job.pairs + SUM_BLOCK - 1u) / SUM_BLOCK;
    var all = BatchBlock(0.0, 0.0, 0.0, FLOOR, 0.0, 0.0);
    for (var at = 0u; at < count; at += 1u) {
        let next = blocks[at];
        if next.count == 0.0 {
            continue;
        }
        let share = next.count / (all.count + next.count);
        let deviation = next.mean - all.mean;
        all.mean = fma(deviation, share, all.mean);
        all.negative_mean = fma(next.negative_mean - all.negative_mean, share, all.negative_mean);
        all.squares += next.squares + deviation * deviation * share * all.count;
        let top = max(all.max, next.max);
        all.sum = all.sum * exact_exp(all.max - top) + next.sum * exact_exp(next.max - top);
        all.max = top;
        all.count += next.count;
    }
    batch_statistics[1] = vec4<f32>(all.negative_mean, 0.0, 0.0, 0.0);
    if all.count == 0.0 {
        batch_statistics[0] = vec4<f32>(0.0);
        return;
    }
    batch_statistics[0] = vec4<f32>(all.mean, all.squares / all.count, all.max + exact_log(all.sum), all.count);
}
