//! Losses on the processor, in `f64` (the reference) or `f32` (the engine of machines without a
//! GPU), on all cores of the current rayon pool.
//!
//! Rows are taken a block at a time, and columns a stripe at a time. A stripe's scores are made by one
//! product, reduced row by row, turned into weights in place, and multiplied with both tables, all
//! while they are in a core's own cache:
//!
//! ```text
//! inverse_norms → positive_scores → per block: row_reduce → row_finish → weights
//!   → grad_queries += W·C, grad_candidates += Wᵀ·Q → positive_backward → norm_backward
//! ```
//!
//! The partition follows from the shape alone, and every sum has one writer and a fixed order:
//! results have the same bits for every number of threads.

mod backward;
mod bands;
mod beside;
mod engine;
mod gradients;
mod kept;
mod kernels;
mod kth_largest;
mod masks;
mod moments;
mod occurrences;
mod outer;
mod output;
mod pieces;
mod plan;
mod pool;
mod positives;
mod problem;
mod product;
mod ranks;
mod row_finish;
mod rows;
mod runs;
mod scheme;
mod sinks;
mod statistic;
mod stretch;
mod tables;
mod tile;
mod weigh;

pub use kernels::{Beside, Kernels, Setting, Term};
pub use kth_largest::kth_largest;
pub use product::CpuReal;
pub use scheme::{Scheme, scheme};
pub use statistic::Statistic;
pub use stretch::Stretch;

use crate::{Batch, DynLoss, Error, Output, Result, Shape, Want, loss::Spec};

/// Bounds of the engine's own memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of scores held at a time; gradients of columns that cannot be collected where they
    /// belong (shared columns, gradients that are added to others) take a quarter more. Where some
    /// rows against all columns fit, scores are computed once, otherwise twice ([`scheme`] tells).
    /// The last bits of results depend on it.
    pub scratch_bytes: usize,
    /// Largest normalised copy of a candidate table that is kept for the whole evaluation, in
    /// bytes; larger tables are normalised again chunk by chunk.
    pub copy_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            scratch_bytes: 48 << 20,
            copy_bytes: 8 << 20,
        }
    }
}

/// Where a table's gradient goes: as many numbers as the table has, dense.
#[derive(Debug)]
pub struct Gradient<'a, R> {
    /// The caller's numbers.
    pub out: &'a mut [R],
    /// Whether the gradient is added to what is there; otherwise it replaces it.
    pub add: bool,
}

/// Where the gradients of both tables go; `None` leaves one out, and its work with it.
#[derive(Debug, Default)]
pub struct Gradients<'a, R> {
    /// For the query table, U × D.
    pub queries: Option<Gradient<'a, R>>,
    /// For the candidate table, N × D.
    pub candidates: Option<Gradient<'a, R>>,
    /// For the column parameters, N.
    pub column_parameters: Option<Gradient<'a, R>>,
    /// Whether candidates' gradients are compact, as [`Want::compact`] says.
    pub compact: bool,
    /// For the second tables, U and N × their width.
    pub second: Option<(Gradient<'a, R>, Gradient<'a, R>)>,
    /// For given scores of the positives, B, and of the columns, B × per row.
    pub scores: Option<(Gradient<'a, R>, Gradient<'a, R>)>,
}

/// Value, row losses and the gradients that are wanted.
///
/// # Errors
/// The loss refuses the batch, loss and batch do not fit, or a result is not finite.
pub fn evaluate<R: CpuReal>(
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    want: Want,
) -> Result<Output<R>> {
    evaluate_with(loss, batch, want, &Options::default())
}

/// As [`evaluate`], with bounds of one's own.
///
/// # Errors
/// As there.
pub fn evaluate_with<R: CpuReal>(
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    want: Want,
    options: &Options,
) -> Result<Output<R>> {
    let shape = batch.shape()?;
    let want = want.of(&shape).for_loss(&loss.spec());
    let zeros = |wanted: bool, count: usize| wanted.then(|| vec![R::ZERO; count]);
    let mut queries = zeros(want.queries, shape.queries * shape.dim);
    want.check(&shape)?;
    let [rows, second_rows] = want.candidate_rows(&shape);
    let mut candidates = zeros(want.candidates, rows * shape.dim);
    let mut parameters = zeros(want.column_parameters, shape.candidates);
    let second = |rows: usize| zeros(want.second, rows * shape.second_dim.unwrap_or(0));
    let (mut second_queries, mut second_candidates) = (second(shape.queries), second(second_rows));
    let mut positive_scores = zeros(want.scores, shape.pairs);
    let mut column_scores = zeros(want.scores, shape.rows * shape.columns());
    fn whole<R>(out: &mut Option<Vec<R>>) -> Option<Gradient<'_, R>> {
        out.as_mut().map(|out| Gradient { out, add: false })
    }
    let gradients = Gradients {
        queries: whole(&mut queries),
        candidates: whole(&mut candidates),
        column_parameters: whole(&mut parameters),
        compact: want.compact,
        second: whole(&mut second_queries).zip(whole(&mut second_candidates)),
        scores: whole(&mut positive_scores).zip(whole(&mut column_scores)),
    };
    let output = evaluate_into(loss, batch, gradients, options)?;
    Ok(Output {
        grad_queries: queries,
        grad_candidates: candidates,
        grad_column_parameters: parameters,
        grad_second_queries: second_queries,
        grad_second_candidates: second_candidates,
        grad_positive_scores: positive_scores,
        grad_column_scores: column_scores,
        ..output
    })
}

/// As [`evaluate`], with the gradients written, or added, to the caller's slices; those of the
/// output are `None`. After an error the slices hold anything.
///
/// # Errors
/// As [`evaluate`], or a slice's length is not that of its table. What was not finite before the
/// gradient was added to it counts as not finite.
pub fn evaluate_into<R: CpuReal>(
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    gradients: Gradients<'_, R>,
    options: &Options,
) -> Result<Output<R>> {
    let shape = batch.shape()?;
    check_wanted(&shape, &loss.spec(), &gradients)?;
    check_length(
        "grad_queries",
        &gradients.queries,
        shape.queries * shape.dim,
    )?;
    let want = Want {
        compact: gradients.compact,
        ..Want::NOTHING
    };
    want.check(&shape)?;
    let [rows, second_rows] = want.candidate_rows(&shape);
    check_length("grad_candidates", &gradients.candidates, rows * shape.dim)?;
    check_length(
        "grad_column_parameters",
        &gradients.column_parameters,
        shape.candidates,
    )?;
    if let Some((queries, candidates)) = &gradients.second {
        let dim = shape.second_dim.unwrap_or(0);
        check_count("grad_second_queries", queries, shape.queries * dim)?;
        check_count("grad_second_candidates", candidates, second_rows * dim)?;
    }
    if let Some((positives, columns)) = &gradients.scores {
        let entries = shape.rows * shape.columns();
        check_count("grad_positive_scores", positives, shape.pairs)?;
        check_count("grad_column_scores", columns, entries)?;
    }
    engine::run(loss, batch, gradients, options)
}

/// A gradient of what the batch does not have, an empty slice even, is a mistake.
fn check_wanted<R>(shape: &Shape, spec: &Spec, gradients: &Gradients<'_, R>) -> Result<()> {
    let given = shape.given.is_some();
    let frozen = spec.second.is_some_and(|tile| tile.frozen);
    for (argument, wanted, possible) in [
        ("grad_queries", gradients.queries.is_some(), !given),
        ("grad_candidates", gradients.candidates.is_some(), !given),
        (
            "grad_second_queries",
            gradients.second.is_some(),
            shape.second_dim.is_some() && !frozen,
        ),
        ("grad_positive_scores", gradients.scores.is_some(), given),
    ] {
        if wanted && !possible {
            return Err(Error::Shape {
                argument,
                expected: "none, as the batch has no such input".into(),
                actual: "a gradient".into(),
            });
        }
    }
    Ok(())
}

fn check_length<R>(
    argument: &'static str,
    gradient: &Option<Gradient<'_, R>>,
    expected: usize,
) -> Result<()> {
    match gradient {
        Some(gradient) => check_count(argument, gradient, expected),
        None => Ok(()),
    }
}

fn check_count<R>(
    argument: &'static str,
    gradient: &Gradient<'_, R>,
    expected: usize,
) -> Result<()> {
    if gradient.out.len() == expected {
        return Ok(());
    }
    Err(Error::Shape {
        argument,
        expected: format!("{expected} numbers"),
        actual: gradient.out.len().to_string(),
    })
}
