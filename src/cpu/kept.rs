//! What a block keeps between its reduction and its backward pass, so that scores are not multiplied
//! twice.

use crate::Real;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Nothing: scores are multiplied again.
    Nothing,
    /// Scores, where a row's weights need the losses of several pairs.
    Scores,
    /// Weights but for a factor of the row: the loss's functions then run once.
    Weights,
}

/// The tiles of a block, band by band, each stripe after stripe, each rows × columns.
#[derive(Default)]
pub(super) struct Kept<R> {
    tiles: Vec<R>,
    /// The largest z that a row's weights in a tile are relative to: tiles × rows.
    shifts: Vec<R>,
    /// The queries' gradients by the bands' kept weights, relative to the last stripe's shifts: bands ×
    /// rows × D.
    gradients: Vec<R>,
}

/// What is kept of one band, or of one stripe of it.
#[derive(Clone, Copy)]
pub(super) struct KeptPart<'a, R> {
    pub(super) tiles: &'a [R],
    pub(super) shifts: &'a [R],
}

/// The same, to be written; empty where nothing is kept.
pub(super) struct KeptPartMut<'a, R> {
    pub(super) tiles: &'a mut [R],
    pub(super) shifts: &'a mut [R],
    /// Of a band: its part of the queries' gradient.
    pub(super) gradient: &'a mut [R],
}

/// Bands, stripes of each, rows of the block, columns of a stripe.
#[derive(Clone, Copy)]
pub(super) struct KeptSize {
    pub(super) bands: usize,
    pub(super) stripes: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Numbers of a row's gradient, or none where it is not kept.
    pub(super) dim: usize,
}

impl<R: Real> Kept<R> {
    /// The bands, with room for what they keep.
    pub(super) fn bands_mut(&mut self, size: KeptSize, keep: Keep) -> Vec<KeptPartMut<'_, R>> {
        let shifts = size.stripes * size.rows;
        let tiles = shifts * size.columns;
        let kept = |keep: bool, length: usize| if keep { size.bands * length } else { 0 };
        make_room(&mut self.tiles, kept(keep != Keep::Nothing, tiles));
        make_room(&mut self.shifts, kept(keep == Keep::Weights, shifts));
        let gradient = size.rows * size.dim;
        make_room(&mut self.gradients, kept(true, gradient));
        let mut tiles = self.tiles.chunks_mut(tiles);
        let mut shifts = self.shifts.chunks_mut(shifts);
        let mut gradients = self.gradients.chunks_mut(gradient.max(1));
        let bands = (0..size.bands).map(|_| KeptPartMut {
            tiles: tiles.next().unwrap_or_default(),
            shifts: shifts.next().unwrap_or_default(),
            gradient: gradients.next().unwrap_or_default(),
        });
        bands.collect()
    }

    /// The bands' parts of the queries' gradient.
    pub(super) fn gradients(&self, size: KeptSize) -> impl Iterator<Item = &[R]> {
        let gradient = size.rows * size.dim;
        self.gradients.chunks(gradient.max(1)).take(size.bands)
    }

    /// What a band kept.
    pub(super) fn band(&self, size: KeptSize, band: usize) -> KeptPart<'_, R> {
        let all = KeptPart {
            tiles: &self.tiles,
            shifts: &self.shifts,
        };
        all.piece(band, size.stripes * size.rows, size.columns)
    }
}

impl<'a, R> KeptPart<'a, R> {
    /// What one of the band's stripes kept.
    pub(super) fn stripe(self, size: KeptSize, stripe: usize) -> Self {
        self.piece(stripe, size.rows, size.columns)
    }

    fn piece(self, nth: usize, rows: usize, columns: usize) -> Self {
        fn part<R>(numbers: &[R], nth: usize, length: usize) -> &[R] {
            let pieces = &mut numbers.chunks(length);
            pieces.nth(nth).unwrap_or_default()
        }
        KeptPart {
            tiles: part(self.tiles, nth, rows * columns),
            shifts: part(self.shifts, nth, rows),
        }
    }
}

impl<R> KeptPartMut<'_, R> {
    /// Room of one of the band's stripes.
    pub(super) fn stripe(&mut self, size: KeptSize, stripe: usize) -> KeptPartMut<'_, R> {
        fn part<R>(numbers: &mut [R], nth: usize, length: usize) -> &mut [R] {
            numbers.chunks_mut(length).nth(nth).unwrap_or_default()
        }
        KeptPartMut {
            tiles: part(self.tiles, stripe, size.rows * size.columns),
            shifts: part(self.shifts, stripe, size.rows),
            gradient: &mut [],
        }
    }
}

/// Room for `count` numbers, at least. Fresh memory is cleared by the system where it is first used: by
/// the tasks, and not by one thread for all.
fn make_room<R: Real>(numbers: &mut Vec<R>, count: usize) {
    if numbers.len() < count {
        *numbers = vec![R::ZERO; count];
    }
}
