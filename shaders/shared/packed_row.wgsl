// The numbers of a row, and zeros behind them.
fn put_row(base: u32, at: u32, begin: u32, largest: f32, length: f32) {
    // 0 for a zero vector: it scores 0 and gets no gradient.
    let shrink = select(1.0 / length, 0.0, largest == 0.0);
    let count = (job.dim + 3u) / 4u;
    for (var k = begin; k < job.dim4; k += TEAM) {
        var numbers = vec4<f32>(0.0);
        if k < count {
            numbers = four(base, k);
            if has(COSINE) {
                // The least normal number: GPUs that take smaller ones for 0 would divide 0 by it.
                numbers = (numbers / max(largest, 0x1p-126f)) * shrink;
            }
        }
        if has(COUNT) && !representable(numbers) {
            atomicAdd(&status[NOT_FINITE], 1u);
        }
        put_numbers(at + k, numbers);
    }
}
