// The score of a packed query and a packed candidate.
fn packed_dot(q: u32, c: u32) -> f32 {
    var sum = 0.0;
    for (var k = 0u; k < job.dim4; k += 1u) {
        sum += dot(queries[q + k], candidates[c + k]);
    }
    return sum;
}
