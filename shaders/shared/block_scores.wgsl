        // s: scores of eight neighbouring rows with the columns across, across + ACROSS, … of the tile:
        // neighbours in memory belong to neighbouring invocations. $queries and $candidates: where the
        // tables begin.
#for i 8
        var c$i_0 = vec4<f32>(0.0);
        var c$i_1 = vec4<f32>(0.0);
#end
        for (var from_k = 0u; from_k < job.dim4; from_k += SLAB_STEPS / 4u) {
            // All loads are on their way before the first is stored. A piece is four rows, or four
            // columns, at four k; the rows' quads come first.
#for p SCORE_PIECES
            let quad$p = (local + $pu * THREADS) / (SLAB_STEPS / 4u);
            let k$p = (local + $pu * THREADS) % (SLAB_STEPS / 4u);
#for i 4
            var v$p_$i = vec4<f32>(0.0);
#end
            if quad$p < DOWN * 2u {
                let at = $queries + (row_tile + quad$p * 4u) * job.packed_stride + from_k + k$p;
#for i 4
                v$p_$i = queries_numbers(at + $iu * job.packed_stride);
#end
            } else if quad$p < (DOWN + ACROSS) * 2u {
                // The first ACROSS quads hold the columns across + 0 … 3·ACROSS, the others the next four.
                let quad = quad$p - DOWN * 2u;
                let first = column_tile + quad % ACROSS + (quad / ACROSS) * (ACROSS * 4u);
#for i 4
                v$p_$i = candidates_numbers($candidates + column_of(first + $iu * ACROSS) * job.packed_stride + from_k + k$p);
#end
            }
#end
            workgroupBarrier();
#for p SCORE_PIECES
            if quad$p < DOWN * 2u {
                store_transposed(k$p * 4u * PITCH_A + quad$p, PITCH_A, v$p_0, v$p_1, v$p_2, v$p_3);
            } else if quad$p < (DOWN + ACROSS) * 2u {
                store_transposed(BEGIN_B + k$p * 4u * PITCH_B + quad$p - DOWN * 2u, PITCH_B, v$p_0, v$p_1, v$p_2, v$p_3);
            }
#end
            workgroupBarrier();
#insert block_product
        }
#for i 8
        let c$i = array<vec4<f32>, 2>(c$i_0, c$i_1);
#for j 8
        let s$i_0_$j = c$i[$ju / 4u][$ju % 4u];
#end
#end
