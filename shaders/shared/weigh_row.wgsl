    // The pairs of row $i; where a row has one statistic, the factors of all its pairs added up.
    let pair_begin$i = pair_offsets[min(job.row_begin + row + $iu, job.rows)];
    let pair_end$i = min(job.pairs, select(pair_begin$i, pair_offsets[min(job.row_begin + row + $iu + 1u, job.rows)], row + $iu < job.row_count));
#if ROW_UNITS
    var factor$i = 0.0;
    // Of a row without pairs no exponential may overflow: its factor 0 would make no number of it.
    var sum$i = NO_PAIR;
    // What the row's only pair brings; nothing where z does not depend on the pair.
    var terms$i = vec2<f32>(0.0);
#if SECOND_SLOPES
    var second_terms$i = vec2<f32>(NO_PAIR, 0.0);
#end
    for (var pair = pair_begin$i; pair < pair_end$i; pair += 1u) {
        factor$i += pair_terms[pair * TERMS].w;
        sum$i = pair_terms[pair * TERMS].z;
#if ONE_PAIR
        terms$i = pair_terms[pair * TERMS].xy;
#end
#if SECOND_SLOPES
        second_terms$i.x = pair_terms[pair * TERMS + 1u].x;
        second_terms$i.y += pair_terms[pair * TERMS + 1u].y;
#end
    }
    factor$i *= parameters.scales.x;
#end
