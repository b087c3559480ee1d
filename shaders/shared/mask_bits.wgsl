        // Those of the tile's columns, lowest bits first.
        let word = array<vec4<u32>, QUADS>(
#for q QUADS
            words$q >> vec4<u32>(column % 32u),
#end
        );
