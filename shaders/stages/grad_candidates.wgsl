// G_c = Wᵀ · Q̂ for the chunk's columns, over the chunk's rows in ascending order. A lane owns four or
// eight columns, a workgroup PARTS vec4 of the D numbers; QUADS × four rows come at a time.
#import job

#insert vec4_tables first=weights second=queries
#bind write candidate_sums array<vec4<f32>>

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
    // Neighbours share their weights.
    let parts = job.dim4 / PARTS;
    let first = (index / parts) * LANES * ROWS;
    let part = (index % parts) * PARTS;
#for i ROWS
#if WIDE
    // Columns in pairs, which are loaded at once.
    let column$i = first + ($iu / 2u) * LANES * 2u + local * 2u + $iu % 2u;
#else
    let column$i = first + $iu * LANES + local;
#end
    // Lanes beyond the chunk repeat its last columns and do not write.
    let read$i = min(column$i, job.weight_pad - 1u);
#for h PART_RUNS
#for c PART_RUN
    var a$i_$h_$c = vec4<f32>(0.0);
#end
#end
#end
#if WIDE
#for i ROW_PAIRS
    let pair$i = min(first + ($iu * LANES + local) * 2u, job.weight_pad - 2u);
#end
#end
#if GOES_ON
    // One chain of additions over all rows of the chunk, in however many parts they come.
#for i ROWS
#for h PART_RUNS
#for c PART_RUN
    a$i_$h_$c = candidate_sums[read$i * job.dim4 + part + $hu * PART_RUN + $cu];
#end
#end
#end
#end
#if WIDE
    // Four rows × four vec4 fill eight lanes.
    let own = (((lane % 8u) / 2u) * job.packed_stride + part) / 2u + lane % 2u;
#else
#if SUBGROUPS
    // Four rows × two vec4 fill eight lanes.
    let own = job.second_queries + ((lane % 8u) / 2u) * job.packed_stride + part + lane % 2u;
#end
#end
    for (var row = 0u; row < job.row_pad; row += QUADS * 4u) {
        let weights_at = (row / 4u) * job.weight_pad;
#insert lane_weights
#for h PART_RUNS
        {
#insert lane_queries h=$h
#for c PART_RUN
#for i ROWS
#for q QUADS
#for r 4
            a$i_$h_$c = fma(vec4<f32>(w$i_$q[$ru]), y$q_$r_$c, a$i_$h_$c);
#end
#end
#end
#end
        }
#end
    }
#for i ROWS
    if column$i < job.weight_pad {
#for h PART_RUNS
#for c PART_RUN
        candidate_sums[column$i * job.dim4 + part + $hu * PART_RUN + $cu] = a$i_$h_$c;
#end
#end
    }
#end
}
