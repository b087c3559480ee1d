// Score tile → pair values → row statistics, one partial per (row, span of columns).
//
// A workgroup owns a tile of rows and walks the columns of its span. An invocation keeps statistics
// of its eight rows over its own columns; every MERGE columns, and where the span ends, those that
// share rows are merged in the order of the invocations and added to the stored partial. Merges
// stand at absolute columns, and chunks end at such, so chunk borders do not show in the bits.
#import job
#import loss_types
#import math
#import loss

#packed queries
#packed candidates
#bind read masks array<vec4<u32>>
#bind read pair_offsets array<u32>
#bind read pair_terms array<vec4<f32>>
#bind write partials array<f32>
#if KEPT
// The scores, for the weights.
#bind write kept array<vec4<f32>>
#end

#import block_slab
#import block_columns
#import tile_masks

// Floats per partial: max, sum, ∂z/∂t companion, two of a second tile, θ companions.
const STATISTIC: u32 = STATISTIC_SIZE;
const COMPANIONS: u32 = 5u;
const MERGE: u32 = PRODUCT_BLOCK;
// Rows whose statistics the slab holds at a time.
const MERGED: u32 = TILE_DOWN / MERGE_ROUNDS;

// The statistics of a row, from all invocations that share it, on top of the stored partial.
fn merge(local: u32, at: u32, fresh: bool) {
    var top = select(partials[at], FLOOR, fresh);
    var sum = select(partials[at + 1u], 0.0, fresh);
#if ONE_PAIR
    var slope = select(partials[at + 2u], 0.0, fresh);
#else
    var slope = 0.0;
#end
#for k THETAS
    var theta$k = select(partials[at + COMPANIONS + $ku], 0.0, fresh);
#end
    for (var nth = 0u; nth < ACROSS; nth += 1u) {
        let own = slab[local * ACROSS + (nth + local) % ACROSS];
#if SUM
        let keep = 1.0;
        let share = 1.0;
#else
        let higher = max(top, own.x);
        let keep = exp2((top - higher) * LOG2_E);
        let share = exp2((own.x - higher) * LOG2_E);
        top = higher;
#end
        sum = fma(own.y, share, sum * keep);
#if ONE_PAIR
        slope = fma(own.z, share, slope * keep);
#end
#for k THETAS
        theta$k = fma(own.w, share, theta$k * keep);
#end
    }
    partials[at] = top;
    partials[at + 1u] = sum;
    partials[at + 2u] = slope;
#for k THETAS
    partials[at + COMPANIONS + $ku] = theta$k;
#end
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = group_index(group);
    if index >= job.groups {
        return;
    }
    let row_tiles = job.row_pad / TILE_DOWN;
    let span = job.column_begin / job.span_width + index / row_tiles;
    let row_tile = (index % row_tiles) * TILE_DOWN;
    let span_end = (span + 1u) * job.span_width;
    // Relative to the chunk.
    let begin = max(span * job.span_width, job.column_begin) - job.column_begin;
    let end = min(span_end - job.column_begin, job.column_pad);
    var fresh = span * job.span_width >= job.column_begin;
    let across = local % ACROSS;
    let down = local / ACROSS;
    let row = row_tile + down * 8u;
#for i ROWS
    var max$i = FLOOR;
    var sum$i = 0.0;
    var slope$i = 0.0;
    var theta$i = 0.0;
#end
    for (var column_tile = begin / TILE_ACROSS * TILE_ACROSS; column_tile < end; column_tile += TILE_ACROSS) {
#insert block_masks
#insert block_scores queries=0u candidates=0u
#if KEPT
#for j 8
        {
            let column = column_tile + across + $ju * ACROSS;
            if column < job.weight_pad {
                let at = (row / 4u) * job.weight_pad + column;
                kept[at] = vec4<f32>(s0_0_$j, s1_0_$j, s2_0_$j, s3_0_$j);
                kept[at + job.weight_pad] = vec4<f32>(s4_0_$j, s5_0_$j, s6_0_$j, s7_0_$j);
            }
        }
#end
#end
#insert block_entries
#for i ROWS
        {
#if ONE_PAIR
            let terms$i = pair_terms[min(job.row_begin + row + $iu, job.pairs - 1u) * TERMS].xy;
#else
            let terms$i = vec2<f32>(0.0);
#end
#insert reduce_entries i=$i g=0 target=terms$i.x constant=terms$i.y
#if SUM
#for j 8
            sum$i += select(z$i_$j, 0.0, masked$i_$j);
#if ONE_PAIR
            slope$i += select(g$i_$j.target_slope, 0.0, masked$i_$j);
#end
#for k THETAS
            theta$i += select(loss_pair_theta($ku, e$i_$j), 0.0, masked$i_$j);
#end
#end
#else
            var top = max$i;
#for j 8
            top = max(top, z$i_$j);
#end
            let keep = exp2((max$i - top) * LOG2_E);
            var sum = sum$i * keep;
            slope$i *= keep;
            theta$i *= keep;
#for j 8
            let p$i_$j = exp2((z$i_$j - top) * LOG2_E);
            sum += p$i_$j;
#if ONE_PAIR
            slope$i = fma(p$i_$j, g$i_$j.target_slope, slope$i);
#end
#for k THETAS
            theta$i += select(p$i_$j * loss_pair_theta($ku, e$i_$j), 0.0, masked$i_$j);
#end
#end
            sum$i = sum;
            max$i = top;
#end
        }
#end
        let next = column_tile + TILE_ACROSS;
        if next % MERGE == 0u || next >= end {
            let state = array<vec4<f32>, 8>(
#for i ROWS
                vec4<f32>(max$i, sum$i, slope$i, theta$i),
#end
            );
#for m MERGE_ROUNDS
            workgroupBarrier();
#for i MERGE_ROWS
            {
                // The order turns with the row, or reads would meet in one bank.
                let place = down * MERGE_ROWS + $iu;
                slab[place * ACROSS + (across + place) % ACROSS] = state[$mu * MERGE_ROWS + $iu];
            }
#end
            workgroupBarrier();
            if local < MERGED {
                let merged = row_tile + (local / MERGE_ROWS) * 8u + $mu * MERGE_ROWS + local % MERGE_ROWS;
                merge(local, (span * job.row_total + job.row_begin + merged) * STATISTIC, fresh);
            }
#end
            fresh = false;
#for i ROWS
            max$i = FLOOR;
            sum$i = 0.0;
            slope$i = 0.0;
            theta$i = 0.0;
#end
        }
    }
}
