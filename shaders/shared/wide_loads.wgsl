// Two vec4<f32> that lie next to each other, from one load: half as many where each is a loop over the
// lanes, as on processors.
fn halves(both: vec4<u64>) -> array<vec4<f32>, 2> {
    let low = vec4<u32>(both & vec4<u64>(0xfffffffflu));
    let high = vec4<u32>(both >> vec4<u32>(32u));
    return array<vec4<f32>, 2>(
        bitcast<vec4<f32>>(vec4<u32>(low.x, high.x, low.y, high.y)),
        bitcast<vec4<f32>>(vec4<u32>(low.z, high.z, low.w, high.w)),
    );
}
