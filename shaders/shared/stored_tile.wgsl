    // $acc: ROWS × COL_GROUPS × 8 scores, read back from the scratch (per-row sampled columns).
#for g COL_GROUPS
#for j 8
    let $acc_four$g_$j = $buffer[(row / 4u) * job.weight_pad + $at + $gu * 8u + $ju];
#end
#for j 8
#for i ROWS
    let $acc$i_$g_$j = $acc_four$g_$j[$iu];
#end
#end
#end
