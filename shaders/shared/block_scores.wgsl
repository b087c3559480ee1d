        // s: scores of eight neighbouring rows with the columns across, across + ACROSS, … of the tile:
        // neighbours in memory belong to neighbouring invocations.
#for i 8
        var c$i_0 = vec4<f32>(0.0);
        var c$i_1 = vec4<f32>(0.0);
#end
        for (var k0 = 0u; k0 < job.dim4; k0 += SLAB_STEPS / 4u) {
            workgroupBarrier();
            for (var piece = local; piece < DOWN * 2u * (SLAB_STEPS / 4u); piece += THREADS) {
                let quad = piece / (SLAB_STEPS / 4u);
                let k = piece % (SLAB_STEPS / 4u);
                let at = (row_tile + quad * 4u) * job.packed_stride + k0 + k;
                store_transposed(
                    k * 4u * PITCH_A + quad, PITCH_A,
                    queries_numbers(at),
                    queries_numbers(at + job.packed_stride),
                    queries_numbers(at + 2u * job.packed_stride),
                    queries_numbers(at + 3u * job.packed_stride),
                );
            }
            for (var piece = local; piece < ACROSS * 2u * (SLAB_STEPS / 4u); piece += THREADS) {
                let quad = piece / (SLAB_STEPS / 4u);
                let k = piece % (SLAB_STEPS / 4u);
                // The first ACROSS quads hold the columns across + 0 … 3·ACROSS, the others the next four.
                let first = column_tile + quad % ACROSS + (quad / ACROSS) * (ACROSS * 4u);
#for i 4
                let y$i = candidates_numbers(column_of(first + $iu * ACROSS) * job.packed_stride + k0 + k);
#end
                store_transposed(BEGIN_B + k * 4u * PITCH_B + quad, PITCH_B, y0, y1, y2, y3);
            }
            workgroupBarrier();
#insert block_product
        }
#for i 8
        let c$i = array<vec4<f32>, 2>(c$i_0, c$i_1);
#for j 8
        let s$i_0_$j = c$i[$ju / 4u][$ju % 4u];
#end
#end
