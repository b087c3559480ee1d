// A column of the tile, or the chunk's last one beyond its end.
fn column_of(column: u32) -> u32 {
    return min(column, job.column_pad - 1u);
}
