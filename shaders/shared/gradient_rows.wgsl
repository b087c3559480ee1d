// The bound piece of a caller's gradient: adds numbers 4k to 4k + 3 of the row at `base`.
#if ALIGNED
#bind write grad array<vec4<f32>>

fn add_four(base: u32, k: u32, numbers: vec4<f32>) {
    if k * 4u < job.dim {
        grad[base / 4u + k] += numbers;
    }
}
#else
#bind write grad array<f32>

fn add_four(base: u32, k: u32, numbers: vec4<f32>) {
    for (var c = 0u; c < 4u; c += 1u) {
        let d = k * 4u + c;
        if d < job.dim {
            grad[base + d] += numbers[c];
        }
    }
}
#end
