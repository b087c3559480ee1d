            // Adds what one pair of row $i, with its factor and its row's log-sum, gives the weights.
#for j COLS
#if SUM
            let share$i_$j = $factor;
#else
            let share$i_$j = $factor * exp2((z$i_$j - $sum) * LOG2_E);
#end
            w$i_$j += select(share$i_$j * g$i_$j.score_slope, 0.0, masked$i_$j);
#if COLUMN_SLOPES
            b$i_$j += select(share$i_$j * unscaled * loss_pair_column(e$i_$j), 0.0, masked$i_$j);
#end
#if SECOND_SLOPES
            let through_sum$i_$j = $second.y * exp2((second$i_$j - $second.x) * LOG2_E);
            v$i_$j += select(share$i_$j * unscaled * loss_pair_second(e$i_$j) + through_sum$i_$j, 0.0, masked$i_$j);
#end
#end
