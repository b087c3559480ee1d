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

// Largest magnitude of every `step`th four numbers of the row at `base`.
fn magnitude(base: u32, begin: u32, step: u32) -> f32 {
    let count = (job.dim + 3u) / 4u;
    var top = vec4<f32>(0.0);
    var bad = 0u;
    for (var k = begin; k < count; k += step) {
        let numbers = four(base, k);
        let infinite = (bitcast<vec4<u32>>(numbers) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u);
        let ones = select(vec4<u32>(0u), vec4<u32>(1u), infinite);
        bad += ones.x + ones.y + ones.z + ones.w;
        top = max(top, abs(numbers));
    }
    if bad > 0u && has(COUNT) {
        atomicAdd(&status[NOT_FINITE], bad);
    }
    return max(max(top.x, top.y), max(top.z, top.w));
}

// The sum of their squares in units of the largest.
fn squares(base: u32, largest: f32, begin: u32, step: u32) -> f32 {
    let count = (job.dim + 3u) / 4u;
    // Four sums: one of a thousand squares loses two digits more.
    var sums = vec4<f32>(0.0);
    for (var k = begin; k < count; k += step) {
        let numbers = four(base, k) / largest;
        sums = fma(numbers, numbers, sums);
    }
    return (sums.x + sums.y) + (sums.z + sums.w);
}
