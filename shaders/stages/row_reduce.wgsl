// Score tile → pair values → row statistics, one partial per (unit, span of columns).
//
// A lane owns four or eight neighbouring rows and walks the columns of its span in order; nothing crosses
// lanes but the broadcast of candidates. A span that continues from an earlier column chunk takes
// up the stored partial, so chunk borders do not show in the bits.
//
// Unit: the row where z does not depend on t or rows have one pair, otherwise the pair.
#import job
#import loss_types
#import math
#import loss

#insert vec4_tables first=queries second=candidates
#bind read masks array<vec4<u32>>
#bind read pair_offsets array<u32>
#bind read pair_terms array<vec4<f32>>
#bind write partials array<f32>
#if STORED
#bind read scores array<vec4<f32>>
#if SECOND
#bind read second_scores array<vec4<f32>>
#end
#end
#if KEPT
// The scores, for the weights.
#bind write kept array<vec4<f32>>
#end

// Floats per partial: max, sum, ∂z/∂t companion, second max, second sum, θ companions.
const STATISTIC: u32 = STATISTIC_SIZE;
const COMPANIONS: u32 = 5u;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
#if SUBGROUPS
    @builtin(subgroup_invocation_id) lane: u32,
#end
) {
    let index = group_index(group);
    if index >= job.groups {
        return;
    }
#if SUBGROUPS
    let lane8 = lane % 8u;
#end
    let row_groups = job.row_pad / (LANES * ROWS);
    let span = job.column_begin / job.span_width + index / row_groups;
    let row = ((index % row_groups) * LANES + local) * ROWS;
    let span_begin = span * job.span_width;
    let begin = max(span_begin, job.column_begin);
    let end = min(span_begin + job.span_width, job.column_begin + job.column_pad);
    let fresh = begin == span_begin;
    let words = job.column_pad / 32u;
#if ROW_UNITS
#for i ROWS
    var max$i = FLOOR;
    var sum$i = 0.0;
#if ONE_PAIR
    var slope$i = 0.0;
    let terms$i = pair_terms[min(job.row_begin + row + $iu, job.pairs - 1u) * TERMS].xy;
#else
    let terms$i = vec2<f32>(0.0);
#end
#if SECOND
    var second_max$i = FLOOR;
    var second_sum$i = 0.0;
#end
#for k THETAS
    var theta$i_$k = 0.0;
#end
    let at$i = (span * job.row_total + job.row_begin + row + $iu) * STATISTIC;
#end
    if !fresh {
#for i ROWS
        max$i = partials[at$i];
        sum$i = partials[at$i + 1u];
#if ONE_PAIR
        slope$i = partials[at$i + 2u];
#end
#if SECOND
        second_max$i = partials[at$i + 3u];
        second_sum$i = partials[at$i + 4u];
#end
#for k THETAS
        theta$i_$k = partials[at$i + COMPANIONS + $ku];
#end
#end
    }
#end
#insert score_rows
    for (var column_word = begin - job.column_begin; column_word < end - job.column_begin; column_word += 32u) {
#insert mask_words at=column_word
    for (var column = column_word; column < column_word + 32u; column += COL_GROUPS * COLS) {
#if STORED
#insert stored_tile acc=s buffer=scores at=column
#if SECOND
#insert stored_tile acc=r buffer=second_scores at=column
#end
#else
#insert score_tile acc=s queries=0u candidates=0u dim4=job.dim4 stride=job.packed_stride
#if SECOND
#insert score_tile acc=r queries=job.second_queries candidates=job.second_candidates dim4=job.second_dim4 stride=job.second_stride
#end
#end
#if KEPT
#insert kept_tile
#end
#insert mask_bits
#insert column_records
#for g COL_GROUPS
        {
#if ROW_UNITS
#for i ROWS
#insert reduce_entries i=$i g=$g target=terms$i.x constant=terms$i.y
#end
#for i ROWS
        {
#insert reduce_row i=$i
#if SECOND
#insert reduce_second i=$i
#end
        }
#end
#else
#for i ROWS
        {
#insert reduce_pairs i=$i g=$g
        }
#end
#end
        }
#end
    }
    }
#if ROW_UNITS
#for i ROWS
    partials[at$i] = max$i;
    partials[at$i + 1u] = sum$i;
#if ONE_PAIR
    partials[at$i + 2u] = slope$i;
#else
    partials[at$i + 2u] = 0.0;
#end
#if SECOND
    partials[at$i + 3u] = second_max$i;
    partials[at$i + 4u] = second_sum$i;
#end
#for k THETAS
    partials[at$i + COMPANIONS + $ku] = theta$i_$k;
#end
#end
#end
}
