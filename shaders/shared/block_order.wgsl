// Tile (down, across) of a workgroup: eight tiles down take turns before the next one across, so that
// neighbouring workgroups share both sides.
fn tile_of(index: u32, tiles_down: u32, tiles_across: u32) -> vec2<u32> {
    let band = index / (tiles_across * 8u);
    let height = min(tiles_down - band * 8u, 8u);
    let within = index % (tiles_across * 8u);
    return vec2<u32>(band * 8u + within % height, within / height);
}
