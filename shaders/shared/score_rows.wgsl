    // Narrow rows stay in registers while the columns pass by.
#if RESIDENT
#for i ROWS
#for k SLABS
#if WIDE
    let rows$i_$k = array<array<vec4<f32>, 2>, SLICE_PAIRS>(
#for q SLICE_PAIRS
        halves(queries[((row + $iu) * job.packed_stride + $ku * SLICES) / 2u + $qu]),
#end
    );
#end
#for q SLICES
#if WIDE
    let row$i_$k_$q = rows$i_$k[$qu / 2u][$qu % 2u];
#else
    let row$i_$k_$q = queries[(row + $iu) * job.packed_stride + $ku * SLICES + $qu];
#end
#end
#end
#end
#end
