        // The weights of the tile's columns $g: w, and where asked for those of column parameters, b, and of
        // second scores, v.
#for i ROWS
#for j COLS
        var w$i_$j = 0.0;
#if COLUMN_SLOPES
        var b$i_$j = 0.0;
#end
#if SECOND_SLOPES
        var v$i_$j = 0.0;
#end
#end
#end
#if ROW_UNITS
#for i ROWS
#insert reduce_entries i=$i g=$g target=terms$i.x constant=terms$i.y
#end
#for i ROWS
#insert weigh_entries i=$i factor=factor$i sum=sum$i second=second_terms$i
#end
#else
#for i ROWS
        for (var pair = pair_begin$i; pair < pair_end$i; pair += 1u) {
            let terms = pair_terms[pair * TERMS];
#if SECOND_SLOPES
            let second_terms = pair_terms[pair * TERMS + 1u];
#end
            let factor = terms.w * parameters.scales.x;
#insert reduce_entries i=$i g=$g target=terms.x constant=terms.y
#insert weigh_entries i=$i factor=factor sum=terms.z second=second_terms
        }
#end
#end
