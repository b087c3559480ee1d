        // The team's statistics of the block, on top of those before.
#if SUM
        let share = 1.0;
        let keep = 1.0;
#else
        let top = max(all_max, largest_of_team(local, max0));
        let share = exp2((max0 - top) * LOG2_E);
        let keep = exp2((all_max - top) * LOG2_E);
        all_max = top;
#end
        all_sum = fma(all_sum, keep, sum_of_team(local, sum0 * share));
#if ONE_PAIR
        all_slope = fma(all_slope, keep, sum_of_team(local, slope0 * share));
#end
#for k THETAS
        all_theta$k = fma(all_theta$k, keep, sum_of_team(local, theta0_$k * share));
#end
#if SECOND
        let second_top = max(all_second_max, largest_of_team(local, second_max0));
        let second_keep = exp2((all_second_max - second_top) * LOG2_E);
        let second_part = sum_of_team(local, second_sum0 * exp2((second_max0 - second_top) * LOG2_E));
        all_second_max = second_top;
        all_second_sum = fma(all_second_sum, second_keep, second_part);
#end
