// The invocation's columns in a word of masks.
const MASK_BITS: u32 = select(0x01010101u, 0x00010001u, ACROSS == 16u);

// Of four rows, which of an invocation's columns are masked: those of a word at every ACROSSth bit,
// those of the next word one bit higher, those of the next row behind all words'. Words outside the
// range of columns at hand, which is made of whole words, are full.
fn tile_masks(row_quad: u32, column_tile: u32, across: u32, begin: u32, end: u32) -> u32 {
    let words = job.column_pad / 32u;
    let first = column_tile / 32u;
    var bits = vec4<u32>(0u);
#for w MASK_WORDS
    {
        let column = column_tile + $wu * 32u;
        let word = masks[row_quad * words + min(first + $wu, words - 1u)];
        let seen = select(vec4<u32>(NONE), word, column >= begin && column < end);
        bits |= ((seen >> vec4<u32>(across)) & vec4<u32>(MASK_BITS)) << vec4<u32>($wu);
    }
#end
    let rows = bits << (vec4<u32>(0u, 1u, 2u, 3u) * MASK_WORDS);
    return rows.x | rows.y | rows.z | rows.w;
}
