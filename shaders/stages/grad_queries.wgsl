// W · Ĉ over blocks of the chunk's columns, each block by workgroups of its own; `query_blocks` adds
// them up in ascending order: one running sum over a large catalogue would lose digits. Blocks stand
// at absolute columns, so chunks do not show. A lane owns four or eight rows, a workgroup PARTS vec4
// of the D numbers.
#import job

#insert vec4_tables first=weights second=candidates
#bind write blocks array<vec4<f32>>

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
    let parts = job.dim4 / PARTS;
    let part = (index % parts) * PARTS;
    let row = ((index / parts % row_groups) * LANES + local) * ROWS;
    let nth = index / (row_groups * parts);
    let begin = (job.item_begin + nth) * PRODUCT_BLOCK;
    let weights_at = (row / 4u) * job.weight_pad;
    let base = job.second_candidates + job.weight_begin * job.packed_stride + part;
#for q QUADS
#for i 4
#for p PART_SLABS
#for s SLICES
    var a$q_$i_$p_$s = vec4<f32>(0.0);
#end
#end
#end
#end
    for (var column = begin; column < min(begin + PRODUCT_BLOCK, job.weight_pad); column += COLS) {
#for q QUADS
#if WIDE
        let both$q = halves(weights[(weights_at + $qu * job.weight_pad + column) / 2u]);
#end
#for j COLS
#if WIDE
        let w$q_$j = both$q[$ju];
#else
        let w$q_$j = weights[weights_at + $qu * job.weight_pad + column + $ju];
#end
#end
#end
        // SLICES vec4 of the D numbers at a time: their sums stay in registers for all columns.
#for p PART_SLABS
        {
#if WIDE
            let own = halves(candidates[(base + (column + lane % COLS) * job.packed_stride + $pu * SLICES) / 2u + (lane % 8u) / COLS]);
#else
#if SUBGROUPS
            let own = candidates[base + (column + lane % COLS) * job.packed_stride + $pu * SLICES + (lane % 8u) / COLS];
#end
#end
#for s SLICES
            {
#for j COLS
#if WIDE
                let y$j = subgroupBroadcast(own[$su % 2u], ($su / 2u) * COLS + $ju);
#else
#if SUBGROUPS
                let y$j = subgroupBroadcast(own, $su * COLS + $ju);
#else
                let y$j = candidates[base + (column + $ju) * job.packed_stride + $pu * SLICES + $su];
#end
#end
#end
#for q QUADS
#for i 4
#for j COLS
                a$q_$i_$p_$s = fma(vec4<f32>(w$q_$j[$iu]), y$j, a$q_$i_$p_$s);
#end
#end
#end
            }
#end
        }
#end
    }
#for q QUADS
#for i 4
#for p PART_SLABS
#for s SLICES
    blocks[(nth * job.row_pad + row + $qu * 4u + $iu) * job.dim4 + part + $pu * SLICES + $su] = a$q_$i_$p_$s;
#end
#end
#end
#end
}
