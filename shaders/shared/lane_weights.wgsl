        // w: the weights of the lane's columns with QUADS × four rows.
#for q QUADS
#if WIDE
        let both$q = array<array<vec4<f32>, 2>, ROW_PAIRS>(
#for i ROW_PAIRS
            halves(weights[(weights_at + $qu * job.weight_pad + pair$i) / 2u]),
#end
        );
#end
#for i ROWS
#if WIDE
        let w$i_$q = both$q[$iu / 2u][$iu % 2u];
#else
        let w$i_$q = weights[weights_at + $qu * job.weight_pad + read$i];
#end
#end
#end
