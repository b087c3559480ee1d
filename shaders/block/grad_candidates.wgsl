// G_c = Wᵀ · Q̂ for the chunk's columns, over the chunk's rows in ascending order. A workgroup owns a
// tile of columns and of the D numbers.
#import job

#bind read weights array<vec4<f32>>
#packed queries
#bind write candidate_sums array<vec4<f32>>

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
    let tile = tile_of(
        index,
        (job.weight_pad + TILE_DOWN - 1u) / TILE_DOWN,
        (job.dim4 * 4u + TILE_ACROSS - 1u) / TILE_ACROSS,
    );
    let column_tile = tile.x * TILE_DOWN;
    let part = tile.y * (TILE_ACROSS / 4u);
    let across = local % ACROSS;
    let down = local / ACROSS;
#for i ROWS
    // A quad of the slab holds every (TILE_DOWN / 4)th column of the tile.
    let column$i = column_tile + down * 2u + $iu / 4u + ($iu % 4u) * (TILE_DOWN / 4u);
#for h 2
    let at$i_$h = column$i * job.dim4 + part + across + $hu * ACROSS;
    let own$i_$h = column$i < job.weight_pad && part + across + $hu * ACROSS < job.dim4;
    var c$i_$h = vec4<f32>(0.0);
    // One chain of additions over all rows of the chunk, in however many parts they come.
    if has(CONTINUED) && own$i_$h {
        c$i_$h = candidate_sums[at$i_$h];
    }
#end
#end
    for (var row = 0u; row < job.row_pad; row += SLAB_STEPS) {
        workgroupBarrier();
        for (var piece = local; piece < DOWN * 2u * (SLAB_STEPS / 4u); piece += THREADS) {
            let quad = piece % (DOWN * 2u);
            let k = piece / (DOWN * 2u);
            let at = (row / 4u + k) * job.weight_pad;
#for i 4
            // Beyond the chunk its last column is repeated.
            let w$i = weights[at + min(column_tile + quad + $iu * (TILE_DOWN / 4u), job.weight_pad - 1u)];
#end
            store_transposed(k * 4u * PITCH_A + quad, PITCH_A, w0, w1, w2, w3);
        }
        for (var piece = local; piece < ACROSS * 2u * SLAB_STEPS; piece += THREADS) {
            let quad = piece % (ACROSS * 2u);
            let k = piece / (ACROSS * 2u);
            slab[BEGIN_B + k * PITCH_B + quad] = queries_numbers(job.second_queries + (row + k) * job.packed_stride + part + min(quad, job.dim4 - 1u - part));
        }
        workgroupBarrier();
#insert block_product
    }
#for i ROWS
#for h 2
    if own$i_$h {
        candidate_sums[at$i_$h] = c$i_$h;
    }
#end
#end
}
