            // Row $i's pair values z with the tile's columns; masked ones are dead.
#for j COLS
#if BLOCK
            let masked$j = ((masked[$iu / 4u] >> (($ju * ACROSS) % 32u + ($ju * ACROSS) / 32u + ($iu % 4u) * MASK_WORDS)) & 1u) != 0u;
#else
            let masked$j = ((word[$iu / 4u][$iu % 4u] >> ($gu * COLS + $ju)) & 1u) != 0u;
#end
#if RECORDS
#if SAMPLED
            let own$j = record$i_$g_$j;
#else
            let own$j = vec4<f32>(record$g_$j.x, 0.0, record$g_$j.zw);
#end
#else
            let own$j = vec4<f32>(0.0);
#end
#if SECOND
            let second$j = r$i_$g_$j * parameters.scales.y;
#else
            let second$j = 0.0;
#end
            let e$j = Entry(s$i_$g_$j * parameters.scales.x, target_value, row_constant, second$j, own$j.w, own$j.y);
            let g$j = loss_pair(e$j);
#if LOG_Q_GIVEN
            let z$j = select(g$j.value + own$j.z, DEAD, masked$j);
#else
            let z$j = select(g$j.value, DEAD, masked$j);
#end
#end
