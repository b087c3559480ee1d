//! Each query's K-th largest score: what quantile losses compare with.

use super::{
    Buffers, Context, Estimate, Plan, PlanOptions, TableLayouts, evaluate::layout, upload::tables,
};
use crate::{
    Error, Kth, MAX_ROW_PARAMETERS, Matrix, Result, Shape, Want, finite::check_finite, loss::Sl,
};

/// The K-th largest scaled score of every query with any candidate, exactly: by counting how many
/// scores exceed a number, sixteen numbers at a time, so that no more scores are stored than a chunk of
/// candidates has, and those on GPUs alone.
///
/// ```text
/// per 4 bits: rank_count, or tile_scores and stored_count (over all candidates) → kth_step
/// ```
#[derive(Debug)]
pub struct KthLargest {
    plan: Plan,
}

impl KthLargest {
    /// Compiles and allocates, for tables of `queries` and `candidates` rows of `dim` numbers, dense
    /// f32 where no layouts are given. Results take place number `place` of each query's `per_query`
    /// numbers.
    ///
    /// # Errors
    /// K is 0 or beyond the number of candidates, there is no such place; as [`Plan::new`].
    pub fn new(
        context: &Context,
        [queries, candidates, dim]: [usize; 3],
        layouts: Option<&TableLayouts>,
        kth: Kth,
        [place, per_query]: [usize; 2],
    ) -> Result<Self> {
        kth.check(candidates)?;
        if place >= per_query || per_query > MAX_ROW_PARAMETERS {
            return Err(Error::Shape {
                argument: "place",
                expected: format!("one of {per_query} (at most {MAX_ROW_PARAMETERS}) numbers"),
                actual: place.to_string(),
            });
        }
        // Any loss of this score: only the score's facts are read.
        let loss = Sl {
            score: kth.score,
            score_scale: kth.score_scale,
            ..Sl::new(1.0)
        };
        let shape = Shape {
            row_parameters: per_query,
            parameters_by_query: true,
            ..Shape::new(queries, candidates, dim)
        };
        let dense = TableLayouts::dense(&shape);
        let layouts = layouts.unwrap_or(&dense);
        let want = PlanOptions {
            want: Want::NOTHING,
            ..PlanOptions::default()
        };
        let device = (context.family(), context.limits());
        let numbers = [kth.k, place].map(|x| u32::try_from(x).unwrap_or(u32::MAX));
        let estimate = Estimate::kth_largest(&loss, &shape, layouts, &want, device, numbers)?;
        let plan = Plan::of(context, &loss, &shape, layouts, &want, estimate)?;
        Ok(KthLargest { plan })
    }

    /// Records the passes: reads `queries` and `candidates`, writes into `row_parameters_after`.
    ///
    /// # Errors
    /// A missing or too small buffer, a bad offset, a lost device.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder, buffers: &Buffers) -> Result<()> {
        self.plan
            .encode_part(encoder, buffers, 0..self.plan.parts())
    }

    /// Bytes that it holds on the device.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.plan.bytes()
    }
}

/// The K-th largest scaled score of every query with any candidate.
///
/// # Errors
/// K is 0 or beyond the number of candidates; the tables do not fit each other; f64 elements; the
/// device fails.
pub fn kth_largest(
    context: &Context,
    queries: Matrix<'_>,
    candidates: Matrix<'_>,
    kth: Kth,
) -> Result<Vec<f32>> {
    kth.check_tables(&queries, &candidates)?;
    let sizes = [queries.rows(), candidates.rows(), queries.dim()];
    let mut layouts = TableLayouts::dense(&Shape::new(sizes[0], sizes[1], sizes[2]));
    layouts.queries = layout(&queries);
    layouts.candidates = layout(&candidates);
    let passes = KthLargest::new(context, sizes, Some(&layouts), kth, [0, 1])?;
    let [queries, candidates, found] =
        context.guarded("tables", || tables(context, queries, candidates, sizes[0]))??;
    let buffers = Buffers {
        queries: Some(queries),
        candidates: Some(candidates),
        row_parameters_after: Some(found.clone()),
        ..Buffers::default()
    };
    context.guarded("K-th largest scores", || {
        let mut encoder = context.device.create_command_encoder(&Default::default());
        passes.encode(&mut encoder, &buffers)?;
        context.queue.submit([encoder.finish()]);
        Ok(())
    })??;
    let (_, found) = passes.plan.read(&[found])?;
    let words = found.into_iter().flatten();
    let found: Vec<f32> = words.map(f32::from_bits).collect();
    check_finite("scores", &found)?;
    Ok(found)
}
