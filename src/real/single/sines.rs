//! Sine and cosine for `f32`, as straight a line as the other functions.

use super::ROUNDER;

/// π/2 in three parts: the products of the first two with any quarter turn below 2¹³ are exact.
const QUARTER: [f32; 3] = [1.570_312_5, 4.837_513e-4, 7.549_79e-8];

/// The sine and the cosine of |x| up to 2¹³.
#[inline(always)]
pub(super) fn sin_cos(x: f32) -> (f32, f32) {
    let rounded = x * std::f32::consts::FRAC_2_PI + ROUNDER;
    let k = rounded - ROUNDER;
    let quarters = rounded.to_bits();
    let r = ((x - k * QUARTER[0]) - k * QUARTER[1]) - k * QUARTER[2];
    let z = r * r;
    // (sin(r) / r − 1) / r² on |r| ≤ π/4; error 2^-27.9 of the result.
    let p = -0.000_195_182_85_f32;
    let p = p * z + 0.008_332_189;
    let p = p * z - 0.166_666_55;
    let sine = r + r * (z * p);
    // (cos(r) − 1 + r²/2) / r⁴, likewise; error 2^-32.3.
    let q = 0.000_024_462_202_f32;
    let q = q * z - 0.001_388_761_2;
    let q = q * z + 0.041_666_653;
    let cosine = 1.0 - (0.5 * z - z * z * q);
    let odd = quarters & 1 == 1;
    let (across, along) = if odd { (cosine, sine) } else { (sine, cosine) };
    // Quarters 2 and 3 have a negative sine, 1 and 2 a negative cosine.
    let signed = |x: f32, quarters: u32| f32::from_bits(x.to_bits() ^ ((quarters & 2) << 30));
    (
        signed(across, quarters),
        signed(along, quarters.wrapping_add(1)),
    )
}
