// Merges a unit's partial statistics in the order of the spans and applies the loss's row function:
// loss, slopes, companions of every pair.
#import job
#import loss_types
#import math
#import loss
#import pair_records
#import status

#bind read partials array<f32>
#bind read pair_rows array<u32>
#bind read row_counts array<u32>
#bind read pair_scores array<PairScore>
#bind write pair_terms array<vec4<f32>>
#bind write pair_results array<PairResult>
#bind write theta_terms array<f32>
#bind write status array<atomic<u32>>

const STATISTIC: u32 = STATISTIC_SIZE;
const COMPANIONS: u32 = 5u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let pair = group_index(group) * LANES + local;
    if pair >= job.pairs {
        return;
    }
    let own_row = min(pair_rows[pair], job.rows - 1u);
    let score = pair_scores[pair];
#if ROW_UNITS
    let unit = own_row;
    let units = job.row_total;
#else
    let unit = pair;
    let units = job.pairs;
#end
    var top = FLOOR;
    var second_top = FLOOR;
    for (var span = 0u; span < job.spans; span += 1u) {
        let at = (span * units + unit) * STATISTIC;
        top = max(top, partials[at]);
#if SECOND
        second_top = max(second_top, partials[at + 3u]);
#end
    }
    var sum = 0.0;
    var slope = 0.0;
    var second_sum = 0.0;
#for k THETAS
    var theta$k = 0.0;
#end
    for (var span = 0u; span < job.spans; span += 1u) {
        let at = (span * units + unit) * STATISTIC;
#if SUM
        let keep = 1.0;
#else
        let keep = exact_exp(partials[at] - top);
#end
        sum = fma(partials[at + 1u], keep, sum);
        slope = fma(partials[at + 2u], keep, slope);
#if SECOND
        second_sum = fma(partials[at + 4u], exact_exp(partials[at + 3u] - second_top), second_sum);
#end
#for k THETAS
        theta$k = fma(partials[at + COMPANIONS + $ku], keep, theta$k);
#end
    }
    let live = score.live != 0.0;
#if SUM
    let empty = false;
    // Of no column nothing, also where sums come from moments and leave rounding.
    let reduced = select(sum, 0.0, row_counts[own_row] == 0u);
    let count = row_counts[own_row];
#else
    // Losses take its logarithm.
    let count = max(row_counts[own_row], 1u);
    let empty = top <= FLOOR || sum <= 0.0;
    let safe = select(sum, 1.0, empty);
    let reduced = select(top + exact_log(safe), 0.0, empty);
    slope /= safe;
#for k THETAS
    theta$k /= safe;
#end
#end
#if POOL
    let target_value = pair_results[pair].target_value;
#else
    let target_value = score.target_value;
#end
    let second_reduced = second_top + exact_log(max(second_sum, 1e-37));
    // Nothing in the sum: loss 0 and gradient 0, counted, in the divisor; or a loss without columns.
    let dead = empty && !has(EMPTY_ROWS);
    let row = Row(
        select(reduced, FLOOR, empty && has(EMPTY_ROWS)), second_reduced, target_value, f32(count), score.offset,
        pair_terms[pair * TERMS].y, score.row,
    );
    let given = loss_row(row);
    let on = select(0.0, 1.0, live && !dead);
    let by_columns = select(given.sum_slope, 0.0, empty);
    if dead && live {
        atomicAdd(&status[DEAD_PAIRS], 1u);
    }
    pair_results[pair] = PairResult(
        select(0.0, given.value, on != 0.0),
        reduced,
        on * by_columns,
        select(0.0, given.target_slope + by_columns * slope, on != 0.0),
        f32(row_counts[own_row]),
        select(0.0, 1.0, empty),
        target_value,
        pair_results[pair].pool_share,
    );
    pair_terms[pair * TERMS].z = reduced;
#if SECOND
    pair_terms[pair * TERMS + 1u] = vec4<f32>(second_reduced, on * loss_row_second(row), 0.0, 0.0);
#end
#for k THETAS
    theta_terms[pair * job.thetas + $ku] = on * (loss_row_theta($ku, row) + by_columns * theta$k);
#end
}
