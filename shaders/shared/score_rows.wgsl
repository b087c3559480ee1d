    // Narrow rows stay in registers while the columns pass by.
#if RESIDENT
#for i ROWS
#for k SLABS
#for q SLICES
    let row$i_$k_$q = queries[(row + $iu) * job.packed_stride + $ku * SLICES + $qu];
#end
#end
#end
#end
