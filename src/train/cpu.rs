//! The backend on the CPU.

use super::optimiser::Mover;
use super::{Backend, Embeddings, Interactions, Moments, Negatives, Start, Step};
use crate::{
    Batch, Columns, DynLoss, Error, Exclude, Lists, Matrix, Positives, Result,
    cpu::{Gradient, Gradients, Options, evaluate_into},
};

/// Trains on all cores in f32. The bits do not depend on how many there are.
#[derive(Debug)]
pub struct CpuBackend<'a> {
    loss: &'a dyn DynLoss,
    train: &'a Interactions,
    negatives: Negatives,
    /// Whether every row is one interaction.
    one_each: bool,
    log_q: Option<Vec<f32>>,
    embeddings: Embeddings,
    /// Of queries and candidates.
    movers: [Mover; 2],
    steps: u64,
    gradients: [Vec<f32>; 2],
    losses: Vec<f32>,
}

impl<'a> CpuBackend<'a> {
    /// The state before the next step.
    ///
    /// # Errors
    /// As [`Start::validate`].
    pub fn new(start: Start<'a>) -> Result<Self> {
        start.validate()?;
        let one_each = start.one_each();
        let Start {
            loss,
            train,
            negatives,
            embeddings,
            optimiser,
            moments: [queries, candidates],
            ..
        } = start;
        let steps = queries.steps;
        Ok(CpuBackend {
            loss,
            train,
            negatives,
            one_each,
            log_q: negatives.log_q(train),
            movers: [
                Mover::new(optimiser, embeddings.queries.len(), queries)?,
                Mover::new(optimiser, embeddings.candidates.len(), candidates)?,
            ],
            steps,
            gradients: [&embeddings.queries, &embeddings.candidates]
                .map(|table| vec![0.0; table.len()]),
            embeddings,
            losses: Vec::new(),
        })
    }

    fn batch<'b>(&'b self, step: &'b Step) -> Result<Batch<'b>> {
        let tables = &self.embeddings;
        let positives = match self.one_each {
            true => Positives::One(step.positives().ids),
            false => Positives::Many(step.positives()),
        };
        let batch = Batch::new(
            Matrix::new("queries", &tables.queries, tables.dim)?,
            Matrix::new("candidates", &tables.candidates, tables.dim)?,
            positives,
        )?
        .rows(step.rows())?;
        if let Some(per_row) = self.negatives.per_row() {
            let ids = step.negatives();
            return batch.columns(Columns::Sampled { ids, per_row });
        }
        let known = Lists {
            offsets: self.train.offsets(),
            ids: self.train.ids(),
        };
        let mut batch = batch.exclude(Exclude::ByQuery(known))?;
        if self.negatives.shared() {
            batch = batch.columns(Columns::Shared(step.negatives()))?;
        }
        match &self.log_q {
            Some(log_q) => batch.log_q(log_q),
            None => Ok(batch),
        }
    }
}

impl Backend for CpuBackend<'_> {
    fn step(&mut self, step: &Step, rate: f64) -> Result<()> {
        // Taken out, so that the batch may borrow the rest.
        let mut gradients = std::mem::take(&mut self.gradients);
        let [queries, candidates] =
            (gradients.each_mut()).map(|out| Some(Gradient { out, add: false }));
        let wanted = Gradients {
            queries,
            candidates,
            ..Gradients::default()
        };
        let output = (self.batch(step))
            .and_then(|batch| evaluate_into(self.loss, &batch, wanted, &Options::default()));
        self.gradients = gradients;
        let value = output?.value;
        // Before the step, so that the embeddings stay numbers.
        if !value.is_finite() {
            return Err(Error::NotFinite {
                argument: "loss of step",
                at: self.losses.len(),
                value: value.into(),
            });
        }
        self.losses.push(value);
        self.steps += 1;
        let tables = &mut self.embeddings;
        let parameters = [&mut tables.queries, &mut tables.candidates];
        let moved = self.movers.iter_mut().zip(parameters);
        for ((mover, parameters), gradient) in moved.zip(&self.gradients) {
            mover.step(rate, parameters, gradient)?;
        }
        Ok(())
    }

    fn take_losses(&mut self) -> Result<Vec<f32>> {
        Ok(std::mem::take(&mut self.losses))
    }

    fn embeddings(&mut self) -> Result<Embeddings> {
        Ok(self.embeddings.clone())
    }

    fn moments(&mut self) -> Result<[Moments; 2]> {
        Ok(self
            .movers
            .each_ref()
            .map(|mover| mover.moments(self.steps)))
    }

    fn plans(&self) -> Vec<String> {
        vec![format!("cpu-f32-{}-{}", std::env::consts::ARCH, products())]
    }

    fn loss(&self) -> &dyn DynLoss {
        self.loss
    }

    fn describe(&self) -> String {
        format!("CPU, f32, {} threads", rayon::current_num_threads())
    }
}

/// How products are rounded: with fused multiply-adds or without.
fn products() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    let fused = std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    let fused = cfg!(target_arch = "aarch64");
    if fused { "fused" } else { "plain" }
}
