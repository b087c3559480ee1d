//! Where each id occurs in a list: a stable counting sort, so that what repeats is summed in the
//! order of the list.

/// For every id below a bound, the places of a list that hold it, ascending.
pub(super) struct Occurrences {
    offsets: Vec<u32>,
    places: Vec<u32>,
}

impl Occurrences {
    /// Sorts the places of `ids`, all below `bound`.
    pub(super) fn new(ids: impl Iterator<Item = u32> + Clone, bound: usize) -> Self {
        let mut offsets = vec![0_u32; bound + 1];
        let mut count = 0;
        for id in ids.clone() {
            offsets[id as usize + 1] += 1;
            count += 1;
        }
        for i in 0..bound {
            offsets[i + 1] += offsets[i];
        }
        let mut places = vec![0; count];
        let mut next = offsets.clone();
        for (place, id) in ids.enumerate() {
            places[next[id as usize] as usize] = place as u32;
            next[id as usize] += 1;
        }
        Occurrences { offsets, places }
    }

    /// The places of `id`.
    pub(super) fn of(&self, id: usize) -> &[u32] {
        &self.places[self.offsets[id] as usize..self.offsets[id + 1] as usize]
    }
}
