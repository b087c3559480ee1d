// G_q += W · Ĉ over the chunk's columns, block by block in ascending order: one running sum over a
// large catalogue would lose digits. Blocks stand at absolute columns, so chunks do not show. A
// workgroup owns a tile of rows and of the D numbers.
#import job

#bind read weights array<vec4<f32>>
#packed candidates
#bind write query_sums array<vec4<f32>>

#import block_slab
#import block_order

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = group_index(group);
    if index >= job.groups {
        return;
    }
    let tile = tile_of(index, job.row_pad / TILE_DOWN, (job.dim4 * 4u + TILE_ACROSS - 1u) / TILE_ACROSS);
    let row_tile = tile.x * TILE_DOWN;
    let part = tile.y * (TILE_ACROSS / 4u);
    let across = local % ACROSS;
    let down = local / ACROSS;
    let base = job.second_candidates + job.weight_begin * job.packed_stride + part;
    for (var block = 0u; block < job.weight_pad; block += PRODUCT_BLOCK) {
#for i ROWS
        var c$i_0 = vec4<f32>(0.0);
        var c$i_1 = vec4<f32>(0.0);
#end
        for (var column = block; column < min(block + PRODUCT_BLOCK, job.weight_pad); column += SLAB_STEPS) {
            workgroupBarrier();
            for (var piece = local; piece < DOWN * 2u * SLAB_STEPS; piece += THREADS) {
                let quad = piece / SLAB_STEPS;
                let k = piece % SLAB_STEPS;
                slab[k * PITCH_A + quad] = weights[(row_tile / 4u + quad) * job.weight_pad + column + k];
            }
            for (var piece = local; piece < ACROSS * 2u * SLAB_STEPS; piece += THREADS) {
                let quad = piece % (ACROSS * 2u);
                let k = piece / (ACROSS * 2u);
                slab[BEGIN_B + k * PITCH_B + quad] = candidates_numbers(base + (column + k) * job.packed_stride + min(quad, job.dim4 - 1u - part));
            }
            workgroupBarrier();
#insert block_product
        }
        let fresh = has(FIRST) && block == 0u;
#for h 2
        if part + across + $hu * ACROSS < job.dim4 {
#for i ROWS
            {
                let at = (row_tile + down * 8u + $iu) * job.dim4 + part + across + $hu * ACROSS;
                var sum = c$i_$h;
                if !fresh {
                    sum += query_sums[at];
                }
                query_sums[at] = sum;
            }
#end
        }
#end
    }
}
