//! Both directions of two-tower contrastive training: [`SymmetricInfoNce`].

use crate::{
    Batch, Engine, Error, Matrix, Output, Positives, Result, Want, loss::ScaledInfoNce,
    shape::IGNORED,
};

/// Symmetric InfoNCE of two towers, as in CLIP: `½(CE over rows + CE over columns)` of
/// `e^κ·cos(left_i, right_j)` in nats, row i's positive being column i; the mean is over rows. Two
/// evaluations of [`ScaledInfoNce`] of factor ½, the second with the towers exchanged; gradients are
/// summed.
///
/// κ is a learnable scalar, ln(1/0.07) at first. After every step keep it at
/// [`SymmetricInfoNce::LARGEST_LOG_SCALE`] at most, as CLIP does; an evaluation takes it as it is.
///
/// Source: Radford et al., "Learning transferable visual models from natural language supervision"
/// (ICML 2021), figure 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SymmetricInfoNce {
    /// One direction.
    pub direction: ScaledInfoNce,
}

/// What [`SymmetricInfoNce::evaluate`] gives.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SymmetricOutput {
    /// The loss, in nats.
    pub value: f32,
    /// ∂value/∂left, row by row, as wide as the table.
    pub grad_left: Vec<f32>,
    /// ∂value/∂right.
    pub grad_right: Vec<f32>,
    /// ∂value/∂κ.
    pub grad_log_scale: f32,
    /// ½ of the cross-entropy over rows, and over columns.
    pub parts: [f32; 2],
}

impl SymmetricInfoNce {
    /// ln 100, the largest κ in training.
    pub const LARGEST_LOG_SCALE: f64 = 4.605_170_185_988_092;

    /// κ before training.
    #[must_use]
    pub fn initial_log_scale(&self) -> f64 {
        -self.direction.tau.ln()
    }

    /// Value and gradients for `left` and `right`, both B × D, pair i in rows i.
    ///
    /// # Errors
    /// The tables differ in rows or width, κ is not finite, or as [`Engine::evaluate`].
    pub fn evaluate(
        &self,
        engine: &Engine,
        left: Matrix<'_>,
        right: Matrix<'_>,
        log_scale: f64,
    ) -> Result<SymmetricOutput> {
        if left.rows() != right.rows() {
            return Err(Error::Shape {
                argument: "right",
                expected: format!("{} rows, as in left", left.rows()),
                actual: right.rows().to_string(),
            });
        }
        let count = u32::try_from(left.rows()).unwrap_or(IGNORED);
        let positives: Vec<u32> = (0..count).collect();
        let theta = [log_scale];
        let direction = |queries, candidates| -> Result<Output<f32>> {
            let batch = Batch::new(queries, candidates, Positives::One(&positives))?;
            let batch = batch.theta(&theta)?.factor(0.5)?;
            engine.evaluate(&self.direction, &batch, Want::BOTH)
        };
        let rows = direction(left, right)?;
        let columns = direction(right, left)?;
        Ok(SymmetricOutput {
            value: rows.value + columns.value,
            grad_left: sum(rows.grad_queries, columns.grad_candidates),
            grad_right: sum(rows.grad_candidates, columns.grad_queries),
            grad_log_scale: rows.grad_theta.iter().chain(&columns.grad_theta).sum(),
            parts: [rows.value, columns.value],
        })
    }
}

fn sum(one: Option<Vec<f32>>, other: Option<Vec<f32>>) -> Vec<f32> {
    let mut one = one.unwrap_or_default();
    for (sum, x) in one.iter_mut().zip(other.unwrap_or_default()) {
        *sum += x;
    }
    one
}
