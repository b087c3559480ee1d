//! What takes the steps: [`Backend`].

use super::{AdamOptions, Embeddings, Interactions, Step};
use crate::{DynLoss, Error, Result, Shape};

/// Holds embeddings and optimiser state, and moves them. The trainer sends ids and asks for
/// nothing else within an epoch, so that an implementation on a device reads nothing back there.
///
/// A backend is made from a [`Start`].
pub trait Backend {
    /// Takes one step on the mean loss of the step's pairs. Negatives are all items that are not
    /// among the user's training items.
    ///
    /// # Errors
    /// The device failed, or numbers overflowed.
    fn step(&mut self, step: &Step) -> Result<()>;

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

    /// The loss.
    fn loss(&self) -> &dyn DynLoss;

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
    /// The initial embeddings.
    pub embeddings: Embeddings,
    /// The optimiser's settings.
    pub adam: AdamOptions,
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
        self.loss.check(&self.shape())?;
        self.adam.validate()
    }

    /// The shape of a step, for one row.
    pub(super) fn shape(&self) -> Shape {
        let dim = self.embeddings.dim;
        Shape {
            queries: self.train.users(),
            many_positives: true,
            indexed_rows: true,
            excluded: Some(self.train.len()),
            exclude_by_query: true,
            ..Shape::new(1, self.train.items(), dim)
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
