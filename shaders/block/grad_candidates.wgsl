// Wᵀ · Q̂ for the chunk's columns over blocks of the chunk's rows, each block by workgroups of its own;
// `candidate_blocks` adds them up in ascending order. Columns and D numbers alone have too few tiles
// to fill a GPU. A workgroup owns a tile of columns and of the D numbers.
#import job

#bind read weights array<vec4<f32>>
#packed queries
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
    let tiles_down = (job.weight_pad + TILE_DOWN - 1u) / TILE_DOWN;
    let tiles_across = (job.dim4 * 4u + TILE_ACROSS - 1u) / TILE_ACROSS;
    let nth = index / (tiles_down * tiles_across);
    let begin = (job.item_begin + nth) * ROW_BLOCK;
    let tile = tile_of(index % (tiles_down * tiles_across), tiles_down, tiles_across);
    let column_tile = tile.x * TILE_DOWN;
    let part = tile.y * (TILE_ACROSS / 4u);
    let across = local % ACROSS;
    let down = local / ACROSS;
#for i ROWS
    var c$i_0 = vec4<f32>(0.0);
    var c$i_1 = vec4<f32>(0.0);
#end
    for (var row = begin; row < min(begin + ROW_BLOCK, job.row_pad); row += SLAB_STEPS) {
        // All loads are on their way before the first is stored: of weights four columns at four rows,
        // beyond the chunk its last column again; of rows four of the D numbers.
#for p WEIGHT_PIECES
        let quad$p = (local + $pu * THREADS) % (DOWN * 2u);
        let k$p = (local + $pu * THREADS) / (DOWN * 2u);
        let at$p = (row / 4u + min(k$p, SLAB_STEPS / 4u - 1u)) * job.weight_pad;
#for i 4
        let w$p_$i = weights[at$p + min(column_tile + quad$p + $iu * (TILE_DOWN / 4u), job.weight_pad - 1u)];
#end
#end
#for p ROW_PIECES
        let number$p = (local + $pu * THREADS) % (ACROSS * 2u);
        let row$p = (local + $pu * THREADS) / (ACROSS * 2u);
        let q$p = queries_numbers(job.second_queries + (row + min(row$p, SLAB_STEPS - 1u)) * job.packed_stride + part + min(number$p, job.dim4 - 1u - part));
#end
        workgroupBarrier();
#for p WEIGHT_PIECES
        if k$p < SLAB_STEPS / 4u {
            store_transposed(k$p * 4u * PITCH_A + quad$p, PITCH_A, w$p_0, w$p_1, w$p_2, w$p_3);
        }
#end
#for p ROW_PIECES
        if row$p < SLAB_STEPS {
            slab[BEGIN_B + row$p * PITCH_B + number$p] = q$p;
        }
#end
        workgroupBarrier();
#insert block_product
    }
#for i ROWS
    {
        // A quad of the slab holds every (TILE_DOWN / 4)th column of the tile.
        let column = column_tile + down * 2u + $iu / 4u + ($iu % 4u) * (TILE_DOWN / 4u);
        let at = (nth * job.weight_pad + column) * job.dim4 + part + across;
        if column < job.weight_pad && part + across < job.dim4 {
            blocks[at] = c$i_0;
        }
        if column < job.weight_pad && part + across + ACROSS < job.dim4 {
            blocks[at + ACROSS] = c$i_1;
        }
    }
#end
}
