        // What records say of the invocation's columns.
#if RECORDS
#for j 8
        let record0_$j = candidates_record(column_of(column_tile + across + $ju * ACROSS) * job.packed_stride + job.dim4);
#end
#end
