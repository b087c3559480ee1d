// Score tile again → weight ∂loss/∂score of every (row, column) of the chunk, into the scratch.
// The products that follow know no loss.
#import job
#import loss_types
#import math
#import loss

#insert vec4_tables first=queries second=candidates
#bind read masks array<vec4<u32>>
#bind read pair_offsets array<u32>
#bind read pair_terms array<vec4<f32>>
// Four rows per vec4; where scores are stored it holds them until the weight replaces each.
#bind write weights array<vec4<f32>>
#if SECOND_SLOPES
// ∂loss/∂r of every (row, column); with sampled columns it holds r until then.
#bind write second_scores array<vec4<f32>>
#else
#if STORED
#if SECOND
#bind read second_scores array<vec4<f32>>
#end
#end
#end
#if COLUMN_SLOPES
// ∂loss/∂(column parameter) of every (row, column), in the layout of the weights.
#bind write column_slopes array<vec4<f32>>
#end

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
    let row = ((index % row_groups) * LANES + local) * ROWS;
    let begin = (index / row_groups) * job.span_width;
    let end = min(begin + job.span_width, job.weight_pad);
    let words = job.column_pad / 32u;
#insert weigh_rows
#insert score_rows
#if TALL
    // The weights of the columns before: stored once the next scores are there, so that nothing waits
    // for an exponential. What is stored first of all is stored again.
#for j COLS
    var held0_$j = vec4<f32>(0.0);
    var held1_$j = vec4<f32>(0.0);
#end
#end
    for (var at_word = begin; at_word < end; at_word += 32u) {
#insert mask_words at=job.weight_begin+at_word
    for (var at = at_word; at < at_word + 32u; at += COL_GROUPS * COLS) {
        let column = job.weight_begin + at;
#if STORED
#insert stored_tile acc=s buffer=weights at=at
#if SECOND
#insert stored_tile acc=r buffer=second_scores at=at
#end
#else
#insert score_tile acc=s queries=0u candidates=0u dim4=job.dim4 stride=job.packed_stride
#if SECOND
#insert score_tile acc=r queries=job.second_queries candidates=job.second_candidates dim4=job.second_dim4 stride=job.second_stride
#end
#end
#if TALL
        let before = max(at, begin + COLS) - COLS;
#for j COLS
        weights[(row / 4u) * job.weight_pad + before + $ju] = held0_$j;
        weights[(row / 4u + 1u) * job.weight_pad + before + $ju] = held1_$j;
#end
#end
#insert mask_bits
#insert column_records
#for g COL_GROUPS
        {
#insert weigh_tile g=$g
#insert store_weights g=$g
        }
#end
    }
    }
#if TALL
#for j COLS
    weights[(row / 4u) * job.weight_pad + end - COLS + $ju] = held0_$j;
    weights[(row / 4u + 1u) * job.weight_pad + end - COLS + $ju] = held1_$j;
#end
#end
}
