        // The tile's scores into the scratch, four rows per vec4.
#for g COL_GROUPS
#for j COLS
        {
            let at = (row / 4u) * job.weight_pad + column + $gu * COLS + $ju;
            kept[at] = vec4<f32>(s0_$g_$j, s1_$g_$j, s2_$g_$j, s3_$g_$j);
#if TALL
            kept[at + job.weight_pad] = vec4<f32>(s4_$g_$j, s5_$g_$j, s6_$g_$j, s7_$g_$j);
#end
        }
#end
#end
