            // Row $i's pairs one by one, each with a statistic of its own, which stays in memory.
            let pair_begin = pair_offsets[min(job.row_begin + row + $iu, job.rows)];
            let pair_end = select(pair_begin, pair_offsets[min(job.row_begin + row + $iu + 1u, job.rows)], row + $iu < job.row_count);
            for (var pair = pair_begin; pair < min(pair_end, job.pairs); pair += 1u) {
                let target_value = pair_terms[pair * TERMS].x;
                let row_constant = pair_terms[pair * TERMS].y;
                let at = (span * job.pairs + pair) * STATISTIC;
                let first = fresh && column + job.column_begin + $gu == begin;
                let old_max = select(partials[at], FLOOR, first);
                let old_sum = select(partials[at + 1u], 0.0, first);
                let old_slope = select(partials[at + 2u], 0.0, first);
#insert reduce_entries i=$i g=$g target=target_value constant=row_constant
#if SUM
                var sum = old_sum;
                var slope = old_slope;
#for j COLS
                sum += select(z$i_$j, 0.0, masked$i_$j);
                slope += select(g$i_$j.target_slope, 0.0, masked$i_$j);
#end
                partials[at] = FLOOR;
#for k THETAS
                var theta$k = select(partials[at + COMPANIONS + $ku], 0.0, first);
#for j COLS
                theta$k += select(loss_pair_theta($ku, e$i_$j), 0.0, masked$i_$j);
#end
                partials[at + COMPANIONS + $ku] = theta$k;
#end
#else
                var top = old_max;
#for j COLS
                top = max(top, z$i_$j);
#end
                let keep = exp2((old_max - top) * LOG2_E);
                var sum = old_sum * keep;
                var slope = old_slope * keep;
#for j COLS
                let p$i_$j = exp2((z$i_$j - top) * LOG2_E);
                sum += p$i_$j;
                slope = fma(p$i_$j, g$i_$j.target_slope, slope);
#end
                partials[at] = top;
#for k THETAS
                var theta$k = keep * select(partials[at + COMPANIONS + $ku], 0.0, first);
#for j COLS
                theta$k += select(p$i_$j * loss_pair_theta($ku, e$i_$j), 0.0, masked$i_$j);
#end
                partials[at + COMPANIONS + $ku] = theta$k;
#end
#end
#if SECOND
                let second_max = select(partials[at + 3u], FLOOR, first);
                var second_top = second_max;
#for j COLS
                let q$i_$j = select(e$i_$j.second, DEAD, masked$i_$j);
                second_top = max(second_top, q$i_$j);
#end
                var second_sum = select(partials[at + 4u], 0.0, first) * exp2((second_max - second_top) * LOG2_E);
#for j COLS
                second_sum += exp2((q$i_$j - second_top) * LOG2_E);
#end
                partials[at + 3u] = second_top;
                partials[at + 4u] = second_sum;
#end
                partials[at + 1u] = sum;
                partials[at + 2u] = slope;
            }
