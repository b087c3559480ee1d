            // Row $i's log-sum of the second tile.
            var second_top = second_max$i;
#for j COLS
            let q$i_$j = select(e$i_$j.second, DEAD, masked$i_$j);
            second_top = max(second_top, q$i_$j);
#end
            var second_sum = second_sum$i * exp2((second_max$i - second_top) * LOG2_E);
#for j COLS
            second_sum += exp2((q$i_$j - second_top) * LOG2_E);
#end
            second_sum$i = second_sum;
            second_max$i = second_top;
