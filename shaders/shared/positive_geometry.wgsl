    // Score and chords of a packed query and a packed positive.
    let q = row * job.packed_stride;
    let c = item * job.packed_stride;
    var dots = 0.0;
    var minus = 0.0;
    var plus = 0.0;
    let norm = queries_record(q + job.dim4).y;
    // Angles are between unit vectors; queries that keep their length are shrunk for them.
    let shrink = select(1.0, select(1.0 / norm, 0.0, norm == 0.0), has(PROJECTION));
    for (var k = 0u; k < job.dim4; k += 1u) {
        let x = queries_numbers(q + k) * shrink;
        let y = positives_numbers(c + k);
        dots += dot(queries_numbers(q + k), y);
        let difference = x - y;
        let total = x + y;
        minus += dot(difference, difference);
        plus += dot(total, total);
    }
    let record = positives_record(c + job.dim4);
    // A zero vector has no angle, its cosine is 0; and dot products see none.
    let angle = has(COSINE) && norm != 0.0 && record.y != 0.0;
