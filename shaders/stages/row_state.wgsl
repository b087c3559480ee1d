// Row parameters after the evaluation. All rows of a query read what was there before; the last one
// with a live pair says what is there after, by its last live pair: one writer, whatever repeats.
#import job
#import loss_types
#import math
#import loss
#import pair_records

#bind read pair_offsets array<u32>
#bind read pair_scores array<PairScore>
#bind read pair_terms array<vec4<f32>>
#bind read pair_results array<PairResult>
#bind read row_ids array<u32>
#bind read row_links array<vec2<u32>>
#bind write parameters_after array<f32>

// The row's last live pair, or NONE.
fn last_live(row: u32) -> u32 {
    var pair = min(pair_offsets[row + 1u], job.pairs);
    while pair > pair_offsets[row] {
        pair -= 1u;
        if pair_scores[pair].live != 0.0 && pair_results[pair].dead == 0.0 {
            return pair;
        }
    }
    return NONE;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group_index(group) * LANES + local;
    if row >= job.rows {
        return;
    }
    let pair = last_live(row);
    if pair == NONE {
        return;
    }
    var place = row;
    if has(BY_QUERY) {
        place = min(row_ids[row], job.query_rows - 1u);
        var later = row_links[row].y;
        while later < job.rows {
            if last_live(later) != NONE {
                return;
            }
            later = row_links[later].y;
        }
    }
    let score = pair_scores[pair];
    let result = pair_results[pair];
#if SECOND
    let second_sum = pair_terms[pair * TERMS + 1u].x;
#else
    let second_sum = 0.0;
#end
    let state = loss_row_state(Row(
        result.sum, second_sum, result.target_value, result.count, score.offset,
        pair_terms[pair * TERMS].y, score.row,
    ));
    for (var k = 0u; k < job.row_parameters; k += 1u) {
        parameters_after[place * job.row_parameters + k] = state[k];
    }
}
