//! Reverse-mode differentiation, the plainest way: every operation notes its operands and slopes.

use std::{
    cell::RefCell,
    ops::{Add, Div, Mul, Neg, Sub},
};

/// The operations so far: per result, up to two operands with the slope by each.
#[derive(Default)]
pub struct Tape(RefCell<Vec<[(usize, f64); 2]>>);

/// A number on a tape.
#[derive(Clone, Copy)]
pub struct Var<'t> {
    tape: &'t Tape,
    at: usize,
    pub value: f64,
}

impl Tape {
    /// An input, or a constant.
    pub fn var(&self, value: f64) -> Var<'_> {
        self.push(value, [(0, 0.0); 2])
    }

    pub fn vars(&self, values: &[f64]) -> Vec<Var<'_>> {
        values.iter().map(|&value| self.var(value)).collect()
    }

    fn push(&self, value: f64, operands: [(usize, f64); 2]) -> Var<'_> {
        let mut nodes = self.0.borrow_mut();
        nodes.push(operands);
        Var {
            tape: self,
            at: nodes.len() - 1,
            value,
        }
    }

    /// The derivatives of `result` by `inputs`.
    pub fn gradient(&self, result: Var<'_>, inputs: &[Var<'_>]) -> Vec<f64> {
        let nodes = self.0.borrow();
        let mut by = vec![0.0; nodes.len()];
        by[result.at] = 1.0;
        for (at, operands) in nodes.iter().enumerate().rev() {
            for &(operand, slope) in operands {
                if slope != 0.0 {
                    by[operand] += slope * by[at];
                }
            }
        }
        inputs.iter().map(|input| by[input.at]).collect()
    }
}

impl<'t> Var<'t> {
    fn unary(self, value: f64, slope: f64) -> Self {
        self.tape.push(value, [(self.at, slope), (0, 0.0)])
    }

    fn binary(self, other: Self, value: f64, slopes: [f64; 2]) -> Self {
        self.tape
            .push(value, [(self.at, slopes[0]), (other.at, slopes[1])])
    }

    pub fn exp(self) -> Self {
        self.unary(self.value.exp(), self.value.exp())
    }

    pub fn ln(self) -> Self {
        self.unary(self.value.ln(), 1.0 / self.value)
    }

    pub fn sqrt(self) -> Self {
        self.unary(self.value.sqrt(), 0.5 / self.value.sqrt())
    }

    pub fn tanh(self) -> Self {
        self.unary(self.value.tanh(), 1.0 - self.value.tanh().powi(2))
    }

    pub fn atan(self) -> Self {
        self.unary(self.value.atan(), 1.0 / (1.0 + self.value.powi(2)))
    }

    pub fn acos(self) -> Self {
        self.unary(self.value.acos(), -1.0 / (1.0 - self.value.powi(2)).sqrt())
    }

    pub fn cos(self) -> Self {
        self.unary(self.value.cos(), -self.value.sin())
    }

    /// ln(1 + eˣ).
    pub fn softplus(self) -> Self {
        let value = self.value.max(0.0) + (-self.value.abs()).exp().ln_1p();
        self.unary(value, 1.0 / (1.0 + (-self.value).exp()))
    }
}

impl Add for Var<'_> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.binary(other, self.value + other.value, [1.0, 1.0])
    }
}

impl Sub for Var<'_> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.binary(other, self.value - other.value, [1.0, -1.0])
    }
}

impl Mul for Var<'_> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.binary(other, self.value * other.value, [other.value, self.value])
    }
}

impl Div for Var<'_> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        self.binary(other, value, [1.0 / other.value, -value / other.value])
    }
}

impl Neg for Var<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.unary(-self.value, -1.0)
    }
}

impl Add<f64> for Var<'_> {
    type Output = Self;
    fn add(self, other: f64) -> Self {
        self.unary(self.value + other, 1.0)
    }
}

impl Mul<f64> for Var<'_> {
    type Output = Self;
    fn mul(self, other: f64) -> Self {
        self.unary(self.value * other, other)
    }
}

/// Σ.
pub fn sum<'t>(tape: &'t Tape, values: impl IntoIterator<Item = Var<'t>>) -> Var<'t> {
    values.into_iter().fold(tape.var(0.0), |sum, x| sum + x)
}

/// ln Σ eˣ, shifted by a constant.
pub fn log_sum_exp<'t>(tape: &'t Tape, values: &[Var<'t>]) -> Var<'t> {
    let max = values
        .iter()
        .fold(f64::NEG_INFINITY, |max, x| max.max(x.value));
    sum(tape, values.iter().map(|&x| (x + -max).exp())).ln() + max
}
