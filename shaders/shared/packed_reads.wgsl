// Four numbers of a packed row, and its record. Halves take half the room: their rows are counted in
// vec2, two of which are the record.
#if PACKED_HALF
fn $of_numbers(at: u32) -> vec4<f32> {
    return vec4<f32>(unpack2x16float($of[at].x), unpack2x16float($of[at].y));
}

fn $of_record(at: u32) -> vec4<f32> {
    return vec4<f32>(bitcast<vec2<f32>>($of[at]), bitcast<vec2<f32>>($of[at + 1u]));
}
#else
fn $of_numbers(at: u32) -> vec4<f32> {
    return $of[at];
}

fn $of_record(at: u32) -> vec4<f32> {
    return $of[at];
}
#end
