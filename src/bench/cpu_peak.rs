//! What the cores do at most.

use super::{Operand, Peak, product};
use pulp::{Arch, Simd, WithSimd};
use std::{hint::black_box, time::Instant};

/// Independent sums of a loop: enough for two units with a latency of up to six, and few enough for
/// sixteen registers.
const CHAINS: usize = 12;
/// Multiply-adds of every chain per call.
const ROUNDS: usize = 1 << 20;
/// Rows, columns and depth of the product.
const EDGE: usize = 1024;
/// How often each is timed, some milliseconds each; the best counts.
const REPEATS: usize = 30;

/// The loop and the product.
pub(super) fn peaks() -> Vec<Peak> {
    let (threads, lanes) = (rayon::current_num_threads(), multiply_adds().1);
    let best = |nth| (0..REPEATS).map(|_| rate(nth)).fold(0.0, f64::max);
    vec![
        Peak {
            flops: best(0),
            what: format!("multiply-adds of {CHAINS} vectors of {lanes}, {threads} threads"),
        },
        Peak {
            flops: best(1),
            what: format!("product of {EDGE} × {EDGE} × {EDGE}"),
        },
    ]
}

/// FLOP per second of one run of the loop, or of the product.
pub(super) fn rate(nth: usize) -> f64 {
    match nth {
        0 => multiply_adds().0,
        _ => large_product(),
    }
}

/// A loop of multiply-adds on vectors in registers: where the chains begin, their factor and what
/// is added. Gives the numbers of a vector, and the sum of all chains.
struct Chains {
    starts: [f32; CHAINS],
    scale: f32,
    offset: f32,
}

impl WithSimd for Chains {
    type Output = (usize, f32);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> (usize, f32) {
        let (scale, offset) = (simd.splat_f32s(self.scale), simd.splat_f32s(self.offset));
        // Chains that begin alike would be computed once.
        let mut chains = self.starts.map(|start| simd.splat_f32s(start));
        for _ in 0..ROUNDS {
            for chain in &mut chains {
                *chain = simd.mul_add_f32s(*chain, scale, offset);
            }
        }
        let sums = chains.map(|chain| simd.reduce_sum_f32s(chain));
        (S::F32_LANES, sums.iter().sum())
    }
}

/// FLOP per second, and the numbers of a vector.
fn multiply_adds() -> (f64, usize) {
    let arch = Arch::new();
    let threads = rayon::current_num_threads();
    let start = Instant::now();
    let all = rayon::broadcast(|_| {
        let starts = black_box(std::array::from_fn(|chain| chain as f32));
        let (scale, offset) = black_box((0.999, 0.001));
        arch.dispatch(Chains {
            starts,
            scale,
            offset,
        })
    });
    let seconds = start.elapsed().as_secs_f64();
    let lanes = all[0].0;
    black_box(all);
    let flop = 2.0 * (threads * lanes * CHAINS * ROUNDS) as f64;
    (flop / seconds, lanes)
}

/// FLOP per second.
fn large_product() -> f64 {
    let numbers: Vec<f32> = (0..EDGE * EDGE).map(|at| (at % 7) as f32 - 3.0).collect();
    let matrix = Operand::rows(&numbers, EDGE);
    let mut out = vec![0.0; EDGE * EDGE];
    let start = Instant::now();
    product(&mut out, matrix, matrix, 1.0);
    let seconds = start.elapsed().as_secs_f64();
    black_box(&mut out);
    2.0 * (EDGE * EDGE * EDGE) as f64 / seconds
}
