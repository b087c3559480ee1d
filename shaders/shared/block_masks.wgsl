        // What masks say of the invocation's entries: asked for before the product, which takes longer.
        let masked = array<u32, 2>(
#for q 2
            tile_masks(row / 4u + $qu, column_tile, across, begin, end),
#end
        );
