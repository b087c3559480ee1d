    // $acc: scores of the lane's ROWS rows with COL_GROUPS × COLS columns from `column` on.
#for g COL_GROUPS
#for i ROWS
#for j COLS
    var $acc$i_$g_$j = 0.0;
#end
#end
#end
#if RESIDENT
    // The rows are in registers already; only candidates are loaded, SLICES vec4 of COLS of them at
    // a time.
#for k SLABS
#for g COL_GROUPS
    {
#if WIDE
        let own = halves(candidates[((column + $gu) * job.packed_stride + $ku * SLICES) / 2u + lane8]);
#else
#if SUBGROUPS
        let own = candidates[(column + $gu * COLS + lane8 % COLS) * job.packed_stride + $ku * SLICES + lane8 / COLS];
#end
#end
#for q SLICES
        {
#for j COLS
#if WIDE
            let y$j = subgroupBroadcast(own[$qu % 2u], $qu / 2u);
#else
#if SUBGROUPS
            let y$j = subgroupBroadcast(own, $qu * COLS + $ju);
#else
            let y$j = candidates[(column + $gu * COLS + $ju) * job.packed_stride + $ku * SLICES + $qu];
#end
#end
#end
#for j COLS
#for i ROWS
            $acc$i_$g_$j = fma(row$i_$k_$q.x, y$j.x, $acc$i_$g_$j);
#end
#for i ROWS
            $acc$i_$g_$j = fma(row$i_$k_$q.y, y$j.y, $acc$i_$g_$j);
#end
#for i ROWS
            $acc$i_$g_$j = fma(row$i_$k_$q.z, y$j.z, $acc$i_$g_$j);
#end
#for i ROWS
            $acc$i_$g_$j = fma(row$i_$k_$q.w, y$j.w, $acc$i_$g_$j);
#end
#end
        }
#end
    }
#end
#end
#else
    for (var k = 0u; k < $dim4; k += UNROLL) {
#for u UNROLL
        {
#for i ROWS
        let x$i = queries[$queries + (row + $iu) * $stride + k + $uu];
#end
#for g COL_GROUPS
        {
#if SUBGROUPS
        let own = candidates[$candidates + (column + $gu * 8u + lane8) * $stride + k + $uu];
#for j 8
        let y$j = subgroupBroadcast(own, $ju);
#end
#else
#for j 8
        let y$j = candidates[$candidates + (column + $gu * 8u + $ju) * $stride + k + $uu];
#end
#end
#for j 8
#for i ROWS
        $acc$i_$g_$j = fma(x$i.x, y$j.x, $acc$i_$g_$j);
#end
#end
#for j 8
#for i ROWS
        $acc$i_$g_$j = fma(x$i.y, y$j.y, $acc$i_$g_$j);
#end
#end
#for j 8
#for i ROWS
        $acc$i_$g_$j = fma(x$i.z, y$j.z, $acc$i_$g_$j);
#end
#end
#for j 8
#for i ROWS
        $acc$i_$g_$j = fma(x$i.w, y$j.w, $acc$i_$g_$j);
#end
#end
        }
#end
        }
#end
    }
#end
