// Counts, per row and key, the candidates that score more. Counts are integers, so that adding them
// up from several workgroups has one result.
#import job

#bind read queries array<vec4<f32>>
#bind read candidates array<vec4<f32>>
#if PAIRS
#bind read pair_offsets array<u32>
#bind read pair_keys array<f32>
#bind write pair_counts array<atomic<u32>>
#end
#bind read keys array<f32>
#bind write counts array<atomic<u32>>

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
    let end = min(begin + job.span_width, job.column_pad);
#insert score_rows
    for (var column = begin; column < end; column += COL_GROUPS * 8u) {
#insert score_tile acc=s queries=0u candidates=0u dim4=job.dim4 stride=job.packed_stride
        // Padding is no candidate.
        let there = max(job.column_count, column) - column;
#for i ROWS
        if row + $iu < job.row_count {
            let own = job.row_begin + row + $iu;
#if PAIRS
            let pairs_end = min(pair_offsets[own + 1u], job.pairs);
            for (var pair = pair_offsets[own]; pair < pairs_end; pair += 1u) {
                let key = pair_keys[pair];
                var above = 0u;
#for g COL_GROUPS
#for j 8
                above += select(0u, 1u, s$i_$g_$j > key && $gu * 8u + $ju < there);
#end
#end
                if above > 0u {
                    atomicAdd(&pair_counts[pair], above);
                }
            }
#end
            for (var m = 0u; m < job.per_row; m += 1u) {
                let key = keys[own * job.per_row + m];
                var above = 0u;
#for g COL_GROUPS
#for j 8
                above += select(0u, 1u, s$i_$g_$j > key && $gu * 8u + $ju < there);
#end
#end
                if above > 0u {
                    atomicAdd(&counts[own * job.per_row + m], above);
                }
            }
        }
#end
    }
}
