// Scores of rows with columns, of one pair of tables, into the scratch, for GPUs: where a loss needs more
// of a score than registers hold beside a tile, other stages read them. A workgroup owns one tile.
#import job

#packed queries
#packed candidates
// Four rows per vec4.
#bind write scores array<vec4<f32>>

#import block_slab
#import block_columns
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
    let tile = tile_of(index, job.row_pad / TILE_DOWN, (job.weight_pad + TILE_ACROSS - 1u) / TILE_ACROSS);
    let row_tile = tile.x * TILE_DOWN;
    let column_tile = job.weight_begin + tile.y * TILE_ACROSS;
    let across = local % ACROSS;
    let down = local / ACROSS;
    let row = row_tile + down * 8u;
#insert block_scores queries=job.second_queries candidates=job.second_candidates
#for j 8
    {
        let column = tile.y * TILE_ACROSS + across + $ju * ACROSS;
        if column < job.weight_pad {
            let at = (row / 4u) * job.weight_pad + column;
            scores[at] = vec4<f32>(s0_0_$j, s1_0_$j, s2_0_$j, s3_0_$j);
            scores[at + job.weight_pad] = vec4<f32>(s4_0_$j, s5_0_$j, s6_0_$j, s7_0_$j);
        }
    }
#end
}
