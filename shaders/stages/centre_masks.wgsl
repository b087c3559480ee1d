// Score tile → of every class's sub-centres all but the best are masked, the lowest staying on ties:
// what comes behind takes candidates for columns and knows no classes.
//
// A lane owns four rows and with them their mask words; spans hold whole words and whole classes.
#import job

#bind read queries array<vec4<f32>>
#bind read candidates array<vec4<f32>>
#bind write masks array<vec4<u32>>

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
    let words = (row / 4u) * (job.column_pad / 32u);
    var place = 0u;
    var top = vec4<f32>(0.0);
    var kept = vec4<u32>(0u);
#insert score_rows
    for (var column = begin; column < end; column += COL_GROUPS * 8u) {
#insert score_tile acc=s queries=0u candidates=0u dim4=job.dim4 stride=job.packed_stride
#for g COL_GROUPS
#for j 8
        {
            let scores = vec4<f32>(s0_$g_$j, s1_$g_$j, s2_$g_$j, s3_$g_$j);
            let at = column + $gu * 8u + $ju;
#insert best_centre
        }
#end
#end
    }
}
