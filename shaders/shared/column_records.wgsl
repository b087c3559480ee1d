    // What the packed columns carry beside their numbers.
#if RECORDS
#for g COL_GROUPS
#for j COLS
#if SAMPLED
#for i ROWS
        let record$i_$g_$j = candidates[((row + $iu) * job.column_pad + column + $gu * COLS + $ju) * job.packed_stride + job.dim4];
#end
#else
        let record$g_$j = candidates[(column + $gu * COLS + $ju) * job.packed_stride + job.dim4];
#end
#end
#end
#end
