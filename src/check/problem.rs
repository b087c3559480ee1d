//! Small ragged batches, the same on every machine.

use crate::{
    Batch, Columns, Exclude, IGNORED, Lists, Matrix, Positives, Reduction, Result, loss::Spec,
};

/// Values of θ: near where both sides of a threshold matter.
const THETA: [f64; 4] = [2.0, -1.0, 0.5, 0.25];

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
}

impl Problem {
    /// All problems: between them every form that a batch can have.
    #[must_use]
    pub fn all() -> Vec<Problem> {
        vec![
            one_number(),
            Problem::new("ragged", [9, 37, 5]),
            wide(),
            many_positives(),
            sampled(),
            shared(),
            log_q(),
            upstream(),
            zeros(),
        ]
    }

    /// What sets the problem apart.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The batch for a loss of this specification: with the second tables and the scalars that it
    /// needs.
    ///
    /// # Errors
    /// The loss wants more scalars than there can be.
    pub fn batch(&self, spec: &Spec) -> Result<Batch<'_>> {
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
        batch.theta(&THETA[..spec.thetas.min(THETA.len())])
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
        }
    }
}

/// D = 1. All numbers are positive: between opposite directions some losses jump, and whether
/// rounding lands on one side or the other is nobody's error.
fn one_number() -> Problem {
    let mut problem = Problem::new("one-number", [3, 2, 1]);
    for x in problem.queries.iter_mut().chain(&mut problem.candidates) {
        *x = x.abs() + 0.125;
    }
    problem
}

/// More numbers than a slab of any kernel, summed instead of averaged.
fn wide() -> Problem {
    Problem {
        sum: true,
        ..Problem::new("wide-sum", [3, 70, 131])
    }
}

/// Rows with none, one and many positives, and exclusion lists that repeat some of them.
fn many_positives() -> Problem {
    let mut problem = Problem::new("many-excluded", [7, 43, 12]);
    let mut random = Random(1);
    let counts = [1, 0, 5, 18, 2, 1, 3];
    let offsets = running_sum(&counts);
    // A row's positives differ: they follow each other around the table.
    problem.positives = counts
        .iter()
        .flat_map(|count| {
            let first = random.below(43);
            (0..*count).map(move |k| (first + 5 * k) % 43)
        })
        .collect();
    problem.offsets = Some(offsets);
    let lists = running_sum(&[4, 0, 9, 1, 12, 0, 2]);
    let ids = random.ids(28, 43);
    problem.exclude = Some((lists, ids));
    problem
}

/// Queries and candidates that repeat, a positive among the negatives, weights.
fn sampled() -> Problem {
    let mut problem = Problem::new("sampled-weighted", [5, 29, 12]);
    let mut random = Random(2);
    problem.rows = Some(random.ids(17, 5));
    problem.positives = random.ids(17, 29);
    let mut ids = random.ids(17 * 7, 29);
    ids[0] = problem.positives[0];
    ids[8] = ids[7];
    problem.sampled = Some((ids, 7));
    problem.weights = Some(random.numbers(17));
    problem
}

/// One list for all rows, with repeats and with positives of some rows.
fn shared() -> Problem {
    let mut problem = Problem::new("shared", [11, 50, 9]);
    let mut random = Random(3);
    let mut ids = random.ids(23, 50);
    ids[1] = ids[0];
    ids[2] = problem.positives[4];
    problem.shared = Some(ids);
    problem
}

/// Log sampling probabilities.
fn log_q() -> Problem {
    let mut problem = Problem::new("log-q", [6, 33, 8]);
    let numbers = Random(4).numbers(33);
    problem.log_q = Some(numbers.iter().map(|x| 2.0 * x - 3.0).collect());
    problem
}

/// Upstream gradients of either sign, and an ignored row.
fn upstream() -> Problem {
    let mut problem = Problem::new("upstream-ignored", [8, 31, 6]);
    problem.upstream = Some(Random(5).numbers(8));
    problem.positives[3] = IGNORED;
    problem
}

/// A zero query, a zero candidate, and a row whose columns are all excluded.
fn zeros() -> Problem {
    let mut problem = Problem::new("zeros-excluded", [4, 19, 7]);
    problem.queries[..7].fill(0.0);
    problem.candidates[3 * 7..4 * 7].fill(0.0);
    problem.exclude = Some((running_sum(&[0, 19, 0, 0]), (0..19).collect()));
    problem
}

fn running_sum(counts: &[u32]) -> Vec<u32> {
    let mut offsets = vec![0];
    for count in counts {
        offsets.push(offsets[offsets.len() - 1] + count);
    }
    offsets
}

/// `SplitMix64`: the problems must be the same in every build and on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: usize) -> u32 {
        (self.next() % count as u64) as u32
    }

    fn ids(&mut self, length: usize, count: usize) -> Vec<u32> {
        (0..length).map(|_| self.below(count)).collect()
    }

    /// Multiples of 2⁻¹² in [−1, 1).
    fn numbers(&mut self, length: usize) -> Vec<f32> {
        (0..length)
            .map(|_| (self.next() >> 51) as f32 / 4096.0 - 1.0)
            .collect()
    }
}
