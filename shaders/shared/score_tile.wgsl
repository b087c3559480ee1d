    // $acc: ROWS × COLS scores of the lane's rows with the columns from `column` on.
#for i ROWS
#for j COLS
    var $acc$i_$j = 0.0;
#end
#end
    for (var k = 0u; k < $dim4; k += 1u) {
#for i ROWS
        let x$i = queries[$queries + (row + $iu) * $stride + k];
#end
#if SUBGROUPS
        let own = candidates[$candidates + (column + lane8) * $stride + k];
#for j COLS
        let y$j = subgroupBroadcast(own, $ju);
#end
#else
#for j COLS
        let y$j = candidates[$candidates + (column + $ju) * $stride + k];
#end
#end
#for j COLS
#for i ROWS
        $acc$i_$j = fma(x$i.x, y$j.x, $acc$i_$j);
#end
#end
#for j COLS
#for i ROWS
        $acc$i_$j = fma(x$i.y, y$j.y, $acc$i_$j);
#end
#end
#for j COLS
#for i ROWS
        $acc$i_$j = fma(x$i.z, y$j.z, $acc$i_$j);
#end
#end
#for j COLS
#for i ROWS
        $acc$i_$j = fma(x$i.w, y$j.w, $acc$i_$j);
#end
#end
    }
