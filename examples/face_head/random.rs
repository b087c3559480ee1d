//! Random numbers that are the same every time.

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The upper half of a linear congruential generator's number.
    fn next(&mut self) -> u32 {
        self.0 = (self.0.wrapping_mul(6_364_136_223_846_793_005)).wrapping_add(1);
        (self.0 >> 32) as u32
    }

    /// A number in 0 to 1.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 8) as f32 / (1 << 24) as f32
    }

    pub fn below(&mut self, bound: usize) -> usize {
        ((u64::from(self.next()) * bound as u64) >> 32) as usize
    }

    /// Normally distributed numbers (Box and Muller).
    pub fn normal(&mut self, count: usize, deviation: f32) -> Vec<f32> {
        let number = |_| {
            let length = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
            deviation * length * (std::f32::consts::TAU * self.unit()).cos()
        };
        (0..count).map(number).collect()
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}
