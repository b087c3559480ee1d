            // y: PART_RUN vec4, the run $h, of QUADS × four rows.
#for q QUADS
#if WIDE
            let mine$q = halves(queries[(row + $qu * 4u) * job.packed_stride / 2u + own + $hu * 2u]);
#else
#if SUBGROUPS
            let mine$q = queries[(row + $qu * 4u) * job.packed_stride + own + $hu * 2u];
#end
#end
#for r 4
#for c PART_RUN
#if WIDE
            let y$q_$r_$c = subgroupBroadcast(mine$q[$cu % 2u], $ru * 2u + $cu / 2u);
#else
#if SUBGROUPS
            let y$q_$r_$c = subgroupBroadcast(mine$q, $ru * 2u + $cu);
#else
            let y$q_$r_$c = queries[job.second_queries + (row + $qu * 4u + $ru) * job.packed_stride + part + $hu * 2u + $cu];
#end
#end
#end
#end
#end
