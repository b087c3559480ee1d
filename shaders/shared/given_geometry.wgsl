    // A given score, less that of the reference; it has no angle.
    var dots = given[pair];
    if has(REFERENCE) {
        dots -= reference[pair];
    }
#if BATCH_VALUES
#else
    if (bitcast<u32>(dots) & 0x7f800000u) == 0x7f800000u {
        atomicAdd(&status[NOT_FINITE], 1u);
    }
#end
    let minus = 2.0;
    let plus = 2.0;
    let angle = false;
    let norm = 0.0;
    let record = vec4<f32>(0.0);
