// Packed rows to write: four numbers, a record, a row of zeros; and whether numbers have a half.
#if PACKED_HALF
#bind write packed array<vec2<u32>>

fn put_numbers(at: u32, numbers: vec4<f32>) {
    packed[at] = vec2<u32>(pack2x16float(numbers.xy), pack2x16float(numbers.zw));
}

fn put_record(at: u32, record: vec4<f32>) {
    packed[at] = bitcast<vec2<u32>>(record.xy);
    packed[at + 1u] = bitcast<vec2<u32>>(record.zw);
}

fn representable(numbers: vec4<f32>) -> bool {
    return all(abs(numbers) <= vec4<f32>(65504.0));
}
#else
#bind write packed array<vec4<f32>>

fn put_numbers(at: u32, numbers: vec4<f32>) {
    packed[at] = numbers;
}

fn put_record(at: u32, record: vec4<f32>) {
    packed[at] = record;
}

fn representable(numbers: vec4<f32>) -> bool {
    return true;
}
#end

// Every `step`th four zeros of a row from `begin` on, and the first of them the record.
fn put_nothing(at: u32, begin: u32, step: u32) {
    for (var k = begin; k < job.dim4; k += step) {
        put_numbers(at + k, vec4<f32>(0.0));
    }
    if begin == 0u {
        put_record(at + job.dim4, vec4<f32>(0.0));
    }
}
