// Score tile again → weight ∂loss/∂score of every (row, column) of the chunk, into the scratch.
// The products that follow know no loss. A workgroup owns one tile.
#import job
#import loss_types
#import math
#import loss

#packed queries
#packed candidates
#bind read masks array<vec4<u32>>
#bind read row_factors array<vec4<f32>>
// Four rows per vec4; where scores are stored it holds them until the weight replaces each.
#bind write weights array<vec4<f32>>
#if COLUMN_SLOPES
// ∂loss/∂(column parameter) of every (row, column), in the layout of the weights.
#bind write column_slopes array<vec4<f32>>
#end

#import block_slab
#import block_columns
#import tile_masks
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
    let begin = job.weight_begin;
    let end = begin + job.weight_pad;
    let column_tile = begin + tile.y * TILE_ACROSS;
    let across = local % ACROSS;
    let down = local / ACROSS;
    let row = row_tile + down * 8u;
#insert block_masks
#if STORED
#for j 8
    let at_$j = (row / 4u) * job.weight_pad + min(column_tile + across + $ju * ACROSS, job.weight_pad - 1u);
    let stored_$j = array<vec4<f32>, 2>(weights[at_$j], weights[at_$j + job.weight_pad]);
#for i 8
    let s$i_0_$j = stored_$j[$iu / 4u][$iu % 4u];
#end
#end
#else
#insert block_scores queries=0u candidates=0u
#end
#insert block_entries
#if COLUMN_SLOPES
    // Shares hold the scale of scores, which column parameters have no part in.
    let unscaled = 1.0 / parameters.scales.x;
#end
#for i ROWS
#for j 8
    var w$i_$j = 0.0;
#if COLUMN_SLOPES
    var b$i_$j = 0.0;
#end
#end
    {
        let own = row_factors[job.row_begin + row + $iu];
        let factor = own.w * parameters.scales.x;
        let sum = own.z;
#if ONE_PAIR
        let terms$i = own.xy;
#else
        let terms$i = vec2<f32>(0.0);
#end
#insert reduce_entries i=$i g=0 target=terms$i.x constant=terms$i.y
#insert weigh_entries i=$i factor=factor sum=sum second=0
    }
#end
#for j 8
    {
        let column = tile.y * TILE_ACROSS + across + $ju * ACROSS;
        if column < job.weight_pad {
            let at = (row / 4u) * job.weight_pad + column;
            weights[at] = vec4<f32>(w0_$j, w1_$j, w2_$j, w3_$j);
            weights[at + job.weight_pad] = vec4<f32>(w4_$j, w5_$j, w6_$j, w7_$j);
#if COLUMN_SLOPES
            column_slopes[at] = vec4<f32>(b0_$j, b1_$j, b2_$j, b3_$j);
            column_slopes[at + job.weight_pad] = vec4<f32>(b4_$j, b5_$j, b6_$j, b7_$j);
#end
        }
    }
#end
}
