//! The problems, one by one.

use super::{Problem, random::Random};
use crate::{ABSENT, IGNORED};

/// Between them every form that a batch can have.
pub(super) fn all() -> Vec<Problem> {
    vec![
        one_number(),
        Problem::new("ragged", [9, 37, 5]),
        wide(),
        many_positives(),
        sampled(),
        sampled_log_q(),
        shared(),
        log_q(),
        upstream(),
        zeros(),
        parallel(),
        own_rows(),
        own_pairs(),
        own_one(),
        own_one_kept(),
        sub_centres(),
        given_scores(),
        without_positives(),
        one_negative(),
        sampled_lists(),
        tied(),
        state_of_queries(),
    ]
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
    let mut problem = Problem::new("many-excluded", [7, 43, 8]);
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
    problem.factor = 0.75;
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
    let mut problem = Problem::new("shared", [11, 50, 8]);
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

/// Rows at an angle of exactly 0 or π to their positives and to other candidates, one of which is
/// there twice.
fn parallel() -> Problem {
    let mut problem = Problem::new("parallel", [9, 21, 6]);
    for row in 0..9 {
        let query = problem.queries[row * 6..][..6].to_vec();
        for (x, k) in query.into_iter().zip(0..) {
            problem.candidates[row * 6 + k] = 2.0 * x;
            problem.candidates[(row + 10) * 6 + k] = -0.5 * x;
        }
        problem.positives[row] = (row + 10 * (row % 2)) as u32;
    }
    problem.candidates.copy_within(..6, 20 * 6);
    problem
}

/// Sampled ids with log probabilities.
fn sampled_log_q() -> Problem {
    let mut problem = Problem::new("sampled-log-q", [6, 21, 10]);
    let mut random = Random(6);
    problem.sampled = Some((random.ids(6 * 5, 21), 5));
    let numbers = random.numbers(21);
    problem.log_q = Some(numbers.iter().map(|x| 2.0 * x - 3.0).collect());
    problem
}

/// Rows against rows: each is no negative of itself, and its positives are columns too.
fn own_rows() -> Problem {
    let mut problem = Problem::new("own-rows", [19, 19, 6]);
    let mut random = Random(7);
    problem.rows = Some(random.ids(9, 19));
    problem.positives = (random.ids(18, 19).chunks(2))
        .flat_map(|two| [two[0], (two[0] + 1 + two[1] % 17) % 19])
        .collect();
    problem.offsets = Some((0..=9).map(|row| 2 * row).collect());
    (problem.own, problem.kept) = (true, true);
    problem.factor = -2.5;
    problem
}

/// Rows against rows, their positives no columns: several positives, one, or none that counts all
/// the same; and a row without negatives.
fn own_pairs() -> Problem {
    let mut problem = Problem::new("own-pairs", [11, 11, 6]);
    let labels = [0, 1, 0, 2, 0, 1, 3, 1, 0, 4, 1];
    problem.positives.clear();
    let mut counts = Vec::new();
    for (row, label) in labels.iter().enumerate() {
        let before = problem.positives.len();
        let others = (0..11).filter(|other| *other != row && labels[*other] == *label);
        problem.positives.extend(others.map(|other| other as u32));
        counts.push(((problem.positives.len() - before) as u32).max(1));
        if problem.positives.len() == before {
            problem.positives.push(ABSENT);
        }
    }
    problem.offsets = Some(running_sum(&counts));
    problem.exclude = Some((running_sum(&[0, 11, 0, 2, 0, 0, 0, 0, 0, 0, 0]), {
        (0..11).chain([4, 5]).collect()
    }));
    problem.own = true;
    problem
}

/// Rows against rows, one positive each.
fn own_one() -> Problem {
    let mut problem = Problem::new("own-one", [12, 12, 5]);
    problem.positives = (0..12).map(|row| row ^ 1).collect();
    problem.own = true;
    problem
}

/// The same, the positive a column too.
fn own_one_kept() -> Problem {
    Problem {
        kept: true,
        weights: Some(Random(15).numbers(12)),
        ..Problem {
            name: "own-one-kept",
            ..own_one()
        }
    }
}

/// Classes of three sub-centres; some excluded, one label twice.
fn sub_centres() -> Problem {
    let mut problem = Problem::new("sub-centres", [8, 3 * 41, 6]);
    let mut random = Random(8);
    problem.positives = random.ids(8, 41);
    problem.positives[1] = problem.positives[0];
    problem.exclude = Some((running_sum(&[2, 0, 3, 0, 0, 1, 0, 4]), random.ids(10, 41)));
    problem.columns_per_class = 3;
    problem
}

/// Log-probabilities, less those of a reference; no embeddings.
fn given_scores() -> Problem {
    let mut random = Random(9);
    let mut numbers = |count: usize| random.numbers(count);
    Problem {
        given: Some([numbers(9), numbers(9 * 6), numbers(9), numbers(9 * 6)]),
        ..Problem::new("given-scores", [1, 1, 1])
    }
}

/// Rows without a positive that count all the same, one ignored row, log probabilities.
fn without_positives() -> Problem {
    let mut problem = Problem::new("without-positives", [9, 33, 7]);
    for row in [2, 3, 7] {
        problem.positives[row] = ABSENT;
    }
    problem.positives[5] = IGNORED;
    let numbers = Random(10).numbers(33);
    problem.log_q = Some(numbers.iter().map(|x| 2.0 * x - 3.0).collect());
    problem
}

/// One negative per row, as pairwise losses are trained.
fn one_negative() -> Problem {
    let mut problem = Problem::new("one-negative", [13, 34, 6]);
    let mut random = Random(11);
    problem.sampled = Some((random.ids(13, 34), 1));
    problem.exclude = Some((
        running_sum(&[0, 3, 0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 1]),
        random.ids(7, 34),
    ));
    problem
}

/// Several positives per row, or none, beside its sampled columns, and upstream gradients.
fn sampled_lists() -> Problem {
    let mut problem = Problem::new("sampled-lists", [6, 27, 9]);
    let mut random = Random(12);
    problem.positives = random.ids(13, 27);
    problem.positives[4] = IGNORED;
    problem.offsets = Some(running_sum(&[2, 0, 4, 1, 3, 3]));
    problem.sampled = Some((random.ids(6 * 8, 27), 8));
    problem.upstream = Some(random.numbers(13));
    problem
}

/// Candidates that are there twice, so that they tie, and a positive among its own negatives; summed.
fn tied() -> Problem {
    let mut problem = Problem::new("tied-sum", [9, 24, 8]);
    let mut random = Random(13);
    problem.candidates.copy_within(..12 * 8, 12 * 8);
    let mut ids = random.ids(9 * 6, 24);
    ids[0] = problem.positives[0];
    ids[7] = (problem.positives[1] + 12) % 24;
    problem.sampled = Some((ids, 6));
    problem.sum = true;
    problem
}

/// State that belongs to queries, several rows of each of which read it.
fn state_of_queries() -> Problem {
    let mut problem = Problem::new("state-of-queries", [7, 30, 5]);
    let mut random = Random(14);
    problem.rows = Some(random.ids(16, 7));
    problem.positives = random.ids(16, 30);
    problem.positives[15] = IGNORED;
    problem.by_query = true;
    problem
}

fn running_sum(counts: &[u32]) -> Vec<u32> {
    let mut offsets = vec![0];
    for count in counts {
        offsets.push(offsets[offsets.len() - 1] + count);
    }
    offsets
}
