//! The encoder: pixels → hidden layer with `ReLU` → features. Plain loops, forward and backward.

use crate::{digits::PIXELS, learned::Learned, random::Random};

const HIDDEN: usize = 128;

/// Width of the features, D.
pub const FEATURES: usize = 32;

pub struct Encoder {
    first: Layer,
    second: Layer,
}

/// What a backward pass needs of the forward one.
pub struct Pass {
    pixels: Vec<f32>,
    hidden: Vec<f32>,
    pub features: Vec<f32>,
}

impl Encoder {
    pub fn new(random: &mut Random) -> Encoder {
        Encoder {
            first: Layer::new(PIXELS, HIDDEN, random),
            second: Layer::new(HIDDEN, FEATURES, random),
        }
    }

    pub fn forward(&self, pixels: Vec<f32>) -> Pass {
        let mut hidden = self.first.forward(&pixels);
        hidden.iter_mut().for_each(|x| *x = x.max(0.0));
        let features = self.second.forward(&hidden);
        Pass {
            pixels,
            hidden,
            features,
        }
    }

    /// Takes a step against the gradient of the features.
    pub fn backward(&mut self, pass: &Pass, grad_features: &[f32], rate: f32) {
        let mut grad_hidden = self.second.backward(&pass.hidden, grad_features, rate);
        for (gradient, hidden) in grad_hidden.iter_mut().zip(&pass.hidden) {
            if *hidden <= 0.0 {
                *gradient = 0.0;
            }
        }
        self.first.backward(&pass.pixels, &grad_hidden, rate);
    }
}

/// `out = weights · in + bias`; weights are `outs` rows of `ins`.
struct Layer {
    ins: usize,
    outs: usize,
    weights: Learned,
    bias: Learned,
}

impl Layer {
    /// Weights as for `ReLU` (He et al., 2015), no bias.
    fn new(ins: usize, outs: usize, random: &mut Random) -> Layer {
        Layer {
            ins,
            outs,
            weights: Learned::new(random.normal(ins * outs, (2.0 / ins as f32).sqrt())),
            bias: Learned::new(vec![0.0; outs]),
        }
    }

    fn forward(&self, input: &[f32]) -> Vec<f32> {
        let mut output = Vec::with_capacity(input.len() / self.ins * self.outs);
        for row in input.chunks_exact(self.ins) {
            let weights = self.weights.numbers.chunks_exact(self.ins);
            output.extend(weights.zip(&self.bias.numbers).map(|(weights, bias)| {
                let terms = weights.iter().zip(row);
                bias + terms.map(|(weight, x)| weight * x).sum::<f32>()
            }));
        }
        output
    }

    /// The gradient of the input; takes a step with those of weights and bias.
    fn backward(&mut self, input: &[f32], gradient: &[f32], rate: f32) -> Vec<f32> {
        let mut by_input = vec![0.0; input.len()];
        let mut by_weights = vec![0.0; self.ins * self.outs];
        let mut by_bias = vec![0.0; self.outs];
        let rows = input
            .chunks_exact(self.ins)
            .zip(gradient.chunks_exact(self.outs));
        for ((row, slopes), by_row) in rows.zip(by_input.chunks_exact_mut(self.ins)) {
            for (out, slope) in slopes.iter().enumerate() {
                let weights = &self.weights.numbers[out * self.ins..][..self.ins];
                add(by_row, weights, *slope);
                add(&mut by_weights[out * self.ins..][..self.ins], row, *slope);
                by_bias[out] += slope;
            }
        }
        self.weights.step(&by_weights, rate);
        self.bias.step(&by_bias, rate);
        by_input
    }
}

/// `sum += factor · numbers`.
fn add(sum: &mut [f32], numbers: &[f32], factor: f32) {
    for (sum, number) in sum.iter_mut().zip(numbers) {
        *sum += factor * number;
    }
}
