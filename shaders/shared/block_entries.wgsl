        // What masks and records say of the invocation's entries.
        let masked = array<vec4<u32>, 2>(
#for q 2
            tile_masks(row / 4u + $qu, column_tile, across, begin, end),
#end
        );
#if RECORDS
#for j 8
        let record0_$j = candidates_record(column_of(column_tile + across + $ju * ACROSS) * job.packed_stride + job.dim4);
#end
#end
