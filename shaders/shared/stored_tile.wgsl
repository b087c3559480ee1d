    // $acc: ROWS × COLS scores, read back from the scratch (per-row sampled columns).
#for j COLS
    let $acc_four$j = $buffer[(row / 4u) * job.weight_pad + $at + $ju];
#end
#for j COLS
#for i ROWS
    let $acc$i_$j = $acc_four$j[$iu];
#end
#end
