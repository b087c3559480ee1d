// Numbers of the bound piece of a caller's table, in f32.
#if ALIGNED
fn four(base: u32, k: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(table[base / 4u + k]);
}
#else
fn element(at: u32) -> f32 {
#if HALF
    let two = unpack2x16float(table[at / 2u]);
    return select(two.x, two.y, (at & 1u) == 1u);
#else
    return bitcast<f32>(table[at]);
#end
}

// Numbers 4k to 4k + 3 of the row at `base`, zeros behind the last.
fn four(base: u32, k: u32) -> vec4<f32> {
    var numbers = vec4<f32>(0.0);
    for (var c = 0u; c < 4u; c += 1u) {
        if k * 4u + c < job.dim {
            numbers[c] = element(base + k * 4u + c);
        }
    }
    return numbers;
}
#end

// Largest magnitude and the length in its units: neither overflows nor underflows.
fn measure(base: u32) -> vec2<f32> {
    let count = (job.dim + 3u) / 4u;
    var top = vec4<f32>(0.0);
    var bad = 0u;
    for (var k = 0u; k < count; k += 1u) {
        let numbers = four(base, k);
        let infinite = (bitcast<vec4<u32>>(numbers) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u);
        let ones = select(vec4<u32>(0u), vec4<u32>(1u), infinite);
        bad += ones.x + ones.y + ones.z + ones.w;
        top = max(top, abs(numbers));
    }
    if bad > 0u && has(COUNT) {
        atomicAdd(&status[NOT_FINITE], bad);
    }
    let largest = max(max(top.x, top.y), max(top.z, top.w));
    if largest == 0.0 {
        return vec2<f32>(0.0);
    }
    // Four sums: one of a thousand squares loses two digits more.
    var squares = vec4<f32>(0.0);
    for (var k = 0u; k < count; k += 1u) {
        let numbers = four(base, k) / largest;
        squares = fma(numbers, numbers, squares);
    }
    return vec2<f32>(largest, sqrt((squares.x + squares.y) + (squares.z + squares.w)));
}
