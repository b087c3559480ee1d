//! The heads: what an encoder's features are compared with, and by which loss.

use crate::{encoder::FEATURES, learned::Learned, random::Random};
use wgloss::{
    AnyLoss, Batch, Engine, Matrix, Positives, Result, Want,
    heads::{SampleMemory, UniTsFace, UniTsFaceInputs},
    loss::{Uce, Uss},
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

/// A row of weights per class, learned; every head begins with the same.
fn class_weights(classes: usize) -> Learned {
    let mut random = Random::new(17);
    Learned::new(random.normal(classes * FEATURES, 1.0))
}

/// Features against class weights.
pub struct ClassHead {
    loss: AnyLoss,
    classes: Learned,
    /// Of UCE.
    threshold: Option<Threshold>,
}

impl ClassHead {
    pub fn new(loss: AnyLoss, classes: usize) -> Result<ClassHead> {
        let threshold = match &loss {
            AnyLoss::Uce(uce) => {
                let bias = Uce::initial_bias(classes, 1.0)?;
                Some(Threshold::new(uce.scale, bias))
            }
            _ => None,
        };
        Ok(ClassHead {
            loss,
            classes: class_weights(classes),
            threshold,
        })
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
        let mut batch = Batch::new(batch.matrix()?, classes, Positives::One(batch.labels))?;
        let theta = self.threshold.as_ref().map(|threshold| [threshold.bias()]);
        if let Some(theta) = &theta {
            batch = batch.theta(theta)?;
        }
        let output = engine.value_and_grad(self.loss.as_dyn(), &batch)?;
        let by_classes = output.grad_candidates.unwrap_or_default();
        self.classes.step(&by_classes, rate);
        if let Some(threshold) = &mut self.threshold {
            threshold.step(output.grad_theta[0], rate);
        }
        Ok((output.value, output.grad_queries.unwrap_or_default()))
    }

    fn threshold(&self) -> Option<f32> {
        self.threshold.as_ref().map(Threshold::cosine)
    }
}

/// The threshold b that USS and UCE learn.
struct Threshold {
    scale: f64,
    learned: Learned,
}

/// Thresholds take larger steps: they are logits, not weights.
const THRESHOLD_RATE: f32 = 30.0;

impl Threshold {
    fn new(scale: f64, bias: f64) -> Threshold {
        Threshold {
            scale,
            learned: Learned::new(vec![bias as f32]),
        }
    }

    fn bias(&self) -> f64 {
        f64::from(self.learned.numbers[0])
    }

    /// Begins USS's threshold with this batch, and again where it fell to 0, as the official code
    /// does.
    fn begin(&mut self, loss: &Uss, engine: &Engine, batch: &Batch<'_>) -> Result<()> {
        if self.bias() <= 0.0 {
            *self = Threshold::new(self.scale, loss.initial_bias(engine, batch)?);
        }
        Ok(())
    }

    fn step(&mut self, gradient: f32, rate: f32) {
        self.learned.step(&[gradient], THRESHOLD_RATE * rate);
    }

    fn cosine(&self) -> f32 {
        (self.bias() / self.scale) as f32
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
            threshold: Threshold::new(loss.scale, 0.0),
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
        let to_samples = self.memory.batch(batch.matrix()?, batch.labels)?;
        self.threshold.begin(&self.loss, engine, &to_samples)?;
        let theta = [self.threshold.bias()];
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
        Some(self.threshold.cosine())
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
    pub fn new(loss: UniTsFace, classes: usize) -> Result<UniTsFaceHead> {
        let cos_face = AnyLoss::CosFace(loss.cos_face.clone());
        Ok(UniTsFaceHead {
            classes: ClassHead::new(cos_face, classes)?,
            memory: SampleMemory::new(classes, FEATURES)?,
            threshold: Threshold::new(loss.uss.scale, 0.0),
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
                let to_samples = self.memory.batch(batch.matrix()?, batch.labels)?;
                self.threshold.begin(&self.loss.uss, engine, &to_samples)?;
                let weights = &mut self.classes.classes;
                let inputs = UniTsFaceInputs {
                    features: batch.matrix()?,
                    classes: Matrix::new("classes", &weights.numbers, FEATURES)?,
                    labels: batch.labels,
                    memory: &self.memory,
                    bias: self.threshold.bias(),
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
        Some(self.threshold.cosine())
    }
}
