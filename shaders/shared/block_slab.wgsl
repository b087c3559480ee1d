// A tile of a block kernel: DOWN × ACROSS invocations, each with 8 × 8 numbers in registers. Both
// sides pass through workgroup memory in slabs of SLAB_STEPS steps of k, k-major: a vec4 holds four
// neighbours at one k. The first side lies in front. Slabs are one vec4 wider than the tile, or
// stores would meet in one bank.
const THREADS: u32 = ACROSS * DOWN;
const TILE_DOWN: u32 = DOWN * 8u;
const TILE_ACROSS: u32 = ACROSS * 8u;
const PITCH_A: u32 = DOWN * 2u + 1u;
const PITCH_B: u32 = ACROSS * 2u + 1u;
const BEGIN_B: u32 = SLAB_STEPS * PITCH_A;

var<workgroup> slab: array<vec4<f32>, BEGIN_B + SLAB_STEPS * PITCH_B>;

// Four vec4 along k → four neighbours at each of four k.
fn store_transposed(at: u32, pitch: u32, v0: vec4<f32>, v1: vec4<f32>, v2: vec4<f32>, v3: vec4<f32>) {
    slab[at] = vec4<f32>(v0.x, v1.x, v2.x, v3.x);
    slab[at + pitch] = vec4<f32>(v0.y, v1.y, v2.y, v3.y);
    slab[at + 2u * pitch] = vec4<f32>(v0.z, v1.z, v2.z, v3.z);
    slab[at + 3u * pitch] = vec4<f32>(v0.w, v1.w, v2.w, v3.w);
}
