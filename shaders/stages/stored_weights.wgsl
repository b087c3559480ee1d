// Stored scores → weight ∂loss/∂score of every (row, column) of the chunk, in their place, for GPUs.
//
// A workgroup owns four rows and a stretch of columns, which its invocations take in turns.
#import job
#import loss_types
#import math
#import loss

#packed candidates
#bind read masks array<vec4<u32>>
#bind read pair_offsets array<u32>
#bind read pair_terms array<vec4<f32>>
// Four rows per vec4: the scores, until the weight replaces each.
#bind write weights array<vec4<f32>>
#if SECOND_SLOPES
// ∂loss/∂r of every (row, column); r until then.
#bind write second_scores array<vec4<f32>>
#else
#if SECOND
#bind read second_scores array<vec4<f32>>
#end
#end
#if COLUMN_SLOPES
// ∂loss/∂(column parameter) of every (row, column), in the layout of the weights.
#bind write column_slopes array<vec4<f32>>
#end

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group);
    if index >= job.groups {
        return;
    }
    let row = (index % (job.row_pad / 4u)) * 4u;
    let begin = (index / (job.row_pad / 4u)) * job.span_width;
    let end = min(begin + job.span_width, job.weight_pad);
#insert weigh_rows
    for (var at = begin + local; at < end; at += LANES) {
        let column = job.weight_begin + at;
        let place = (row / 4u) * job.weight_pad + at;
        let scores = weights[place];
#if SECOND
        let others = second_scores[place];
#end
#for i ROWS
        let s$i_0_0 = scores[$iu];
#if SECOND
        let r$i_0_0 = others[$iu];
#end
#end
        let words = masks[(row / 4u) * (job.column_pad / 32u) + column / 32u];
        let word = array<vec4<u32>, 1>(words >> vec4<u32>(column % 32u));
#if RECORDS
#if SAMPLED
#for i ROWS
        let record$i_0_0 = candidates_record(((row + $iu) * job.column_pad + column) * job.packed_stride + job.dim4);
#end
#else
        let record0_0 = candidates_record(column * job.packed_stride + job.dim4);
#end
#end
        {
#insert weigh_tile g=0
#insert store_weights g=0
        }
    }
}
