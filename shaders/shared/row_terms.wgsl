            // What the row's only pair brings; nothing where z does not depend on the pair.
#if ONE_PAIR
            let target_value = terms$i.x;
            let row_constant = terms$i.y;
#else
            let target_value = 0.0;
            let row_constant = 0.0;
#end
