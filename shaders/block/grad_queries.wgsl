// W · Ĉ over blocks of the chunk's columns, each block by workgroups of its own; `query_blocks` adds
// them up in ascending order. One running sum over a large catalogue would lose digits, and a small
// batch has too few tiles to fill a GPU. Blocks stand at absolute columns, so chunks do not show.
// A workgroup owns a tile of rows and of the D numbers.
#import job

#bind read weights array<vec4<f32>>
#packed candidates
#bind write blocks array<vec4<f32>>

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
    let tiles_across = (job.dim4 * 4u + TILE_ACROSS - 1u) / TILE_ACROSS;
    let tiles = job.row_pad / TILE_DOWN * tiles_across;
    let nth = index / tiles;
    let begin = (job.item_begin + nth) * PRODUCT_BLOCK;
    let tile = tile_of(index % tiles, job.row_pad / TILE_DOWN, tiles_across);
    let row_tile = tile.x * TILE_DOWN;
    let part = tile.y * (TILE_ACROSS / 4u);
    let across = local % ACROSS;
    let down = local / ACROSS;
    let base = job.second_candidates + job.weight_begin * job.packed_stride + part;
#for i ROWS
    var c$i_0 = vec4<f32>(0.0);
    var c$i_1 = vec4<f32>(0.0);
#end
    for (var column = begin; column < min(begin + PRODUCT_BLOCK, job.weight_pad); column += SLAB_STEPS) {
        // All loads are on their way before the first is stored. A piece is four rows, or four of the D
        // numbers, at one column; the rows' pieces come first.
#for p QUERY_PIECES
        let piece$p = local + $pu * THREADS;
        var v$p = vec4<f32>(0.0);
        var to$p = 0u;
        if piece$p < DOWN * 2u * SLAB_STEPS {
            let quad = piece$p / SLAB_STEPS;
            let k = piece$p % SLAB_STEPS;
            v$p = weights[(row_tile / 4u + quad) * job.weight_pad + column + k];
            to$p = k * PITCH_A + quad;
        } else if piece$p < (DOWN + ACROSS) * 2u * SLAB_STEPS {
            let quad = (piece$p - DOWN * 2u * SLAB_STEPS) % (ACROSS * 2u);
            let k = (piece$p - DOWN * 2u * SLAB_STEPS) / (ACROSS * 2u);
            v$p = candidates_numbers(base + (column + k) * job.packed_stride + min(quad, job.dim4 - 1u - part));
            to$p = BEGIN_B + k * PITCH_B + quad;
        }
#end
        workgroupBarrier();
#for p QUERY_PIECES
        if piece$p < (DOWN + ACROSS) * 2u * SLAB_STEPS {
            slab[to$p] = v$p;
        }
#end
        workgroupBarrier();
#insert block_product
    }
#for h 2
    if part + across + $hu * ACROSS < job.dim4 {
#for i ROWS
        blocks[(nth * job.row_pad + row_tile + down * 8u + $iu) * job.dim4 + part + across + $hu * ACROSS] = c$i_$h;
#end
    }
#end
}
