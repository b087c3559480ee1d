            // Adds what one pair of row $i, with its factor and its row's log-sum, gives the weights.
#insert reduce_entries i=$i g=$g
#for j COLS
#if SUM
            let share$j = $factor;
#else
            let share$j = $factor * exp2((z$j - $sum) * LOG2_E);
#end
            w$i_$j += select(share$j * g$j.score_slope, 0.0, masked$j);
#if COLUMN_SLOPES
            b$i_$j += select(share$j * unscaled * loss_pair_column(e$j), 0.0, masked$j);
#end
#if SECOND_SLOPES
            let through_sum$j = $second.y * exp2((second$j - $second.x) * LOG2_E);
            v$i_$j += select(share$j * unscaled * loss_pair_second(e$j) + through_sum$j, 0.0, masked$j);
#end
#end
