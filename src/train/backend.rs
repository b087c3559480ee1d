//! What takes the steps: [`Backend`].

use std::time::Duration;

use super::{BatchBy, Embeddings, Interactions, Moments, Negatives, Optimiser, Step};
use crate::{ColumnKind, DynLoss, Error, Result, Shape};

/// Holds embeddings and optimiser state, and moves them. The trainer sends ids and asks for
/// nothing else within an epoch, so that an implementation on a device reads nothing back there.
///
/// A backend is made from a [`Start`].
pub trait Backend {
    /// Takes one step on the mean loss of the step's pairs, at a learning rate. A user's training
    /// items are no negatives.
    ///
    /// # Errors
    /// The device failed, or numbers overflowed.
    fn step(&mut self, step: &Step, rate: f64) -> Result<()>;

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
}

impl Start<'_> {
    /// Checks what can be checked before the first step.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a loss that takes more than two tables of embeddings,
    /// [`Error::Shape`] for tables that do not fit the interactions, [`Error::Domain`] for settings
    /// of the loss and of the optimiser.
    pub fn validate(&self) -> Result<()> {
        let spec = self.loss.spec();
        let refuse = |what: &str| {
            Err(Error::Unsupported(format!(
                "{}: {what}, which this version of the trainer does not have",
                spec.name
            )))
        };
        if spec.second.is_some() {
            return refuse("training takes an adversary's embeddings");
        }
        if spec.thetas > 0 {
            return refuse("training takes a learnable threshold");
        }
        let tables = &self.embeddings;
        check_rows("queries", &tables.queries, tables.dim, self.train.users())?;
        check_rows(
            "candidates",
            &tables.candidates,
            tables.dim,
            self.train.items(),
        )?;
        self.negatives.validate()?;
        self.loss.check(&self.shape())?;
        self.optimiser.validate()?;
        self.moments[0].check(&self.optimiser, tables.queries.len())?;
        self.moments[1].check(&self.optimiser, tables.candidates.len())
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
        Shape {
            queries: self.train.users(),
            many_positives: !self.one_each(),
            indexed_rows: true,
            columns,
            excluded: masked.then_some(self.train.len()),
            exclude_by_query: masked,
            log_q: self.negatives.log_q(self.train).is_some(),
            ..Shape::new(1, self.train.items(), self.embeddings.dim)
        }
    }
}

fn check_rows(argument: &'static str, table: &[f32], dim: usize, rows: usize) -> Result<()> {
    if dim.checked_mul(rows) == Some(table.len()) {
        return Ok(());
    }
    Err(Error::Shape {
        argument,
        expected: format!("{rows} rows of {dim} numbers"),
        actual: format!("{} numbers", table.len()),
    })
}
