//! The backend on the CPU.

use super::{Adam, Backend, Embeddings, Interactions, Start, Step};
use crate::{
    Batch, DynLoss, Error, Exclude, Lists, Matrix, Positives, Result,
    cpu::{Gradient, Gradients, Options, evaluate_into},
};

/// Trains on all cores in f32. The bits do not depend on how many there are.
#[derive(Debug)]
pub struct CpuBackend<'a> {
    loss: &'a dyn DynLoss,
    train: &'a Interactions,
    embeddings: Embeddings,
    /// Of queries and candidates.
    adam: [Adam; 2],
    gradients: [Vec<f32>; 2],
    losses: Vec<f32>,
}

impl<'a> CpuBackend<'a> {
    /// The state before the first step.
    ///
    /// # Errors
    /// As [`Start::validate`].
    pub fn new(start: Start<'a>) -> Result<Self> {
        start.validate()?;
        let adam = |table: &[f32]| Adam::new(table.len(), start.adam);
        let adam = [
            adam(&start.embeddings.queries)?,
            adam(&start.embeddings.candidates)?,
        ];
        let gradients = [&start.embeddings.queries, &start.embeddings.candidates]
            .map(|table| vec![0.0; table.len()]);
        Ok(CpuBackend {
            gradients,
            loss: start.loss,
            train: start.train,
            embeddings: start.embeddings,
            adam,
            losses: Vec::new(),
        })
    }
}

impl Backend for CpuBackend<'_> {
    fn step(&mut self, step: &Step) -> Result<()> {
        let tables = &self.embeddings;
        let known = Lists {
            offsets: self.train.offsets(),
            ids: self.train.ids(),
        };
        let batch = Batch::new(
            Matrix::new("queries", &tables.queries, tables.dim)?,
            Matrix::new("candidates", &tables.candidates, tables.dim)?,
            Positives::Many(step.positives()),
        )?
        .rows(step.rows())?
        .exclude(Exclude::ByQuery(known))?;
        let [queries, candidates] =
            (self.gradients.each_mut()).map(|out| Some(Gradient { out, add: false }));
        let gradients = Gradients {
            queries,
            candidates,
            ..Gradients::default()
        };
        let value = evaluate_into(self.loss, &batch, gradients, &Options::default())?.value;
        // Before the step, so that the embeddings stay numbers.
        if !value.is_finite() {
            return Err(Error::NotFinite {
                argument: "loss of step",
                at: self.losses.len(),
                value: value.into(),
            });
        }
        self.losses.push(value);
        let tables = &mut self.embeddings;
        let parameters = [&mut tables.queries, &mut tables.candidates];
        let moved = self.adam.iter_mut().zip(parameters);
        for ((adam, parameters), gradient) in moved.zip(&self.gradients) {
            adam.step(parameters, gradient)?;
        }
        Ok(())
    }

    fn take_losses(&mut self) -> Result<Vec<f32>> {
        Ok(std::mem::take(&mut self.losses))
    }

    fn embeddings(&mut self) -> Result<Embeddings> {
        Ok(self.embeddings.clone())
    }

    fn loss(&self) -> &dyn DynLoss {
        self.loss
    }

    fn describe(&self) -> String {
        format!("CPU, f32, {} threads", rayon::current_num_threads())
    }
}
