//! UniTSFace: CosFace on class weights together with USS on samples.

use super::SampleMemory;
use crate::{
    Batch, DynLoss, Engine, Matrix, Output, Positives, Real, Result, Want,
    loss::{CosFace, Uss},
};
use serde::{Deserialize, Serialize};

/// How UniTSFace puts its two losses together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combination {
    /// CosFace + USS: what the official code does.
    Sum,
    /// (CosFace + USS)/2: what the paper says.
    Average,
}

/// UniTSFace: [`CosFace`] of features against class weights, and [`Uss`] of the same features
/// against a [`SampleMemory`], their sum or average in nats (mean over rows).
///
/// The default is the paper's, [`UniTsFace::released`] the official code's. That code trains
/// CosFace alone in its first epoch, which fills the memory: until then evaluate
/// [`UniTsFace::cos_face`] by itself, and [`SampleMemory::write`] after every step.
///
/// Source: Li et al., "UniTSFace: unified threshold integrated sample-to-sample loss for face
/// recognition" (NeurIPS 2023).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UniTsFace {
    /// The loss against class weights.
    pub cos_face: CosFace,
    /// The loss against samples.
    pub uss: Uss,
    /// How they are put together.
    pub combination: Combination,
}

impl Default for UniTsFace {
    fn default() -> Self {
        UniTsFace {
            cos_face: CosFace {
                scale: 64.0,
                margin: 0.4,
                ..CosFace::default()
            },
            uss: Uss::default(),
            combination: Combination::Average,
        }
    }
}

/// What UniTSFace is evaluated on.
#[derive(Clone, Copy, Debug)]
pub struct UniTsFaceInputs<'a> {
    /// B × D: one feature per row.
    pub features: Matrix<'a>,
    /// C × D: the class weights.
    pub classes: Matrix<'a>,
    /// The class of each row, also its identity in the memory; or [`IGNORED`](crate::IGNORED).
    pub labels: &'a [u32],
    /// A sample of each identity; it takes no gradient, and is not written here.
    pub memory: &'a SampleMemory,
    /// b, the threshold that USS learns, in units of logits: as a cosine it is b/γ.
    pub bias: f64,
}

/// Value and gradients of UniTSFace.
#[derive(Clone, Debug, PartialEq)]
pub struct UniTsFaceOutput<R> {
    /// The loss in nats, mean over rows.
    pub value: R,
    /// ∂value/∂features, B × D: of both parts together.
    pub grad_features: Vec<R>,
    /// ∂value/∂(class weights), C × D: of CosFace.
    pub grad_classes: Vec<R>,
    /// ∂value/∂b: of USS.
    pub grad_bias: R,
    /// CosFace's part. Its value is that which enters the sum, half of CosFace's own under
    /// [`Combination::Average`]; its row losses are whole. Without the gradients above.
    pub cos_face: Output<R>,
    /// USS's part, likewise.
    pub uss: Output<R>,
}

impl UniTsFace {
    /// As the official code trains it: the sum, and USS's exponents clipped. Its threshold begins
    /// with [`Uss::initial_bias`] of the first [`SampleMemory::batch`].
    #[must_use]
    pub fn released() -> Self {
        UniTsFace {
            uss: Uss {
                clamp: true,
                ..Uss::default()
            },
            combination: Combination::Sum,
            ..UniTsFace::default()
        }
    }

    /// Value and gradients, in f32.
    ///
    /// # Errors
    /// The memory holds nothing of a row's identity, features, labels, class weights and memory do
    /// not fit each other, or as [`Engine::evaluate`].
    pub fn evaluate(
        &self,
        engine: &Engine,
        inputs: UniTsFaceInputs<'_>,
    ) -> Result<UniTsFaceOutput<f32>> {
        self.combine(inputs, |loss, batch, want| {
            engine.evaluate(loss, batch, want)
        })
    }

    /// As [`UniTsFace::evaluate`], in f64: see [`Engine::evaluate_f64`].
    ///
    /// # Errors
    /// As there.
    pub fn evaluate_f64(
        &self,
        engine: &Engine,
        inputs: UniTsFaceInputs<'_>,
    ) -> Result<UniTsFaceOutput<f64>> {
        self.combine(inputs, |loss, batch, want| {
            engine.evaluate_f64(loss, batch, want)
        })
    }

    fn combine<R: Real>(
        &self,
        inputs: UniTsFaceInputs<'_>,
        evaluate: impl Fn(&dyn DynLoss, &Batch<'_>, Want) -> Result<Output<R>>,
    ) -> Result<UniTsFaceOutput<R>> {
        let UniTsFaceInputs {
            features,
            classes,
            labels,
            memory,
            bias,
        } = inputs;
        let factor = match self.combination {
            Combination::Sum => 1.0,
            Combination::Average => 0.5,
        };
        let theta = [bias];
        let to_samples = memory.batch(features, labels)?;
        let to_samples = to_samples.theta(&theta)?.factor(factor)?;
        let to_classes = Batch::new(features, classes, Positives::One(labels))?.factor(factor)?;
        let mut cos_face = evaluate(&self.cos_face, &to_classes, Want::BOTH)?;
        let frozen = Want {
            candidates: false,
            ..Want::BOTH
        };
        let mut uss = evaluate(&self.uss, &to_samples, frozen)?;
        let mut grad_features = cos_face.grad_queries.take().unwrap_or_default();
        let more = uss.grad_queries.take().unwrap_or_default();
        for (sum, more) in grad_features.iter_mut().zip(more) {
            *sum += more;
        }
        Ok(UniTsFaceOutput {
            value: cos_face.value + uss.value,
            grad_features,
            grad_classes: cos_face.grad_candidates.take().unwrap_or_default(),
            grad_bias: uss.grad_theta.iter().copied().sum(),
            cos_face,
            uss,
        })
    }
}
