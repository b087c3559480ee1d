// Elementary functions for f32, the counterpart of src/real/single.rs.
//
// Why not the built-ins: WGSL lets log, atan and tanh be off by an absolute error, which near their
// zeros is any relative error, and drivers use that freedom; exp may lose 3 + 2|x| ulp. Measured on
// a software driver: exp 62 ulp, tanh 213 % near 0, log 13 % near 1, atan 3e-6 absolute. These stay
// within 3 ulp wherever round, fma, + - * are as the specification says and division is within
// 1 ulp; the bounds asserted by tests/math are next to each function.
//
// What they rely on: no infinities, no NaN (WGSL may assume neither occurs), hence finite clamps and
// -MAX for the logarithm of 0; no sum that only makes sense if it is rounded, so a compiler may fuse
// and reorder. They are inlined many times: no branches, as few operations as the accuracy allows.
// The polynomials are minimax fits made for this crate (see single.rs).

// k·2^23 for a whole |k| < 2^21, what 2^k adds to a number's bits. Through the bits of 1.5·2^23 + k,
// a sum that needs no rounding: a conversion is compiled with two clamps around it.
fn exponent(k: f32) -> i32 {
    return bitcast<i32>(k + 12582912.0) << 23u;
}

// e^x for every finite x, 1.5 ulp; 0 below -87.33, where the result leaves the normal numbers;
// no larger than e^88.72. Not through exp2: the rounding of x log2 e must be made good, and the
// term that does it, fma(x, log2e, -h) with h = x log2e, was folded to 0 by the driver measured.
fn exact_exp(x: f32) -> f32 {
    let c = clamp(x, -87.33, 88.72);
    let k = round(c * 1.442695);
    let shift = exponent(k);
    // x - k ln 2 in two parts; k times the first has no rounding error. The second takes k from
    // `shift`: drivers turn k a + k b into k (a + b), and 67 ulp were lost that way.
    let r = fma(f32(shift), -1.7030319e-13, fma(k, -0.69314575, c));
    var p = fma(0.0013935763, r, 0.008369231);
    p = fma(p, r, 0.041666456);
    p = fma(p, r, 0.16666515);
    p = fma(p, r, 0.5);
    p = fma(p, r, 1.0);
    p = fma(p, r, 1.0);
    // Times 2^k through the exponent's bits: 2^128, which the largest results need, is not an f32.
    let scaled = bitcast<f32>(bitcast<i32>(p) + shift);
    return select(scaled, 0.0, x < -87.33);
}

// e^x - 1 for every finite x, 2.5 ulp, also near 0; no larger than e^88.
fn exact_expm1(x: f32) -> f32 {
    let c = clamp(x, -20.0, 88.0);
    let k = round(c * 1.442695);
    let shift = exponent(k);
    let r = fma(f32(shift), -1.7030319e-13, fma(k, -0.69314575, c));
    var p = fma(0.0013935763, r, 0.008369231);
    p = fma(p, r, 0.041666456);
    p = fma(p, r, 0.16666515);
    p = fma(p, r, 0.5);
    p = fma(p, r * r, r);
    // 2^k (p + 1) - 1; for k = 0 that is p, untouched.
    let scale = bitcast<f32>(shift + 0x3f800000);
    return fma(p, scale, scale - 1.0);
}

// ln(1 + f) + k ln 2 for f in [sqrt(1/2) - 1, sqrt(2) - 1].
fn log_reduced(f: f32, k: f32) -> f32 {
    // s = f / (2 + f): ln(1 + f) = 2 artanh s = f - s (f - s^2 (2/3 + 2/5 s^2 + ...)); f is exact.
    let s = f / (2.0 + f);
    let z = s * s;
    let q = fma(fma(0.2987084, z, 0.39977583), z, 0.66666776);
    return fma(k, 0.6931472, fma(-s, fma(-z, q, f), f));
}

// The natural logarithm of x > 0, 1.5 ulp, also near 1; -MAX at 0, below, and for subnormal x.
fn exact_log(x: f32) -> f32 {
    // Mantissa in [sqrt(1/2), sqrt(2)): the offset is the bits of sqrt(1/2).
    let offset = bitcast<i32>(x) - 0x3f3504f3;
    let m = bitcast<f32>((offset & 0x007fffff) + 0x3f3504f3);
    let value = log_reduced(m - 1.0, f32(offset >> 23u));
    return select(-0x1.fffffep+127f, value, x >= 0x1p-126f);
}

// ln(1 + x) for x in [-1, 2^126], 2 ulp, also near 0; -MAX at -1 and below.
fn exact_log1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let offset = bitcast<i32>(u) - 0x3f3504f3;
    // f = (1 + x) / 2^k - 1 from x, not from the rounded u: exact for k = 0, else one rounding.
    let scale = bitcast<f32>(0x3f800000 - (offset & -0x00800000));
    let value = log_reduced(fma(x, scale, scale - 1.0), f32(offset >> 23u));
    return select(-0x1.fffffep+127f, value, x > -1.0);
}

// ln(1 + t) for t in [0, 1] only, 2 ulp: half of exact_log1p's work.
fn exact_log1p_unit(t: f32) -> f32 {
    let s = t / (2.0 + t);
    let z = s * s;
    let q = fma(fma(fma(0.28022194, z, 0.27999416), z, 0.40021703), z, 0.6666641);
    return fma(-s, fma(-z, q, t), t);
}

// The hyperbolic tangent of every finite x, 3 ulp, also near 0.
fn exact_tanh(x: f32) -> f32 {
    // From e^(-2|x|) - 1, in (-1, 0]: nothing cancels.
    let t = exact_expm1(-2.0 * min(abs(x), 10.0));
    return select(-t, t, x < 0.0) / (2.0 + t);
}

// The inverse tangent on [0, 1], 1.5 ulp.
fn atan_unit(t: f32) -> f32 {
    let z = t * t;
    var p = fma(0.0028833067, z, -0.016224725);
    p = fma(p, z, 0.04299243);
    p = fma(p, z, -0.075351395);
    p = fma(p, z, 0.10658966);
    p = fma(p, z, -0.14209619);
    p = fma(p, z, 0.19993661);
    p = fma(p, z, -0.33333153);
    return fma(t * z, p, t);
}

// The inverse tangent of |x| <= 2^126, 2 ulp, also near 0.
fn exact_atan(x: f32) -> f32 {
    let a = abs(x);
    let p = atan_unit(min(a, 1.0) / max(a, 1.0));
    // pi/2 - p; the nearest f32 to pi/2 is 4.37e-8 too large. Folding both constants costs 0.4 ulp.
    let value = select(p, 1.5707964 - (p + 4.371139e-8), a > 1.0);
    return select(value, -value, x < 0.0);
}

// The angle of the point (x, y) in [-pi, pi], 2 ulp; 0 at the origin. The larger of |x| and |y|
// is at most 2^126.
fn exact_atan2(y: f32, x: f32) -> f32 {
    let a = abs(x);
    let b = abs(y);
    let p = atan_unit(min(a, b) / max(max(a, b), 0x1p-126f));
    // p, pi/2 - p, pi/2 + p or pi - p. The f32 bases are too large by 2.78e-8 of themselves.
    let base = select(select(0.0, 3.1415927, x < 0.0), 1.5707964, b > a);
    let signed = select(p, -p, (b > a) != (x < 0.0));
    let value = base + fma(base, -2.7827534e-8, signed);
    return select(value, -value, y < 0.0);
}

// ln(1 + e^x) for every finite x, 2.5 ulp, also where it vanishes; 0 below -87.33.
fn softplus(x: f32) -> f32 {
    return max(x, 0.0) + exact_log1p_unit(exact_exp(-abs(x)));
}

// 1 / (1 + e^-x) for every finite x, 2.5 ulp, also where it vanishes; 0 below -87.33.
fn sigmoid(x: f32) -> f32 {
    let tail = exact_exp(-abs(x));
    return select(1.0, tail, x < 0.0) / (1.0 + tail);
}

// ln sigmoid(x) for every finite x, as accurate as softplus.
fn log_sigmoid(x: f32) -> f32 {
    return -softplus(-x);
}

// x less its quarter turns, and how many those are.
struct Quarters {
    rest: f32,
    count: i32,
}

fn quarters(x: f32) -> Quarters {
    let k = round(x * 0.63661975);
    let count = i32(k);
    // x - k pi/2 in three parts; the second and third take k from integers, for drivers turn
    // k a + k b into k (a + b).
    let r = fma(f32(count << 8u), -1.8896535e-6, fma(k, -1.5703125, x));
    return Quarters(fma(f32(count << 16u), -1.1520066e-12, r), count);
}

fn sine_of(r: f32) -> f32 {
    let z = r * r;
    let p = fma(fma(-0.00019518285, z, 0.008332189), z, -0.16666655);
    return fma(r * z, p, r);
}

fn cosine_of(r: f32) -> f32 {
    let z = r * r;
    let q = fma(fma(2.4462202e-5, z, -0.0013887612), z, 0.041666653);
    return fma(z * z, q, fma(-0.5, z, 1.0));
}

// The sine of |x| <= 64 to 1e-7, and to 1.5 ulp for |x| <= pi/4.
fn exact_sin(x: f32) -> f32 {
    let turn = quarters(x);
    let value = select(sine_of(turn.rest), cosine_of(turn.rest), (turn.count & 1) == 1);
    return select(value, -value, (turn.count & 2) == 2);
}

// The cosine of |x| <= 64 to 1e-7.
fn exact_cos(x: f32) -> f32 {
    let turn = quarters(x);
    let value = select(cosine_of(turn.rest), sine_of(turn.rest), (turn.count & 1) == 1);
    return select(value, -value, ((turn.count + 1) & 2) == 2);
}
