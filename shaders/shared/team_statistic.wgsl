        // The statistic of the invocation's own columns of a block.
        var max0 = FLOOR;
        var sum0 = 0.0;
        var slope0 = 0.0;
        var second_max0 = FLOOR;
        var second_sum0 = 0.0;
#for k THETAS
        var theta0_$k = 0.0;
#end
        let block_end = select(block, min(block + MERGE, end), is_here);
        for (var absolute = block + local % TEAM; absolute < block_end; absolute += TEAM) {
            let column = absolute - job.column_begin;
            let place = (row / 4u) * job.weight_pad + column - job.weight_begin;
            let s0_0_0 = scores[place][row % 4u];
#if SECOND
            let r0_0_0 = second_scores[place][row % 4u];
#end
            let four = masks[(row / 4u) * (job.column_pad / 32u) + column / 32u];
            let word = array<vec4<u32>, 1>(vec4<u32>(four[row % 4u] >> (column % 32u)));
#if RECORDS
#if SAMPLED
            let record0_0_0 = candidates_record((row * job.column_pad + column) * job.packed_stride + job.dim4);
#else
            let record0_0 = candidates_record(column * job.packed_stride + job.dim4);
#end
#end
#insert reduce_entries i=0 g=0 target=terms.x constant=terms.y
#insert reduce_row i=0
#if SECOND
#insert reduce_second i=0
#end
        }
