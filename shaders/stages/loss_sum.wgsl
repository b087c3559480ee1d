// Blocks → the value, and what every pair's gradient shares.
#import job
#import math
#import batch_scalars
#import loss_types

struct Block {
    loss: f32,
    divisor: f32,
    max: f32,
    sum: f32,
    columns: f32,
}

#bind read blocks array<Block>
#bind write batch_scalars array<BatchScalars>

@compute @workgroup_size(1)
fn main() {
    let factor = parameters.scales.z;
    let count = (job.pairs + SUM_BLOCK - 1u) / SUM_BLOCK;
    var total = Block(0.0, 0.0, FLOOR, 0.0, 0.0);
    for (var at = 0u; at < count; at += 1u) {
        total.loss += blocks[at].loss;
        total.divisor += blocks[at].divisor;
        total.columns += blocks[at].columns;
        total.max = max(total.max, blocks[at].max);
    }
    if has(LOG_MEAN) {
        for (var at = 0u; at < count; at += 1u) {
            total.sum += blocks[at].sum * exact_exp(blocks[at].max - total.max);
        }
        let empty = total.max <= FLOOR;
        let log_sum = select(total.max + exact_log(max(total.sum, 1e-37)), 0.0, empty);
        let value = select(log_sum - exact_log(max(total.columns, 1.0)), 0.0, empty);
        batch_scalars[0] = BatchScalars(value * factor, factor, log_sum, 0.0);
        return;
    }
    let share = factor * select(1.0, select(0.0, 1.0 / total.divisor, total.divisor > 0.0), has(MEAN));
    batch_scalars[0] = BatchScalars(total.loss * share, share, 0.0, 0.0);
}
