// G_q += W · Ĉ over the chunk's columns, in ascending order. A lane owns four rows, a workgroup
// eight of the D numbers.
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
    let part = (index / row_groups) * 2u;
    let both = part + 1u < job.dim4;
#for i ROWS
    var a$i = vec4<f32>(0.0);
    var b$i = vec4<f32>(0.0);
    if !has(FIRST) {
        a$i = query_sums[(row + $iu) * job.dim4 + part];
        if both {
            b$i = query_sums[(row + $iu) * job.dim4 + part + 1u];
        }
    }
#end
    let weights_at = (row / 4u) * job.weight_pad;
    // The record behind the last numbers makes the odd vec4 a harmless read.
    let base = job.weight_begin * job.packed_stride + part;
    for (var column = 0u; column < job.weight_pad; column += COLS) {
#if SUBGROUPS
        let own = base + (column + lane % 8u) * job.packed_stride;
        let own_a = candidates[own];
        let own_b = candidates[own + 1u];
#end
#for j COLS
        {
#if SUBGROUPS
            let y = subgroupBroadcast(own_a, $ju);
            let z = subgroupBroadcast(own_b, $ju);
#else
            let y = candidates[base + (column + $ju) * job.packed_stride];
            let z = candidates[base + (column + $ju) * job.packed_stride + 1u];
#end
            let w = weights[weights_at + column + $ju];
#for i ROWS
            a$i = fma(vec4<f32>(w[$iu]), y, a$i);
#end
#for i ROWS
            b$i = fma(vec4<f32>(w[$iu]), z, b$i);
#end
        }
#end
    }
#for i ROWS
    query_sums[(row + $iu) * job.dim4 + part] = a$i;
    if both {
        query_sums[(row + $iu) * job.dim4 + part + 1u] = b$i;
    }
#end
}
