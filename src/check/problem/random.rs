//! The numbers of the problems.

/// `SplitMix64`: the problems must be the same in every build and on every machine.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, count: usize) -> u32 {
        (self.next() % count as u64) as u32
    }

    pub(super) fn ids(&mut self, length: usize, count: usize) -> Vec<u32> {
        (0..length).map(|_| self.below(count)).collect()
    }

    /// Multiples of 2⁻¹² in [−1, 1).
    pub(super) fn numbers(&mut self, length: usize) -> Vec<f32> {
        (0..length)
            .map(|_| (self.next() >> 51) as f32 / 4096.0 - 1.0)
            .collect()
    }
}
