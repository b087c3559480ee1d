            // Pair values z of row $i with the tile's columns, for a pair whose target has the value $target
            // and the constant $constant; masked ones are dead.
#for j COLS
#if BLOCK
            let masked$i_$j = ((masked[$iu / 4u] >> (($ju * ACROSS) % 32u + ($ju * ACROSS) / 32u + ($iu % 4u) * MASK_WORDS)) & 1u) != 0u;
#else
            let masked$i_$j = ((word[$iu / 4u][$iu % 4u] >> ($gu * COLS + $ju)) & 1u) != 0u;
#end
#if RECORDS
#if SAMPLED
            let own$i_$j = record$i_$g_$j;
#else
            let own$i_$j = vec4<f32>(record$g_$j.x, 0.0, record$g_$j.zw);
#end
#else
            let own$i_$j = vec4<f32>(0.0);
#end
#if SECOND
            let second$i_$j = r$i_$g_$j * parameters.scales.y;
#else
            let second$i_$j = 0.0;
#end
            let e$i_$j = Entry(s$i_$g_$j * parameters.scales.x, $target, $constant, second$i_$j, own$i_$j.w, own$i_$j.y);
            let g$i_$j = loss_pair(e$i_$j);
#if LOG_Q_GIVEN
            let z$i_$j = select(g$i_$j.value + own$i_$j.z, DEAD, masked$i_$j);
#else
            let z$i_$j = select(g$i_$j.value, DEAD, masked$i_$j);
#end
#end
