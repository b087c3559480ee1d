//! Numbers that are learned, with Adam (Kingma and Ba, ICLR 2015).

pub struct Learned {
    pub numbers: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
    steps: i32,
}

const MEAN: f32 = 0.9;
const SQUARE: f32 = 0.999;

impl Learned {
    pub fn new(numbers: Vec<f32>) -> Learned {
        Learned {
            mean: vec![0.0; numbers.len()],
            square: vec![0.0; numbers.len()],
            steps: 0,
            numbers,
        }
    }

    pub fn step(&mut self, gradient: &[f32], rate: f32) {
        self.steps += 1;
        let (mean_share, square_share) =
            (1.0 - MEAN.powi(self.steps), 1.0 - SQUARE.powi(self.steps));
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((number, (mean, square)), gradient) in
            self.numbers.iter_mut().zip(moments).zip(gradient)
        {
            *mean += (1.0 - MEAN) * (gradient - *mean);
            *square += (1.0 - SQUARE) * (gradient * gradient - *square);
            *number -= rate * (*mean / mean_share) / ((*square / square_share).sqrt() + 1e-8);
        }
    }
}
