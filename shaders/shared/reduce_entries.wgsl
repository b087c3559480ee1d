            // Row $i's pair values z with the tile's columns; masked ones are dead.
#for j 8
            let masked$j = ((word[$iu] >> ($gu * 8u + $ju)) & 1u) != 0u;
#if SECOND
            let e$j = Entry(s$i_$g_$j * parameters.scales.x, target_value, row_constant, r$i_$g_$j * parameters.scales.y);
#else
            let e$j = Entry(s$i_$g_$j * parameters.scales.x, target_value, row_constant, 0.0);
#end
            let g$j = loss_pair(e$j);
#if LOG_Q_GIVEN
            let z$j = select(g$j.value + offset$g_$j, DEAD, masked$j);
#else
            let z$j = select(g$j.value, DEAD, masked$j);
#end
#end
