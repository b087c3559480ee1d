//! The backend on the CPU.

mod moved;

use super::{
    Backend, Embeddings, Interactions, LossState, Moments, Negatives, SecondTables, Start, Step,
    quantiles::renew, scalars::ScalarMover,
};
use crate::{
    Batch, Columns, DynLoss, Error, Exclude, Lists, Matrix, Output, Positives, Result,
    cpu::{Gradients, Options, evaluate_into},
    loss::Renewal,
};
use moved::{MovedTables, places};

/// Trains on all cores in f32, the loss's scalars in f64. The bits do not depend on how many cores
/// there are.
#[derive(Debug)]
pub struct CpuBackend<'a> {
    loss: &'a dyn DynLoss,
    train: &'a Interactions,
    negatives: Negatives,
    /// Whether every row is one interaction.
    one_each: bool,
    log_q: Option<Vec<f32>>,
    model: MovedTables,
    adversary: Option<MovedTables>,
    reference: Option<Embeddings>,
    scalars: ScalarMover<'a>,
    /// Numbers per user, and how many of each.
    query_parameters: Vec<f64>,
    per_user: usize,
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
            moments,
            state,
            adversary,
            ..
        } = start;
        let spec = loss.spec();
        let scalars = ScalarMover::new(loss, optimiser, &state);
        let (mut ascending, mut reference) = (None, None);
        match state.second {
            Some(second) if spec.second.is_some_and(|tile| tile.frozen) => {
                reference = Some(second.tables);
            }
            Some(SecondTables { tables, moments }) => {
                ascending = Some(MovedTables::new(tables, adversary.optimiser, moments)?);
            }
            None => {}
        }
        Ok(CpuBackend {
            loss,
            train,
            negatives,
            one_each,
            log_q: negatives.log_q(train),
            model: MovedTables::new(embeddings, optimiser, moments)?,
            adversary: ascending,
            reference,
            scalars,
            query_parameters: state.query_parameters,
            per_user: spec.row_parameters,
            losses: Vec::new(),
        })
    }

    fn batch<'b>(&'b self, step: &'b Step) -> Result<Batch<'b>> {
        let tables = self.model.tables();
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
        let batch = self.with_columns(batch, step)?;
        self.with_state(batch)
    }

    /// What the rows are compared with.
    fn with_columns<'b>(&'b self, batch: Batch<'b>, step: &'b Step) -> Result<Batch<'b>> {
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

    /// What the loss reads beside the embeddings.
    fn with_state<'b>(&'b self, batch: Batch<'b>) -> Result<Batch<'b>> {
        let mut batch = batch.theta(self.scalars.values())?;
        let ascending = self.adversary.as_ref().map(MovedTables::tables);
        if let Some(second) = ascending.or(self.reference.as_ref()) {
            batch = batch.second(
                Matrix::new("second queries", &second.queries, second.dim)?,
                Matrix::new("second candidates", &second.candidates, second.dim)?,
            )?;
        }
        match self.per_user {
            0 => Ok(batch),
            per_user => batch.query_parameters(&self.query_parameters, per_user),
        }
    }

    /// The step's value with the gradients in their places. A value that is no number is an error
    /// before the step, so that the tables stay numbers.
    fn evaluate(
        &self,
        batch: Result<Batch<'_>>,
        wanted: Gradients<'_, f32>,
    ) -> Result<Output<f32>> {
        let output = evaluate_into(self.loss, &batch?, wanted, &Options::default())?;
        match output.value.is_finite() {
            true => Ok(output),
            false => Err(Error::NotFinite {
                argument: "loss of step",
                at: self.losses.len(),
                value: output.value.into(),
            }),
        }
    }

    /// Takes over what the loss renews with every step.
    fn renew_parameters(&mut self, after: Option<Vec<f32>>) {
        let Some(after) = after else { return };
        for (at, parameter) in self.loss.row_parameters().iter().enumerate() {
            if parameter.renewal != Renewal::Step {
                continue;
            }
            let renewed = after.iter().skip(at).step_by(self.per_user);
            let kept = (self.query_parameters.iter_mut().skip(at)).step_by(self.per_user);
            kept.zip(renewed)
                .for_each(|(kept, &renewed)| *kept = renewed.into());
        }
    }
}

impl Backend for CpuBackend<'_> {
    fn step(&mut self, step: &Step, rate: f64) -> Result<()> {
        let mut gradients = self.model.take_gradients();
        let [queries, candidates] = places(&mut gradients).map(Some);
        let wanted = Gradients {
            queries,
            candidates,
            ..Gradients::default()
        };
        let output = self.evaluate(self.batch(step), wanted);
        self.model.give_back(gradients);
        let output = output?;
        self.losses.push(output.value);
        self.scalars.step(rate, &output)?;
        self.renew_parameters(output.row_parameters_after);
        self.model.step(rate)
    }

    fn step_adversary(&mut self, step: &Step, rate: f64) -> Result<()> {
        let taken = self.adversary.as_mut().map(MovedTables::take_gradients);
        let Some(mut gradients) = taken else {
            return Err(no_adversary(self.loss));
        };
        let [queries, candidates] = places(&mut gradients);
        let wanted = Gradients {
            second: Some((queries, candidates)),
            ..Gradients::default()
        };
        // Descending along the negative loss is ascending along the loss.
        let batch = self.batch(step).and_then(|batch| batch.factor(-1.0));
        let output = self.evaluate(batch, wanted);
        if let Some(adversary) = &mut self.adversary {
            adversary.give_back(gradients);
            self.losses.push(-output?.value);
            adversary.step(rate)?;
        }
        Ok(())
    }

    fn renew_quantiles(&mut self) -> Result<()> {
        let model = self.model.tables();
        renew(self.loss, model, self.train, &mut self.query_parameters)
    }

    fn take_losses(&mut self) -> Result<Vec<f32>> {
        Ok(std::mem::take(&mut self.losses))
    }

    fn embeddings(&mut self) -> Result<Embeddings> {
        Ok(self.model.tables().clone())
    }

    fn moments(&mut self) -> Result<[Moments; 2]> {
        Ok(self.model.moments())
    }

    fn state(&mut self) -> Result<LossState> {
        let ascending = self.adversary.as_ref().map(|moved| SecondTables {
            tables: moved.tables().clone(),
            moments: moved.moments(),
        });
        let reference = self.reference.clone().map(SecondTables::reference);
        Ok(LossState {
            scalars: self.scalars.values().to_vec(),
            scalar_moments: self.scalars.moments().clone(),
            query_parameters: self.query_parameters.clone(),
            second: ascending.or(reference),
        })
    }

    fn scalars(&mut self) -> Result<Vec<f64>> {
        Ok(self.scalars.values().to_vec())
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

/// The error of an adversary's step without an adversary.
pub(super) fn no_adversary(loss: &dyn DynLoss) -> Error {
    Error::Unsupported(format!("{}: has no adversary to train", loss.spec().name))
}

/// How products are rounded: with fused multiply-adds or without.
fn products() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    let fused = std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    let fused = cfg!(target_arch = "aarch64");
    if fused { "fused" } else { "plain" }
}
