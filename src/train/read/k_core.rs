//! The part of the data in which everyone has enough interactions.

use super::super::Interactions;
use crate::Result;

/// Which users and which items are in the largest set that gives each of its members `k`
/// interactions with others of the set. `pairs` may repeat.
pub(super) fn k_core(
    users: usize,
    items: usize,
    pairs: &[(u32, u32)],
    k: usize,
) -> Result<[Vec<bool>; 2]> {
    let turned: Vec<(u32, u32)> = pairs.iter().map(|&(user, item)| (item, user)).collect();
    let sides = [
        Interactions::from_pairs(users, items, pairs)?,
        Interactions::from_pairs(items, users, &turned)?,
    ];
    let mut counts: [Vec<usize>; 2] = sides.each_ref().map(|side| {
        let rows = 0..side.users();
        rows.map(|row| side.of(row).len()).collect()
    });
    let mut kept = counts.each_ref().map(|counts| {
        let enough = counts.iter().map(|&count| count >= k);
        enough.collect::<Vec<bool>>()
    });
    let mut leaving: Vec<(usize, usize)> = Vec::new();
    for (side, kept) in kept.iter().enumerate() {
        leaving.extend(
            (0..kept.len())
                .filter(|&row| !kept[row])
                .map(|row| (side, row)),
        );
    }
    // Each that leaves takes one interaction from each of its partners, who may then leave as well.
    while let Some((side, row)) = leaving.pop() {
        for &partner in sides[side].of(row) {
            let (other, partner) = (1 - side, partner as usize);
            counts[other][partner] -= 1;
            if counts[other][partner] + 1 == k {
                kept[other][partner] = false;
                leaving.push((other, partner));
            }
        }
    }
    Ok(kept)
}
