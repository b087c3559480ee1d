//! Independent random streams from one seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What a stream is for. Two purposes never share random numbers, whatever their indices are, so
/// that one seed can serve a whole run.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// The planted data: its catalogue (one stream).
    PlantedCatalogue = 1,
    /// The planted data: a stream per user.
    PlantedUser = 2,
    /// Train/test split: a stream per user.
    TestSplit = 3,
    /// Train/validation split: a stream per user.
    ValidationSplit = 4,
    /// Order of the interactions: a stream per epoch.
    Shuffle = 5,
    /// Initial query embeddings: a stream per block.
    InitQueries = 6,
    /// Initial candidate embeddings: a stream per block.
    InitCandidates = 7,
    /// Order of the users: a stream per epoch.
    ShuffleUsers = 8,
    /// Negatives of a row: a stream per row and epoch.
    RowNegatives = 9,
    /// Negatives that rows share: a stream per step and epoch.
    SharedNegatives = 10,
    /// Initial query embeddings of an adversary: a stream per block.
    InitSecondQueries = 11,
    /// Initial candidate embeddings of an adversary: a stream per block.
    InitSecondCandidates = 12,
}

/// The stream `index` of `purpose` under `seed`. Streams are reached directly, so work that is
/// divided by index gives the same numbers in any order and on any number of threads.
pub(crate) fn stream(seed: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    // The key holds seed and purpose side by side instead of a hash of both: different pairs are
    // different keys for certain, and a ChaCha key needs no entropy to give unrelated streams.
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8] = purpose as u8;
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(index);
    rng
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn seed_purpose_and_index_each_change_the_stream() {
        let first = |seed, purpose, index| stream(seed, purpose, index).next_u64();
        let base = first(1, Purpose::Shuffle, 1);
        assert_eq!(base, first(1, Purpose::Shuffle, 1));
        assert_ne!(base, first(2, Purpose::Shuffle, 1));
        assert_ne!(base, first(1, Purpose::TestSplit, 1));
        assert_ne!(base, first(1, Purpose::Shuffle, 2));
    }
}
