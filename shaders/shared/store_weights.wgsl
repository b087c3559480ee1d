        // Stores the weights of the tile's columns $g, or holds them.
#for j COLS
#if TALL
        held0_$j = vec4<f32>(w0_$j, w1_$j, w2_$j, w3_$j);
        held1_$j = vec4<f32>(w4_$j, w5_$j, w6_$j, w7_$j);
#else
        weights[(row / 4u) * job.weight_pad + at + $gu * COLS + $ju] = vec4<f32>(w0_$j, w1_$j, w2_$j, w3_$j);
#end
#if SECOND_SLOPES
        second_scores[(row / 4u) * job.weight_pad + at + $gu * COLS + $ju] = vec4<f32>(v0_$j, v1_$j, v2_$j, v3_$j);
#end
#if COLUMN_SLOPES
        column_slopes[(row / 4u) * job.weight_pad + at + $gu * COLS + $ju] = vec4<f32>(b0_$j, b1_$j, b2_$j, b3_$j);
#if TALL
        column_slopes[(row / 4u + 1u) * job.weight_pad + at + $gu * COLS + $ju] = vec4<f32>(b4_$j, b5_$j, b6_$j, b7_$j);
#end
#end
#end
