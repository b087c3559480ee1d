            // Row $i's log-sum of the second tile.
            var second_top = second_max$i;
#for j COLS
            let q$j = select(e$j.second, DEAD, masked$j);
            second_top = max(second_top, q$j);
#end
            var second_sum = second_sum$i * exp2((second_max$i - second_top) * LOG2_E);
#for j COLS
            second_sum += exp2((q$j - second_top) * LOG2_E);
#end
            second_sum$i = second_sum;
            second_max$i = second_top;
