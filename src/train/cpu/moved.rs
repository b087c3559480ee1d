//! Two tables with what moves them: [`MovedTables`].

use crate::{
    Result,
    cpu::Gradient,
    train::{Embeddings, Moments, Optimiser, optimiser::Mover},
};

/// Queries and candidates, a model's or an adversary's, with their optimiser and room for gradients.
#[derive(Debug)]
pub struct MovedTables {
    tables: Embeddings,
    movers: [Mover; 2],
    steps: u64,
    gradients: [Vec<f32>; 2],
}

impl MovedTables {
    /// Goes on from `moments`.
    pub fn new(tables: Embeddings, optimiser: Optimiser, moments: [Moments; 2]) -> Result<Self> {
        let [queries, candidates] = moments;
        let steps = queries.steps;
        Ok(MovedTables {
            movers: [
                Mover::new(optimiser, tables.queries.len(), queries)?,
                Mover::new(optimiser, tables.candidates.len(), candidates)?,
            ],
            steps,
            gradients: [&tables.queries, &tables.candidates].map(|table| vec![0.0; table.len()]),
            tables,
        })
    }

    /// The tables.
    pub fn tables(&self) -> &Embeddings {
        &self.tables
    }

    /// Takes the gradients' memory out, so that an evaluation may borrow the tables;
    /// [`MovedTables::step`] takes it back.
    pub fn take_gradients(&mut self) -> [Vec<f32>; 2] {
        std::mem::take(&mut self.gradients)
    }

    /// Gives the gradients' memory back.
    pub fn give_back(&mut self, gradients: [Vec<f32>; 2]) {
        self.gradients = gradients;
    }

    /// Takes a step against the gradients.
    pub fn step(&mut self, rate: f64) -> Result<()> {
        self.steps += 1;
        let parameters = [&mut self.tables.queries, &mut self.tables.candidates];
        let moved = self.movers.iter_mut().zip(parameters);
        for ((mover, parameters), gradient) in moved.zip(&self.gradients) {
            mover.step(rate, parameters, gradient)?;
        }
        Ok(())
    }

    /// What the optimiser remembers.
    pub fn moments(&self) -> [Moments; 2] {
        let steps = self.steps;
        self.movers.each_ref().map(|mover| mover.moments(steps))
    }
}

/// Places for both gradients, whose numbers are replaced.
pub fn places(gradients: &mut [Vec<f32>; 2]) -> [Gradient<'_, f32>; 2] {
    gradients.each_mut().map(|out| Gradient { out, add: false })
}
