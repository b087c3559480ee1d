            // Adds row $i's pair values to its statistic.
#if SUM
#for j COLS
            sum$i += select(z$i_$j, 0.0, masked$i_$j);
#if ONE_PAIR
            slope$i += select(g$i_$j.target_slope, 0.0, masked$i_$j);
#end
#end
#for k THETAS
#for j COLS
            theta$i_$k += select(loss_pair_theta($ku, e$i_$j), 0.0, masked$i_$j);
#end
#end
#else
#if ONE_COLUMN
            // Either the sum so far or the new term shrinks: one exponential serves both.
            let rise = z$i_0 - max$i;
            let shrink = exp2(-abs(rise) * LOG2_E);
            let top = max(max$i, z$i_0);
            let keep = select(1.0, shrink, rise > 0.0);
            let p$i_0 = select(shrink, 1.0, rise > 0.0);
#else
            var top = max$i;
#for j COLS
            top = max(top, z$i_$j);
#end
            let keep = exp2((max$i - top) * LOG2_E);
#for j COLS
            let p$i_$j = exp2((z$i_$j - top) * LOG2_E);
#end
#end
            var sum = sum$i * keep;
#if ONE_PAIR
            slope$i *= keep;
#end
#for j COLS
            sum += p$i_$j;
#if ONE_PAIR
            slope$i = fma(p$i_$j, g$i_$j.target_slope, slope$i);
#end
#end
            sum$i = sum;
            max$i = top;
#for k THETAS
            theta$i_$k *= keep;
#for j COLS
            theta$i_$k += select(p$i_$j * loss_pair_theta($ku, e$i_$j), 0.0, masked$i_$j);
#end
#end
#end
