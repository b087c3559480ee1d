//! What takes the steps: [`Backend`].

use std::time::Duration;

use super::{
    Adversary, BatchBy, Embeddings, Interactions, LossState, Moments, Negatives, Optimiser,
    SecondTables, Step,
};
use crate::{ColumnKind, DynLoss, Error, Result, Shape, loss::Spec};

/// Holds embeddings, the state of the loss and of the optimisers, and moves them. The trainer sends
/// ids and asks for nothing else within an epoch, so that an implementation on a device reads
/// nothing back there.
///
/// A backend is made from a [`Start`].
pub trait Backend {
    /// Takes one step on the mean loss of the step's pairs, at a learning rate, with the embeddings
    /// and the loss's scalars, and renews what the loss renews with every step. A user's training
    /// items are no negatives.
    ///
    /// # Errors
    /// The device failed, or numbers overflowed.
    fn step(&mut self, step: &Step, rate: f64) -> Result<()>;

    /// Takes one step up the same loss with the tables of the loss's adversary alone, at a learning
    /// rate of its own.
    ///
    /// # Errors
    /// As [`Backend::step`]; the loss has no adversary.
    fn step_adversary(&mut self, step: &Step, rate: f64) -> Result<()>;

    /// Takes over the K-th largest score of every user who has training items, for a loss that reads
    /// it: over all items, the user's own included, of the embeddings as they are. May wait for the
    /// device.
    ///
    /// IR-Benchmark instead takes it over each row's sampled negatives and a part of the user's
    /// training items, after every step of such an epoch.
    ///
    /// # Errors
    /// The device failed, or a score is not a number.
    fn renew_quantiles(&mut self) -> Result<()>;

    /// The mean loss of each step since the last call, in order. May wait for the device.
    ///
    /// # Errors
    /// The device failed.
    fn take_losses(&mut self) -> Result<Vec<f32>>;

    /// The embeddings after all steps. May wait for the device.
    ///
    /// # Errors
    /// The device failed.
    fn embeddings(&mut self) -> Result<Embeddings>;

    /// What the optimiser remembers of queries and candidates after all steps. May wait for the
    /// device.
    ///
    /// # Errors
    /// The device failed.
    fn moments(&mut self) -> Result<[Moments; 2]>;

    /// What the loss learnt or remembers after all steps. May wait for the device.
    ///
    /// # Errors
    /// The device failed.
    fn state(&mut self) -> Result<LossState>;

    /// The loss's scalars after all steps. May wait for the device.
    ///
    /// # Errors
    /// The device failed.
    fn scalars(&mut self) -> Result<Vec<f64>>;

    /// How long handing steps' ids to a device took so far.
    fn upload_time(&self) -> Duration {
        Duration::ZERO
    }

    /// The loss.
    fn loss(&self) -> &dyn DynLoss;

    /// The plans that computed the steps, with which the same steps give the same bits.
    fn plans(&self) -> Vec<String>;

    /// One line that says what it runs on.
    fn describe(&self) -> String;
}

/// What a backend starts from; the same for all.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// The loss.
    pub loss: &'a dyn DynLoss,
    /// The training interactions: what is no negative for whom, the same in every step.
    pub train: &'a Interactions,
    /// What steps are dealt of.
    pub by: BatchBy,
    /// What they compare with.
    pub negatives: Negatives,
    /// The embeddings.
    pub embeddings: Embeddings,
    /// The optimiser.
    pub optimiser: Optimiser,
    /// What it remembers of queries and candidates.
    pub moments: [Moments; 2],
    /// What the loss learnt or remembers.
    pub state: LossState,
    /// How the loss's adversary is trained, if it has one.
    pub adversary: Adversary,
}

impl Start<'_> {
    /// The same with a reference model in the place of the initial embeddings. Its tables may have a
    /// width of their own.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a loss that takes no reference.
    pub fn with_reference(mut self, reference: Embeddings) -> Result<Self> {
        let spec = self.loss.spec();
        if !spec.second.is_some_and(|tile| tile.frozen) {
            let message = format!("{}: takes no tables of a reference model", spec.name);
            return Err(Error::Unsupported(message));
        }
        self.state.second = Some(SecondTables::reference(reference));
        Ok(self)
    }

    /// Checks what can be checked before the first step.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a loss that takes numbers that no trainer has, or other negatives;
    /// [`Error::Shape`] for tables and state that do not fit the interactions or the loss;
    /// [`Error::Domain`] for settings of the loss and of the optimisers.
    pub fn validate(&self) -> Result<()> {
        let spec = self.loss.spec();
        self.check_kind(&spec)?;
        let tables = &self.embeddings;
        check_rows("queries", &tables.queries, tables.dim, self.train.users())?;
        check_rows(
            "candidates",
            &tables.candidates,
            tables.dim,
            self.train.items(),
        )?;
        self.negatives.validate()?;
        self.state.check(self)?;
        self.check_quantiles(&spec)?;
        let shape = self.shape();
        self.loss.check(&shape)?;
        spec.check(&shape)?;
        self.optimiser.validate()?;
        self.adversary.validate()?;
        self.moments[0].check(&self.optimiser, tables.queries.len())?;
        self.moments[1].check(&self.optimiser, tables.candidates.len())
    }

    /// What a loss may ask for that is not there.
    fn check_kind(&self, spec: &Spec) -> Result<()> {
        let refuse = |what: &str| Err(Error::Unsupported(format!("{}: {what}", spec.name)));
        if spec.entry_constants {
            return refuse("takes numbers per sampled entry from the caller, which no data have");
        }
        if spec.column_parameters {
            return refuse("takes a number per item from the caller, which no data have");
        }
        if spec.ranks && self.negatives.per_row().is_none() {
            return refuse(
                "ranks are counted for sampled negatives: choose them by --negatives sampled=COUNT",
            );
        }
        Ok(())
    }

    /// Of so many items there must be a K-th.
    fn check_quantiles(&self, spec: &Spec) -> Result<()> {
        let items = self.train.items();
        for (_, k) in LossState::quantiles(self.loss) {
            if !(1..=items).contains(&k) {
                return Err(Error::Domain {
                    loss: spec.name,
                    parameter: "k",
                    value: k.to_string(),
                    domain: format!("must be from 1 to {items}, the number of items"),
                });
            }
        }
        Ok(())
    }

    /// Whether every row of a step is one interaction.
    pub(super) fn one_each(&self) -> bool {
        self.by == BatchBy::Interactions && self.negatives.per_row().is_some()
    }

    /// The shape of a step, for one row and one shared column.
    pub(super) fn shape(&self) -> Shape {
        let columns = match (self.negatives.per_row(), self.negatives.shared()) {
            (Some(count), _) => ColumnKind::Sampled(count),
            (None, true) => ColumnKind::Shared(1),
            (None, false) => ColumnKind::All,
        };
        // Negatives of a row are drawn without its user's items.
        let masked = self.negatives.per_row().is_none();
        let spec = self.loss.spec();
        Shape {
            queries: self.train.users(),
            many_positives: !self.one_each(),
            indexed_rows: true,
            columns,
            excluded: masked.then_some(self.train.len()),
            exclude_by_query: masked,
            log_q: self.negatives.log_q(self.train).is_some(),
            second_dim: self.state.second.as_ref().map(|second| second.tables.dim),
            thetas: spec.thetas,
            row_parameters: spec.row_parameters,
            parameters_by_query: spec.row_parameters > 0,
            ..Shape::new(1, self.train.items(), self.embeddings.dim)
        }
    }
}

pub(super) fn check_rows(
    argument: &'static str,
    table: &[f32],
    dim: usize,
    rows: usize,
) -> Result<()> {
    if dim.checked_mul(rows) == Some(table.len()) {
        return Ok(());
    }
    Err(Error::Shape {
        argument,
        expected: format!("{rows} rows of {dim} numbers"),
        actual: format!("{} numbers", table.len()),
    })
}
