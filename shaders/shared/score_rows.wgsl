    // Narrow rows stay in registers while the columns pass by.
#if RESIDENT
#for i ROWS
#for k DIM4
    let row$i_$k = queries[(row + $iu) * job.packed_stride + $ku];
#end
#end
#end
