//! The heads: what an encoder's features are compared with, and by which loss.

use crate::{encoder::FEATURES, learned::Learned, random::Random};
use wgloss::{
    AnyLoss, Batch, Engine, Matrix, Positives, Result, Want,
    heads::{SampleMemory, UniTsFace, UniTsFaceInputs, initial_bias},
    loss::Uss,
};

/// A batch: features and the label of each.
#[derive(Clone, Copy)]
pub struct Features<'a> {
    pub numbers: &'a [f32],
    pub labels: &'a [u32],
}

impl<'a> Features<'a> {
    fn matrix(&self) -> Result<Matrix<'a>> {
        Matrix::new("features", self.numbers, FEATURES)
    }
}

/// The loss, and its gradient by the features.
pub type Step = (f32, Vec<f32>);

/// A head with what it learns and remembers.
pub trait Head {
    /// Sees features of all images before the first step.
    fn prepare(&mut self, _features: Features<'_>) -> Result<()> {
        Ok(())
    }

    /// A step of the head.
    fn step(
        &mut self,
        engine: &Engine,
        batch: Features<'_>,
        epoch: usize,
        rate: f32,
    ) -> Result<Step>;

    /// The cosine that a learned threshold b stands for: b divided by the scale.
    fn threshold(&self) -> Option<f32> {
        None
    }
}

/// A row of weights per class, learned.
fn class_weights(classes: usize, random: &mut Random) -> Learned {
    Learned::new(random.normal(classes * FEATURES, 1.0))
}

/// Features against class weights.
pub struct ClassHead {
    loss: AnyLoss,
    classes: Learned,
}

impl ClassHead {
    pub fn new(loss: AnyLoss, classes: usize, random: &mut Random) -> ClassHead {
        ClassHead {
            loss,
            classes: class_weights(classes, random),
        }
    }
}

impl Head for ClassHead {
    fn step(
        &mut self,
        engine: &Engine,
        batch: Features<'_>,
        _epoch: usize,
        rate: f32,
    ) -> Result<Step> {
        let classes = Matrix::new("classes", &self.classes.numbers, FEATURES)?;
        let batch = Batch::new(batch.matrix()?, classes, Positives::One(batch.labels))?;
        let output = engine.value_and_grad(self.loss.as_dyn(), &batch)?;
        self.classes
            .step(&output.grad_candidates.unwrap_or_default(), rate);
        Ok((output.value, output.grad_queries.unwrap_or_default()))
    }
}

/// The threshold that USS learns.
struct Threshold {
    scale: f64,
    bias: Option<Learned>,
}

/// Thresholds take larger steps: they are logits, not weights.
const THRESHOLD_RATE: f32 = 30.0;

impl Threshold {
    fn new(scale: f64) -> Threshold {
        Threshold { scale, bias: None }
    }

    /// b; begun from this batch, and again where it fell to 0, as in the official code.
    fn current(
        &mut self,
        engine: &Engine,
        batch: Features<'_>,
        memory: &SampleMemory,
    ) -> Result<f64> {
        match &self.bias {
            Some(bias) if bias.numbers[0] > 0.0 => {}
            _ => {
                let first =
                    initial_bias(engine, self.scale, batch.matrix()?, batch.labels, memory)?;
                self.bias = Some(Learned::new(vec![first as f32]));
            }
        }
        Ok(self
            .bias
            .as_ref()
            .map_or(0.0, |bias| f64::from(bias.numbers[0])))
    }

    fn step(&mut self, gradient: f32, rate: f32) {
        if let Some(bias) = &mut self.bias {
            bias.step(&[gradient], THRESHOLD_RATE * rate);
        }
    }

    fn cosine(&self) -> Option<f32> {
        let bias = self.bias.as_ref()?;
        Some(bias.numbers[0] / self.scale as f32)
    }
}

/// USS: features against one sample per class.
pub struct SampleHead {
    loss: Uss,
    memory: SampleMemory,
    threshold: Threshold,
}

impl SampleHead {
    pub fn new(loss: Uss, classes: usize) -> Result<SampleHead> {
        Ok(SampleHead {
            threshold: Threshold::new(loss.scale),
            memory: SampleMemory::new(classes, FEATURES)?,
            loss,
        })
    }
}

impl Head for SampleHead {
    fn prepare(&mut self, features: Features<'_>) -> Result<()> {
        self.memory.write(features.labels, features.matrix()?)
    }

    fn step(
        &mut self,
        engine: &Engine,
        batch: Features<'_>,
        _epoch: usize,
        rate: f32,
    ) -> Result<Step> {
        let theta = [self.threshold.current(engine, batch, &self.memory)?];
        let to_samples = self.memory.batch(batch.matrix()?, batch.labels)?;
        let frozen = Want {
            candidates: false,
            ..Want::BOTH
        };
        let output = engine.evaluate(&self.loss, &to_samples.theta(&theta)?, frozen)?;
        self.threshold.step(output.grad_theta[0], rate);
        self.memory.write(batch.labels, batch.matrix()?)?;
        Ok((output.value, output.grad_queries.unwrap_or_default()))
    }

    fn threshold(&self) -> Option<f32> {
        self.threshold.cosine()
    }
}

/// UniTSFace: features against class weights and samples.
pub struct UniTsFaceHead {
    loss: UniTsFace,
    /// CosFace on the class weights, alone in the first epoch, which fills the memory.
    classes: ClassHead,
    memory: SampleMemory,
    threshold: Threshold,
}

impl UniTsFaceHead {
    pub fn new(loss: UniTsFace, classes: usize, random: &mut Random) -> Result<UniTsFaceHead> {
        Ok(UniTsFaceHead {
            classes: ClassHead::new(AnyLoss::CosFace(loss.cos_face.clone()), classes, random),
            memory: SampleMemory::new(classes, FEATURES)?,
            threshold: Threshold::new(loss.uss.scale),
            loss,
        })
    }
}

impl Head for UniTsFaceHead {
    fn step(
        &mut self,
        engine: &Engine,
        batch: Features<'_>,
        epoch: usize,
        rate: f32,
    ) -> Result<Step> {
        let step = match epoch {
            0 => self.classes.step(engine, batch, epoch, rate)?,
            _ => {
                let bias = self.threshold.current(engine, batch, &self.memory)?;
                let weights = &mut self.classes.classes;
                let inputs = UniTsFaceInputs {
                    features: batch.matrix()?,
                    classes: Matrix::new("classes", &weights.numbers, FEATURES)?,
                    labels: batch.labels,
                    memory: &self.memory,
                    bias,
                };
                let output = self.loss.evaluate(engine, inputs)?;
                weights.step(&output.grad_classes, rate);
                self.threshold.step(output.grad_bias, rate);
                (output.value, output.grad_features)
            }
        };
        self.memory.write(batch.labels, batch.matrix()?)?;
        Ok(step)
    }

    fn threshold(&self) -> Option<f32> {
        self.threshold.cosine()
    }
}
