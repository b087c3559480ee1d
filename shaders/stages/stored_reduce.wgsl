// Stored scores → pair values → statistics, one partial per (unit, span of columns), for GPUs.
//
// A team of neighbouring invocations owns a unit and walks the columns of its span, each its own. Every
// MERGE columns their statistics are put together in the order of the invocations, and with those before.
// Merges stand at absolute columns, and chunks end at such, so chunk borders do not show in the bits.
//
// Unit: the row where z does not depend on t or rows have one pair, otherwise the pair.
#import job
#import loss_types
#import math
#import loss
#import teams

#packed candidates
#bind read masks array<vec4<u32>>
#bind read pair_rows array<u32>
#bind read pair_terms array<vec4<f32>>
#bind write partials array<f32>
// Four rows per vec4.
#bind read scores array<vec4<f32>>
#if SECOND
#bind read second_scores array<vec4<f32>>
#end

// Floats per partial: max, sum, ∂z/∂t companion, second max, second sum, θ companions.
const STATISTIC: u32 = STATISTIC_SIZE;
const COMPANIONS: u32 = 5u;
#if SAMPLED
const MERGE: u32 = COLUMN_UNIT;
#else
const MERGE: u32 = PRODUCT_BLOCK;
#end

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group);
    if index >= job.groups {
        return;
    }
    // Teams' units from the first of the part, or from the first pair of all.
    let teams = (job.item_count + LANES / TEAM - 1u) / (LANES / TEAM);
    let unit = (index % teams) * (LANES / TEAM) + local / TEAM;
    let first = job.column_begin + job.weight_begin;
    let span = first / job.span_width + index / teams;
    let begin = max(span * job.span_width, first);
    let end = min((span + 1u) * job.span_width, first + job.weight_pad);
#if ROW_UNITS
    let is_here = unit < job.item_count;
    let row = min(unit, job.item_count - 1u);
    let pair = min(job.row_begin + row, job.pairs - 1u);
    let at = (span * job.row_total + job.row_begin + row) * STATISTIC;
#else
    // Pairs ascend with their rows: whole workgroups lie outside the part.
    let first_pair = (index % teams) * (LANES / TEAM);
    let last_pair = min(first_pair + LANES / TEAM, job.item_count) - 1u;
    if pair_rows[last_pair] < job.row_begin || pair_rows[first_pair] >= job.row_begin + job.row_count {
        return;
    }
    let pair = min(unit, job.pairs - 1u);
    let pair_row = pair_rows[pair];
    let is_here = unit < job.item_count && pair_row >= job.row_begin && pair_row < job.row_begin + job.row_count;
    let row = select(0u, pair_row - job.row_begin, is_here);
    let at = (span * job.pairs + pair) * STATISTIC;
#end
#if ONE_PAIR
    let terms = pair_terms[pair * TERMS].xy;
#else
    let terms = vec2<f32>(0.0);
#end
    // Of all columns before: all of a team know it, and its first invocation writes what becomes of it.
    let goes_on = is_here && begin > span * job.span_width;
    var all_max = FLOOR;
    var all_sum = 0.0;
    var all_slope = 0.0;
    var all_second_max = FLOOR;
    var all_second_sum = 0.0;
#for k THETAS
    var all_theta$k = 0.0;
#end
    if goes_on {
        all_max = partials[at];
        all_sum = partials[at + 1u];
        all_slope = partials[at + 2u];
#if SECOND
        all_second_max = partials[at + 3u];
        all_second_sum = partials[at + 4u];
#end
#for k THETAS
        all_theta$k = partials[at + COMPANIONS + $ku];
#end
    }
    for (var block = begin; block < end; block += MERGE) {
#insert team_statistic
#insert team_merge
    }
    if is_here && local % TEAM == 0u {
        partials[at] = all_max;
        partials[at + 1u] = all_sum;
        partials[at + 2u] = all_slope;
#if SECOND
        partials[at + 3u] = all_second_max;
        partials[at + 4u] = all_second_sum;
#end
#for k THETAS
        partials[at + COMPANIONS + $ku] = all_theta$k;
#end
    }
}
