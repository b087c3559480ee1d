// G_q += W · Ĉ over the chunk's columns, block by block in ascending order: one running sum over a
// large catalogue would lose digits. Blocks stand at absolute columns, so chunks do not show. A lane owns four rows, a workgroup
// PARTS vec4 of the D numbers.
#import job

#bind read weights array<vec4<f32>>
#bind read candidates array<vec4<f32>>
#bind write query_sums array<vec4<f32>>

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
    let row_groups = job.row_pad / (LANES * ROWS);
    let row = ((index % row_groups) * LANES + local) * ROWS;
    let part = (index / row_groups) * PARTS;
    let weights_at = (row / 4u) * job.weight_pad;
    let base = job.second_candidates + job.weight_begin * job.packed_stride + part;
    for (var block = 0u; block < job.weight_pad; block += PRODUCT_BLOCK) {
#for i ROWS
#for p PARTS
    var a$i_$p = vec4<f32>(0.0);
#end
#end
    for (var column = block; column < min(block + PRODUCT_BLOCK, job.weight_pad); column += 8u) {
#for j 8
        let w$j = weights[weights_at + column + $ju];
#end
        // One vec4 of the D numbers at a time: its sums stay in registers for eight columns.
#for p PARTS
        {
#if SUBGROUPS
            let own = candidates[base + (column + lane % 8u) * job.packed_stride + $pu];
#for j 8
            let y$j = subgroupBroadcast(own, $ju);
#end
#else
#for j 8
            let y$j = candidates[base + (column + $ju) * job.packed_stride + $pu];
#end
#end
#for i ROWS
#for j 8
            a$i_$p = fma(vec4<f32>(w$j[$iu]), y$j, a$i_$p);
#end
#end
        }
#end
    }
    if !has(FIRST) || block > 0u {
#for i ROWS
#for p PARTS
        a$i_$p += query_sums[(row + $iu) * job.dim4 + part + $pu];
#end
#end
    }
#for i ROWS
#for p PARTS
    query_sums[(row + $iu) * job.dim4 + part + $pu] = a$i_$p;
#end
#end
    }
}
