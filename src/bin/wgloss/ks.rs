//! The Ks of a command: as given, or those by default that the catalogue has items for.

/// Measured at, where nothing else is asked for.
const USUAL: [usize; 3] = [5, 20, 50];

/// The Ks to measure at. What was given is taken as it is, to be checked with the data; a default
/// must fit small catalogues too.
pub fn ks(given: Option<&[usize]>, items: usize) -> Vec<usize> {
    match given {
        Some(given) => given.to_vec(),
        None if items < USUAL[0] => vec![items.max(1)],
        None => USUAL.into_iter().filter(|&k| k <= items).collect(),
    }
}
