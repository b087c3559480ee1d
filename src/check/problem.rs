//! Small ragged batches, the same on every machine.

mod made;
mod random;

use crate::{
    ABSENT, Batch, Columns, DynLoss, Exclude, GivenScores, Lists, MAX_ROW_PARAMETERS, Matrix,
    Positives, Reduction, Result,
    loss::{Held, Parameters, Spec, TargetForm, UNSET},
};
use random::Random;

/// Values of θ: near where both sides of a threshold matter.
const THETA: [f64; 4] = [2.0, -1.0, 0.5, 0.25];

/// Rows of a batch, and sampled columns of a row, at most.
const MOST_ROWS: usize = 20;
const MOST_SAMPLED: usize = 8;

/// A small batch with its data.
#[derive(Clone, Debug)]
pub struct Problem {
    name: &'static str,
    dim: usize,
    queries: Vec<f32>,
    candidates: Vec<f32>,
    /// The second tables, one number wider.
    second: (Vec<f32>, Vec<f32>),
    positives: Vec<u32>,
    /// Where lists of positives end, if they are lists.
    offsets: Option<Vec<u32>>,
    rows: Option<Vec<u32>>,
    shared: Option<Vec<u32>>,
    /// Sampled ids, and how many per row.
    sampled: Option<(Vec<u32>, usize)>,
    /// Exclusion lists, by query.
    exclude: Option<(Vec<u32>, Vec<u32>)>,
    log_q: Option<Vec<f32>>,
    weights: Option<Vec<f32>>,
    upstream: Option<Vec<f32>>,
    sum: bool,
    factor: f32,
    /// Whether rows are no negatives of themselves.
    own: bool,
    /// Whether positives are columns of their rows.
    kept: bool,
    columns_per_class: usize,
    /// Scores in place of tables: of positives and columns, and a reference's.
    given: Option<[Vec<f32>; 4]>,
    theta: Vec<f64>,
    row_parameters: Vec<f64>,
    /// Whether those belong to queries.
    by_query: bool,
    column_parameters: Vec<f32>,
    entry_constants: Vec<f32>,
}

impl Problem {
    /// All problems: between them every form that a batch can have.
    #[must_use]
    pub fn all() -> Vec<Problem> {
        made::all()
    }

    /// What sets the problem apart.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The problem with values of θ that `loss` takes, near where training begins and inside their
    /// bounds, if it has many; and with the first visit of some rows still to come, if it keeps a
    /// logarithm of them.
    #[must_use]
    pub fn fitted(&self, loss: &dyn DynLoss) -> Problem {
        let mut fitted = self.clone();
        let spec = loss.spec();
        if spec.thetas > THETA.len() {
            fitted.theta = near_initial(loss);
        }
        for (place, parameter) in loss.row_parameters().iter().enumerate() {
            if parameter.log {
                let own = fitted.row_parameters.iter_mut().skip(place);
                let rows = own.step_by(spec.row_parameters).step_by(3);
                rows.for_each(|number| *number = UNSET);
            }
        }
        fitted
    }

    /// The problem for `loss`, or `None` where that does not take such a batch.
    pub(super) fn taken_by(&self, loss: &dyn DynLoss) -> Result<Option<Problem>> {
        let spec = loss.spec();
        if !self.suits(&spec) {
            return Ok(None);
        }
        let fitted = self.fitted(loss);
        let shape = fitted.batch(&spec)?.shape()?;
        let taken = loss.check(&shape).is_ok() && spec.check(&shape).is_ok();
        Ok(taken.then_some(fitted))
    }

    /// Whether every row has one positive.
    pub(super) fn has_one_positive(&self) -> bool {
        self.offsets.is_none()
    }

    /// Whether columns are sampled.
    pub(super) fn is_sampled(&self) -> bool {
        self.sampled.is_some()
    }

    /// Gives rows, entries and scalars the numbers that gradients take for constant.
    pub(super) fn hold(&mut self, held: &Held) {
        (self.row_parameters, self.by_query) = (held.row_parameters.clone(), false);
        if !held.entry_constants.is_empty() {
            self.entry_constants.clone_from(&held.entry_constants);
        }
        if let Some(theta) = &held.theta {
            self.theta.clone_from(theta);
        }
    }

    /// Adds to number `at` of what the gradient of this name is for.
    #[expect(clippy::cast_possible_truncation, reason = "steps are powers of two")]
    pub(super) fn step(&mut self, gradient: &str, at: usize, by: f64) {
        let numbers = match gradient {
            "grad_queries" => &mut self.queries,
            "grad_candidates" => &mut self.candidates,
            "grad_second_queries" => &mut self.second.0,
            "grad_second_candidates" => &mut self.second.1,
            "grad_column_parameters" => &mut self.column_parameters,
            _ => match (gradient, &mut self.given) {
                ("grad_positive_scores", Some([positives, ..])) => positives,
                ("grad_column_scores", Some([_, columns, ..])) => columns,
                _ => {
                    self.theta[at] += by;
                    return;
                }
            },
        };
        numbers[at] += by as f32;
    }

    /// The batch for a loss of this specification: with the second tables and the scalars that it
    /// needs.
    ///
    /// # Errors
    /// The loss wants more scalars than there can be.
    pub fn batch(&self, spec: &Spec) -> Result<Batch<'_>> {
        if let Some([positives, columns, reference @ ..]) = &self.given {
            let batch = Batch::from_scores(GivenScores {
                positives,
                columns,
                per_row: columns.len() / positives.len(),
                reference: Some((&reference[0], &reference[1])),
            })?;
            return self.numbers(batch, spec)?.theta(self.theta(spec));
        }
        let queries = Matrix::new("queries", &self.queries, self.dim)?;
        let candidates = Matrix::new("candidates", &self.candidates, self.dim)?;
        let positives = match &self.offsets {
            None => Positives::One(&self.positives),
            Some(offsets) => Positives::Many(Lists {
                offsets,
                ids: &self.positives,
            }),
        };
        let mut batch = Batch::new(queries, candidates, positives)?;
        if let Some(rows) = &self.rows {
            batch = batch.rows(rows)?;
        }
        if let Some(ids) = &self.shared {
            batch = batch.columns(Columns::Shared(ids))?;
        }
        if let Some((ids, per_row)) = &self.sampled {
            let per_row = *per_row;
            batch = batch.columns(Columns::Sampled { ids, per_row })?;
        }
        if let Some((offsets, ids)) = &self.exclude {
            batch = batch.exclude(Exclude::ByQuery(Lists { offsets, ids }))?;
        }
        if let Some(log_q) = &self.log_q {
            batch = batch.log_q(log_q)?;
        }
        if let Some(weights) = &self.weights {
            batch = batch.weights(weights)?;
        }
        if let Some(upstream) = &self.upstream {
            batch = batch.reduction(Reduction::None { upstream })?;
        } else if self.sum {
            batch = batch.reduction(Reduction::Sum)?;
        }
        if spec.second.is_some() {
            let queries = Matrix::new("adv_queries", &self.second.0, self.dim + 1)?;
            let candidates = Matrix::new("adv_candidates", &self.second.1, self.dim + 1)?;
            batch = batch.second(queries, candidates)?;
        }
        batch = batch.factor(self.factor)?;
        if self.own {
            batch = batch.exclude_self()?;
        }
        if self.kept {
            batch = batch.positives_in_columns()?;
        }
        if self.columns_per_class > 1 {
            batch = batch.columns_per_class(self.columns_per_class)?;
        }
        let batch = self.numbers(batch, spec)?;
        batch.theta(self.theta(spec))
    }

    fn theta(&self, spec: &Spec) -> &[f64] {
        &self.theta[..spec.thetas.min(self.theta.len())]
    }

    /// Adds the numbers per row, candidate and entry that the loss reads.
    fn numbers<'a>(&'a self, mut batch: Batch<'a>, spec: &Spec) -> Result<Batch<'a>> {
        let per_row = spec.row_parameters;
        if per_row > 0 {
            let rows = match self.by_query {
                true => batch.query_table().rows(),
                false => batch.n_rows(),
            };
            let numbers = &self.row_parameters[..rows * per_row];
            batch = match self.by_query {
                true => batch.query_parameters(numbers, per_row)?,
                false => batch.row_parameters(numbers, per_row)?,
            };
        }
        if spec.column_parameters {
            batch = batch.column_parameters(&self.column_parameters)?;
        }
        if let (true, Some((ids, _))) = (spec.entry_constants, &self.sampled) {
            batch = batch.entry_constants(&self.entry_constants[..ids.len()])?;
        }
        Ok(batch)
    }

    /// Whether a loss of this specification takes such a batch at all.
    #[must_use]
    pub fn suits(&self, spec: &Spec) -> bool {
        let second = spec.second.is_some();
        if self.given.is_some() {
            let tangent = spec.target == TargetForm::Tangent;
            return !(second || tangent || spec.column_parameters || spec.entry_constants);
        }
        let centres = self.columns_per_class > 1;
        if self.positives.contains(&ABSENT) && !spec.absent_positives {
            return false;
        }
        (self.sampled.is_some() || !spec.entry_constants) && !(centres && second)
    }

    /// Random tables; row b's positive is somewhere; everything else as a plain batch has it.
    fn new(name: &'static str, [queries, candidates, dim]: [usize; 3]) -> Problem {
        let mut random = Random(name.bytes().map(u64::from).sum());
        Problem {
            name,
            dim,
            queries: random.numbers(queries * dim),
            candidates: random.numbers(candidates * dim),
            second: (
                random.numbers(queries * (dim + 1)),
                random.numbers(candidates * (dim + 1)),
            ),
            positives: random.ids(queries, candidates),
            offsets: None,
            rows: None,
            shared: None,
            sampled: None,
            exclude: None,
            log_q: None,
            weights: None,
            upstream: None,
            sum: false,
            factor: 1.0,
            own: false,
            kept: false,
            columns_per_class: 1,
            given: None,
            theta: THETA.into(),
            row_parameters: (random.numbers(MOST_ROWS * MAX_ROW_PARAMETERS).into_iter())
                .map(f64::from)
                .collect(),
            by_query: false,
            column_parameters: random.numbers(candidates),
            entry_constants: random.numbers(MOST_ROWS * MOST_SAMPLED),
        }
    }
}

/// Where training begins and a little on: off every bound, so that no slope is that of a corner.
fn near_initial(loss: &dyn DynLoss) -> Vec<f64> {
    let mut p = Parameters::<f64>::default();
    for (to, from) in p.constants.iter_mut().zip(loss.constants()) {
        *to = from;
    }
    let scalars = loss.scalars();
    for (k, scalar) in scalars.iter().enumerate() {
        let [least, most] = loss.double().theta_bounds(k, &p);
        let wanted = scalar.initial + THETA[k % THETA.len()] / 8.0;
        p.theta[k] = wanted.clamp(least, most);
    }
    p.theta[..scalars.len()].into()
}
