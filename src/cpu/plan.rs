//! How an evaluation is cut up. Everything here follows from the shape and the options, never from
//! the number of threads: results have the same bits on every machine with the same vector
//! instructions.

use super::{Options, kept::Keep, problem::Problem, product::CpuReal};
use crate::ColumnKind;
use std::ops::Range;

/// Rows per block at least, when there are as many; fewer would starve the products.
const BLOCK_ROWS: usize = 256;
/// Rows per block at most.
const MOST_ROWS: usize = 2048;
/// Scores per block that a narrow tile is made tall for.
const BLOCK_SCORES: usize = 1 << 19;
/// Stripes that a tile is cut into where it is wide enough, for work to share.
const STRIPES: usize = 32;
/// Columns per stripe.
const STRIPE_COLUMNS: Range<usize> = 128..1024;
/// Rows and columns come in multiples of this.
const GRAIN: usize = 16;

/// Gradients of a piece of columns take this share of the budget.
const PIECE_SHARE: usize = 4;

/// Rows per block at most where a tile is one stripe of a band.
const BAND_ROWS: usize = 512;
/// Bytes of such a tile: scores stay in a core's own cache from the product to the products.
const BAND_TILE: usize = 1 << 20;
/// Bands of columns at most: tasks that each hold a tile.
const BANDS: usize = 32;
/// Least D for which scores, where weights cannot be, are kept and not multiplied again: by an estimate of
/// memory traffic beside multiply-adds, not by a measurement.
const KEPT_DIM: usize = 128;
/// Rows per block from which it is worth keeping something of them.
const KEPT_ROWS: usize = 64;
/// What is kept takes no more than this, if that is enough for `KEPT_ENOUGH` rows: allocators give
/// larger pieces back to the system, and fetching those anew took a sixth of a step.
const KEPT_BYTES: usize = 16 << 20;
const KEPT_ENOUGH: usize = 192;

/// Columns of one task: stripe after stripe, from scores to both products.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BandPlan {
    /// Columns per band, whole stripes.
    pub(super) columns: usize,
    /// What is kept from the reduction to the backward pass.
    pub(super) keep: Keep,
}

/// Blocks of rows, and stripes and chunks of columns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    /// Active rows in total.
    rows: usize,
    /// Active rows per block.
    block: usize,
    /// Columns in total.
    pub(super) columns: usize,
    /// Columns per stripe.
    pub(super) stripe: usize,
    /// Columns whose scores are held at a time, whole stripes.
    pub(super) chunk: usize,
    /// Columns whose gradients are held at a time where the output cannot hold them, whole stripes.
    piece: usize,
    /// Bands, where every candidate is a column and there is one tile.
    pub(super) bands: Option<BandPlan>,
}

impl Plan {
    pub(super) fn new<R: CpuReal>(problem: &Problem<'_, R>, options: &Options) -> Self {
        let tiles = 1 + usize::from(problem.second.is_some());
        let budget = (options.scratch_bytes / (tiles * size_of::<R>())).max(1);
        let columns = problem.shape.columns();
        let rows = problem.rows.len();
        if problem.sampled() {
            return Plan {
                rows,
                // A row's scores, its query and its gradient.
                block: (budget / (columns + 2 * problem.shape.dim)).clamp(1, rows.max(1)),
                columns,
                stripe: columns,
                chunk: columns,
                piece: columns,
                bands: None,
            };
        }
        if tiles == 1 && problem.shape.columns == ColumnKind::All {
            return Plan::banded(problem, options);
        }
        let block = block_rows(rows, columns, budget);
        let mut stripe = (columns / STRIPES)
            .clamp(STRIPE_COLUMNS.start, STRIPE_COLUMNS.end)
            .next_multiple_of(STRIPE_COLUMNS.start);
        while block * stripe > budget && stripe > GRAIN {
            stripe /= 2;
        }
        // A class's sub-centres lie in one stripe.
        let stripe = stripe.next_multiple_of(problem.shape.columns_per_class);
        let copied = options.copy_bytes / (size_of::<R>() * problem.shape.dim);
        let copied = if problem.candidates.is_copied() {
            columns
        } else {
            copied
        };
        let chunk = (budget / block).min(copied).min(columns);
        let chunk = if chunk == columns {
            columns.next_multiple_of(stripe)
        } else {
            (chunk / stripe).max(1) * stripe
        };
        Plan {
            rows,
            block,
            columns,
            stripe,
            chunk,
            piece: (budget / PIECE_SHARE / problem.shape.dim / stripe).max(1) * stripe,
            bands: None,
        }
    }

    /// Tiles that stay in cache. All bands' tiles together, or what is kept, fit the budget.
    fn banded<R: CpuReal>(problem: &Problem<'_, R>, options: &Options) -> Self {
        let cut = Cut::new(problem, options);
        let (keep, most) = cut.kept(problem);
        let (block, stripe, band) = cut.with(most);
        Plan {
            rows: cut.rows,
            block,
            columns: cut.columns,
            stripe,
            chunk: cut.columns.next_multiple_of(stripe),
            piece: stripe,
            bands: Some(BandPlan {
                columns: band,
                keep,
            }),
        }
    }

    /// Ranges of active rows.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        pieces(0..self.rows, self.block)
    }

    /// Ranges of columns.
    pub(super) fn chunks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        pieces(0..self.columns, self.chunk)
    }

    /// Ranges of a chunk's columns.
    pub(super) fn pieces_of(
        &self,
        chunk: &Range<usize>,
    ) -> impl Iterator<Item = Range<usize>> + use<> {
        pieces(chunk.clone(), self.piece)
    }

    /// The columns of one stripe of a chunk.
    pub(super) fn stripe_of(&self, chunk: &Range<usize>, stripe: usize) -> Range<usize> {
        let start = chunk.start + stripe * self.stripe;
        start..(start + self.stripe).min(chunk.end)
    }

    /// Rows that one task multiplies, of a block of `rows`.
    pub(super) fn group(&self, rows: usize, stripes: usize) -> usize {
        (rows / STRIPES.div_ceil(stripes))
            .next_multiple_of(GRAIN)
            .max(4 * GRAIN)
    }
}

/// How an evaluation is cut into blocks, bands and stripes; all sizes in numbers.
struct Cut {
    rows: usize,
    columns: usize,
    dim: usize,
    /// Columns per class.
    centres: usize,
    budget: usize,
    /// A stripe's tile at most.
    tile: usize,
}

impl Cut {
    fn new<R: CpuReal>(problem: &Problem<'_, R>, options: &Options) -> Self {
        let budget = (options.scratch_bytes / size_of::<R>()).max(1);
        Cut {
            rows: problem.rows.len(),
            columns: problem.shape.columns(),
            dim: problem.shape.dim,
            centres: problem.shape.columns_per_class,
            budget,
            tile: (budget / BANDS).min(BAND_TILE / size_of::<R>()).max(1),
        }
    }

    /// Rows per block, columns per stripe and per band, for blocks of at most `most` rows.
    fn with(&self, most: usize) -> (usize, usize, usize) {
        let block = even_blocks(self.rows, most);
        let stripe = (self.tile / block / GRAIN * GRAIN)
            .clamp(GRAIN, STRIPE_COLUMNS.end)
            .min(self.columns.next_multiple_of(GRAIN))
            .next_multiple_of(self.centres);
        // Every band has a share of the queries' gradients.
        let bands = (self.budget / PIECE_SHARE / (block * self.dim)).clamp(1, BANDS);
        let band = self.columns.div_ceil(bands).next_multiple_of(stripe);
        (block, stripe, band)
    }

    /// What to keep of blocks, and their rows at most.
    fn kept<R: CpuReal>(&self, problem: &Problem<'_, R>) -> (Keep, usize) {
        let most = BAND_ROWS.min((self.tile / STRIPE_COLUMNS.start).max(1));
        let all = self.fit(self.budget);
        let few = self.fit(self.budget.min(KEPT_BYTES / size_of::<R>()));
        // What waits for the whole batch needs all rows in one block.
        let fit = match few < KEPT_ENOUGH || problem.waits() {
            true => all,
            false => few,
        };
        let least = self.rows.next_multiple_of(GRAIN).clamp(GRAIN, KEPT_ROWS);
        let waits = problem.waits() && self.rows > fit.min(most);
        let several = problem.shape.many_positives && !problem.spec.separable;
        let keep = match several || problem.spec.column_parameters {
            _ if !problem.backward || fit < least || waits => Keep::Nothing,
            true if self.dim < KEPT_DIM => Keep::Nothing,
            true => Keep::Scores,
            false => Keep::Weights,
        };
        match keep {
            Keep::Nothing => (keep, most),
            _ => (keep, most.min(fit)),
        }
    }

    /// Rows whose scores against all columns are at most so many numbers, in whole bands.
    fn fit(&self, numbers: usize) -> usize {
        let mut rows = numbers / self.columns / GRAIN * GRAIN;
        while rows > 0 {
            let (_, _, band) = self.with(rows);
            if rows * self.columns.next_multiple_of(band) <= numbers {
                break;
            }
            rows -= GRAIN;
        }
        rows
    }
}

fn block_rows(rows: usize, columns: usize, budget: usize) -> usize {
    let most = (BLOCK_SCORES / columns).clamp(BLOCK_ROWS, MOST_ROWS);
    let block = even_blocks(rows, most);
    // The promise of bounded scratch comes before speed.
    block.min((budget / GRAIN).max(1)).max(1)
}

/// Equal blocks of at most about `most` rows: a last one of a few would cost as much as a full one.
fn even_blocks(rows: usize, most: usize) -> usize {
    let blocks = rows.div_ceil(most).max(1);
    rows.div_ceil(blocks).next_multiple_of(GRAIN).max(1)
}

fn pieces(range: Range<usize>, length: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range
        .step_by(length)
        .map(move |start| start..(start + length).min(end))
}
