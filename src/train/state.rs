//! What a loss learns or remembers beside the embeddings: [`LossState`].

use super::{Embeddings, Init, Moments, Settings, Start};
use crate::{DynLoss, Error, Result, loss::Renewal};

/// What a loss learns or remembers beside the embeddings, as plain data: everything that the steps
/// to come depend on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LossState {
    /// The learnable scalars θ, in the order of [`Loss::scalars`](crate::Loss::scalars).
    pub scalars: Vec<f64>,
    /// What the optimiser remembers of them.
    pub scalar_moments: Moments<f64>,
    /// The numbers per user that the loss reads, user by user, each user's in the order of
    /// [`Loss::row_parameters`](crate::Loss::row_parameters).
    pub query_parameters: Vec<f64>,
    /// The second tables, where the loss has them.
    pub second: Option<SecondTables>,
}

/// The tables of a loss's second tile: an adversary's, which are trained, or a reference model's,
/// which are frozen.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondTables {
    /// The tables, a row per user and item; a reference's may have a width of their own.
    pub tables: Embeddings,
    /// What the adversary's optimiser remembers of queries and candidates; empty for a reference.
    pub moments: [Moments; 2],
}

impl LossState {
    /// Where training begins: every number at the initial value that the loss names for it, an
    /// adversary's tables drawn from the seed, and as reference the initial embeddings.
    ///
    /// # Errors
    /// The adversary's initial deviation is outside its domain.
    pub fn initial(
        loss: &dyn DynLoss,
        embeddings: &Embeddings,
        settings: &Settings,
    ) -> Result<Self> {
        let scalars: Vec<f64> = loss.scalars().iter().map(|scalar| scalar.initial).collect();
        let of_a_user: Vec<f64> = (loss.row_parameters().iter())
            .map(|parameter| parameter.initial)
            .collect();
        let second = match loss.spec().second {
            None => None,
            Some(tile) if tile.frozen => Some(SecondTables::reference(embeddings.clone())),
            Some(_) => Some(SecondTables::adversary(embeddings, settings)?),
        };
        Ok(LossState {
            scalar_moments: Moments::zero(&settings.optimiser, scalars.len()),
            scalars,
            query_parameters: of_a_user.repeat(embeddings.users()),
            second,
        })
    }

    /// Each scalar by its name.
    #[must_use]
    pub fn named_scalars(&self, loss: &dyn DynLoss) -> Vec<(&'static str, f64)> {
        let names = loss.scalars().into_iter().map(|scalar| scalar.name);
        names.zip(self.scalars.iter().copied()).collect()
    }

    /// Checks that there is all that the loss of `start` needs, in the sizes of its data, and no
    /// more.
    pub(super) fn check(&self, start: &Start<'_>) -> Result<()> {
        let spec = start.loss.spec();
        let (users, items) = (start.train.users(), start.train.items());
        let count = |argument, given: usize, expected: usize, of: String| match given == expected {
            true => Ok(()),
            false => Err(Error::Shape {
                argument,
                expected: format!("{expected} numbers, {of}"),
                actual: given.to_string(),
            }),
        };
        let scalars = format!("the scalars of {}", spec.name);
        count("scalars", self.scalars.len(), spec.thetas, scalars)?;
        (self.scalar_moments).check_as("scalar_moments", &start.optimiser, spec.thetas)?;
        let each = spec.row_parameters;
        let of_users = format!("{each} of {} for each of {users} users", spec.name);
        let given = self.query_parameters.len();
        count("query_parameters", given, users * each, of_users)?;
        let tables = |expected: &str, given: &str| {
            Err(Error::Shape {
                argument: "second tables",
                expected: format!("{expected} for {}", spec.name),
                actual: given.into(),
            })
        };
        match (spec.second, &self.second) {
            (None, None) => Ok(()),
            (None, Some(_)) => tables("none", "some"),
            (Some(_), None) => tables("tables of users and items", "none"),
            (Some(tile), Some(second)) => second.check(start, tile.frozen, [users, items]),
        }
    }

    /// The place of the number per user that is the K-th largest score, and K.
    pub(super) fn quantiles(loss: &dyn DynLoss) -> impl Iterator<Item = (usize, usize)> {
        let parameters = loss.row_parameters().into_iter().enumerate();
        parameters.filter_map(|(at, parameter)| match parameter.renewal {
            Renewal::KthLargest(k) => Some((at, k)),
            Renewal::Given | Renewal::Step => None,
        })
    }
}

impl SecondTables {
    /// Tables that stay as they are.
    #[must_use]
    pub fn reference(tables: Embeddings) -> Self {
        SecondTables {
            tables,
            moments: Default::default(),
        }
    }

    /// An adversary's tables before the first step, as wide as the model's.
    fn adversary(model: &Embeddings, settings: &Settings) -> Result<Self> {
        let adversary = &settings.adversary;
        let init = Init {
            dim: model.dim,
            kind: adversary.init,
        };
        let rows = [model.users(), model.items()];
        let tables = Embeddings::initial_second(rows, init, settings.seed)?;
        let lens = [tables.queries.len(), tables.candidates.len()];
        Ok(SecondTables {
            moments: lens.map(|len| Moments::zero(&adversary.optimiser, len)),
            tables,
        })
    }

    fn check(&self, start: &Start<'_>, frozen: bool, rows: [usize; 2]) -> Result<()> {
        let Embeddings {
            dim,
            queries,
            candidates,
        } = &self.tables;
        for (argument, table, rows) in [
            ("second queries", queries, rows[0]),
            ("second candidates", candidates, rows[1]),
        ] {
            super::backend::check_rows(argument, table, *dim, rows)?;
        }
        if frozen {
            return Ok(());
        }
        let [of_queries, of_candidates] = &self.moments;
        let optimiser = &start.adversary.optimiser;
        of_queries.check_as("adversary's moments", optimiser, queries.len())?;
        of_candidates.check_as("adversary's moments", optimiser, candidates.len())
    }
}
