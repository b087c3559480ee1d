//! Top-K lists and metrics against plain computations.
#![cfg(feature = "train")]

use wgloss::train::Interactions;
use wgloss::train::rank::{top_k, top_k_of, top_popular};

/// Small integers: products and sums are exact in any order, and ties are many.
fn integers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 29) as u8) - 3.0
    };
    (0..len).map(|_| next()).collect()
}

/// All unmasked items, sorted by score and id.
fn naive(query: &[f32], candidates: &[f32], k: usize, masked: &[u32]) -> (Vec<u32>, Vec<f32>) {
    let rows = (0u32..).zip(candidates.chunks(query.len()));
    let scores = rows.map(|(item, row)| {
        let score: f32 = row.iter().zip(query).map(|(a, b)| a * b).sum();
        (item, score)
    });
    let mut scores: Vec<_> = scores.filter(|(item, _)| !masked.contains(item)).collect();
    scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scores.into_iter().take(k).unzip()
}

/// Masks a different number of items of each user, from none to all.
fn masks(users: usize, items: usize) -> Interactions {
    let item = |i: usize| i as u32;
    let lists: Vec<Vec<u32>> = (0..users)
        .map(|user| match user % 5 {
            0 => vec![],
            1 => (0..items).map(item).collect(),
            2 => (0..items).filter(|i| i % 3 == 0).map(item).collect(),
            3 => (1..items).map(item).collect(),
            _ => vec![item(user % items), item(items - 1)],
        })
        .collect();
    Interactions::from_lists(items, &lists).unwrap()
}

#[test]
fn lists_equal_those_of_a_full_sort() {
    // Around the tile sizes (64 × 2,048), below the comparison width, and single rows.
    for (users, items, dim) in [
        (1, 1, 1),
        (7, 15, 3),
        (65, 2049, 5),
        (130, 4100, 8),
        (3, 33, 70),
    ] {
        let queries = integers(users * dim, 1);
        let candidates = integers(items * dim, 2);
        let masked = masks(users, items);
        for k in [1, 2, 20, items, items + 5] {
            let lists = top_k(&queries, &candidates, dim, k, Some(&masked)).unwrap();
            assert_eq!((lists.users(), lists.k()), (users, k));
            for user in 0..users {
                let query = &queries[user * dim..][..dim];
                let (ids, scores) = naive(query, &candidates, k, masked.of(user));
                assert_eq!(
                    lists.items(user),
                    ids,
                    "{users} × {items}, k {k}, user {user}"
                );
                assert_eq!(lists.scores(user), scores);
            }
        }
    }
}

#[test]
fn equal_candidates_tie_whatever_the_rounding() {
    // One row repeated: any difference between scores would come from their place in a tile.
    let shapes = [
        (65, 4097, 61),
        (1, 2053, 64),
        (3, 7, 1024),
        (2, 1001, 513),
        (64, 19, 33),
    ];
    for (users, items, dim) in shapes {
        let row: Vec<f32> = (0..dim).map(|i| (i as f32 * 0.37).sin()).collect();
        let queries: Vec<f32> = (0..users * dim).map(|i| (i as f32 * 0.11).cos()).collect();
        let lists = top_k(&queries, &row.repeat(items), dim, 5000, None).unwrap();
        let ascending: Vec<u32> = (0..items as u32).collect();
        for user in 0..users {
            assert_eq!(
                lists.items(user),
                ascending,
                "{users} × {items} × {dim}: {user}"
            );
        }
    }
}

#[test]
fn threads_do_not_change_the_bits() {
    let queries: Vec<f32> = (0..300 * 16).map(|i| (i as f32 * 0.7).sin()).collect();
    let candidates: Vec<f32> = (0..5000 * 16).map(|i| (i as f32 * 1.3).cos()).collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap()
            .install(|| top_k(&queries, &candidates, 16, 50, None).unwrap())
    };
    assert_eq!(on(1), on(5));
}

#[test]
fn who_else_is_asked_does_not_change_the_bits() {
    for (users, items, dim) in [(130, 300, 64), (67, 4099, 33), (200, 17, 5), (65, 50, 1000)] {
        let queries: Vec<f32> = (0..users * dim).map(|i| (i as f32 * 0.7).sin()).collect();
        let candidates: Vec<f32> = (0..items * dim).map(|i| (i as f32 * 1.3).cos()).collect();
        let masked = masks(users, items);
        let all = top_k(&queries, &candidates, dim, 20, Some(&masked)).unwrap();
        let of = |asked: &[u32]| {
            let found = top_k_of(asked, &queries, &candidates, dim, 20, Some(&masked)).unwrap();
            assert_eq!(found.users(), asked.len());
            for (at, &user) in asked.iter().enumerate() {
                let user = user as usize;
                assert_eq!(
                    found.items(at),
                    all.items(user),
                    "{users} × {items} × {dim}"
                );
                assert_eq!(
                    found.scores(at),
                    all.scores(user),
                    "{users} × {items} × {dim}"
                );
            }
        };
        (0..users as u32).for_each(|user| of(&[user]));
        of(&[7, 3, 3, 64, 0]);
        of(&(0..users as u32).rev().step_by(3).collect::<Vec<_>>());
        of(&[]);
    }
    let error = top_k_of(&[1, 2], &[1.0; 2], &[1.0], 1, 1, None).unwrap_err();
    let told = "users[1]: id 2 is out of range, the table has 2 rows";
    assert_eq!(error.to_string(), told);
}

#[test]
fn empty_sides_give_empty_lists() {
    let lists = top_k(&[1.0, 2.0], &[], 1, 3, None).unwrap();
    assert_eq!((lists.users(), lists.items(1).len()), (2, 0));
    assert_eq!(top_k(&[], &[1.0], 1, 3, None).unwrap().users(), 0);
    let lists = top_k(&[1.0], &[1.0], 1, 0, None).unwrap();
    assert!(lists.items(0).is_empty());
}

#[test]
fn bad_tables_are_errors() {
    let message = |queries: &[f32], candidates: &[f32], dim, masked| {
        top_k(queries, candidates, dim, 3, masked)
            .unwrap_err()
            .to_string()
    };
    assert!(message(&[1.0; 3], &[1.0; 2], 2, None).starts_with("queries: expected a multiple"));
    assert!(message(&[1.0], &[1.0], 0, None).starts_with("queries: "));
    let nan = message(&[1.0], &[1.0, f32::NAN], 1, None);
    assert_eq!(nan, "candidates[1]: expected a finite number, got NaN");
    let masked = masks(2, 3);
    assert!(message(&[1.0], &[1.0; 3], 1, Some(&masked)).contains("expected 1 users"));
    assert!(message(&[1.0; 2], &[1.0], 1, Some(&masked)).contains("expected 1 items"));
    // Finite tables, but inf - inf as a score.
    let huge = message(&[3e38, 3e38], &[3e38, -3e38], 2, None);
    assert!(huge.starts_with("scores of user[0]"), "{huge}");
}

#[test]
fn popularity_skips_own_items_and_breaks_ties_by_id() {
    let lists = [vec![1, 3], vec![1, 2], vec![3, 1], vec![]];
    let train = Interactions::from_lists(5, &lists).unwrap();
    let popular = top_popular(&train, 3);
    assert_eq!(popular.items(3), [1, 3, 2]);
    assert_eq!(popular.scores(3), [3.0, 2.0, 1.0]);
    assert_eq!(popular.items(0), [2, 0, 4]);
}
