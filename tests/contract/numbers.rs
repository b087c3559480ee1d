//! Numbers that look random, the same everywhere.

/// Numbers in [−1, 1).
pub fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    let next = || (random.next() >> 40) as f32 / (1 << 23) as f32 - 1.0;
    std::iter::repeat_with(next).take(count).collect()
}

/// The same numbers, as row parameters take them.
pub fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

/// Ids below `below`.
pub fn ids(count: usize, below: usize, seed: u64) -> Vec<u32> {
    let mut random = Random(seed);
    let next = || ((random.next() >> 20) % below as u64) as u32;
    std::iter::repeat_with(next).take(count).collect()
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.0
    }
}
