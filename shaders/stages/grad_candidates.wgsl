// G_c = Wᵀ · Q̂ for the chunk's columns, over the chunk's rows in ascending order. A lane owns four or
// eight columns, a workgroup PARTS vec4 of the D numbers; QUADS × four rows come at a time.
#import job

#bind read weights array<vec4<f32>>
#bind read queries array<vec4<f32>>
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
    let first = (index / parts) * LANES * ROWS + local;
    let part = (index % parts) * PARTS;
#for i ROWS
    let column$i = first + $iu * LANES;
    // Lanes beyond the chunk repeat its last column and do not write.
    let read$i = min(column$i, job.weight_pad - 1u);
#for h PART_PAIRS
#for c 2
    var a$i_$h_$c = vec4<f32>(0.0);
#end
#end
#end
#if GOES_ON
    // One chain of additions over all rows of the chunk, in however many parts they come.
#for i ROWS
#for h PART_PAIRS
#for c 2
    a$i_$h_$c = candidate_sums[read$i * job.dim4 + part + $hu * 2u + $cu];
#end
#end
#end
#end
#if SUBGROUPS
    // Four rows × two vec4 fill eight lanes.
    let own = job.second_queries + ((lane % 8u) / 2u) * job.packed_stride + part + lane % 2u;
#end
    for (var row = 0u; row < job.row_pad; row += QUADS * 4u) {
        let weights_at = (row / 4u) * job.weight_pad;
#for i ROWS
#for q QUADS
        let w$i_$q = weights[weights_at + $qu * job.weight_pad + read$i];
#end
#end
#for h PART_PAIRS
        {
#for q QUADS
#if SUBGROUPS
            let mine$q = queries[(row + $qu * 4u) * job.packed_stride + own + $hu * 2u];
#for r 4
            let y$q_$r_0 = subgroupBroadcast(mine$q, $ru * 2u);
            let y$q_$r_1 = subgroupBroadcast(mine$q, $ru * 2u + 1u);
#end
#else
#for r 4
            let y$q_$r_0 = queries[job.second_queries + (row + $qu * 4u + $ru) * job.packed_stride + part + $hu * 2u];
            let y$q_$r_1 = queries[job.second_queries + (row + $qu * 4u + $ru) * job.packed_stride + part + $hu * 2u + 1u];
#end
#end
#end
#for c 2
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
#for h PART_PAIRS
#for c 2
        candidate_sums[column$i * job.dim4 + part + $hu * 2u + $cu] = a$i_$h_$c;
#end
#end
    }
#end
}
